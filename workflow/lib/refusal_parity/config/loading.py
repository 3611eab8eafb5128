"""A config read, checked and filled in, with errors for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from refusal_parity.config.analysis import AnalysisConfig, ModelContrast
from refusal_parity.config.complaints import readable
from refusal_parity.config.engines import engine_of
from refusal_parity.config.labelling import HumanConfig, LabellingConfig
from refusal_parity.config.opened import at_opened_stage
from refusal_parity.config.prompted import check_factors, check_guards, check_prompts
from refusal_parity.config.study import StudyConfig
from refusal_parity.config.trained import with_trained
from refusal_parity.errors import InputError
from refusal_parity.outcomes import Outcome

if TYPE_CHECKING:
    from refusal_parity.config.section import Section


def load_config(raw: dict[str, Any], *, where: str) -> StudyConfig:
    """Check a study config and fill in its defaults.

    A study that grows in stages is given at the stage that its results folder says.

    Args:
        raw: the config as read from YAML.
        where: the config file, for error texts.

    Raises:
        InputError: naming the key and the remedy, for the first thing that is wrong.
    """
    try:
        config = StudyConfig.model_validate(raw)
    except ValidationError as error:
        raise readable(error, where) from None
    if config.preference is not None:
        _check_audit(config, where)
        return config
    if not config.models:
        raise InputError(
            "key models is missing",
            where=where,
            remedy="Name at least one model, or give preference; config/README.md says what they "
            "take.",
        )
    config = with_trained(config, where)
    check_prompts(config, where)
    check_factors(config, where)
    check_guards(config, where)
    _check_openings(config, where)
    _check_variants(config, where)
    config = _with_propensity(config, where)
    config = _with_contrasts_of_variants(config)
    _check_contrasts(config, where)
    _check_primary_family(config, where)
    _check_stop_rule(config, where)
    return at_opened_stage(config, where)


_OF_AUDITS: Final = {
    StudyConfig: {"study", "results", "preference", "labelling", "analysis", "report"},
    AnalysisConfig: {"alpha"},
    LabellingConfig: {
        *("method", "gold", "starter", "abstain_below", "seed", "human"),
        *("judge", "judge_max_tokens"),
    },
    HumanConfig: set(HumanConfig.model_fields) - {"mask_names", "leaves", "leaf_labels"},
}
"""Keys that an audit of preference data reads."""


def _check_audit(config: StudyConfig, where: str) -> None:
    """A key that is not read would be taken for one that is."""
    sections: list[tuple[str, Section]] = [
        ("", config),
        ("analysis.", config.analysis),
        ("labelling.", config.labelling),
        ("labelling.human.", config.labelling.human),
    ]
    for prefix, section in sections:
        for key in sorted(section.model_fields_set - _OF_AUDITS[type(section)]):
            raise InputError(
                f"{prefix}{key} stands beside preference, whose audit does not read it",
                where=where,
                remedy="Remove it, or study models in a config of their own.",
            )


def _check_openings(config: StudyConfig, where: str) -> None:
    """Openings are weighed where there is something to weigh, and an engine that can."""
    asked = {
        f"models.{key}.openings": key
        for key, model in config.models.items()
        if model.openings == "weigh"
    }
    for said, key in asked.items():
        engine = engine_of(config.models[key])
        if not config.models[key].weighs:
            raise InputError(
                f"{said} is weigh, and engine {engine.key} does not tell how probable a given "
                "beginning of a response is",
                where=where,
                remedy="Take it out: its responses are drawn as ever."
                + f" Or say models.{key}.server: vllm, where vLLM serves it." * engine.served,
            )
    if config.sampling.openings == "weigh" and not config.weighed:
        raise InputError(
            "sampling.openings is weigh, and no model of this study has an engine that can",
            where=where,
            remedy="Take it out, or run a model in vLLM, or say `server: vllm` of one that it "
            "serves.",
        )
    if config.pilot is not None and (config.pilot == config.study or not config.weighed):
        raise InputError(
            "pilot names this study itself"
            if config.pilot == config.study
            else "pilot names a study to learn openings from, and this one weighs none",
            where=where,
            remedy="Take it out: openings are learnt from the study's own responses."
            if config.weighed
            else "Take it out, or weigh openings (sampling.openings: weigh).",
        )
    if config.labelling.human.leaf_labels and not config.continued:
        raise InputError(
            "labelling.human.leaf_labels names files, and no response of this study is given an "
            "opening",
            where=where,
            remedy="Name labels of ordinary responses in labelling.human.labels.",
        )
    if config.weighed and config.sampling.temperature == 0:
        raise InputError(
            "openings are to be weighed at temperature 0, where each prompt has one response and "
            "no other has a probability",
            where=where,
            remedy="Set sampling.temperature above 0, or take openings: weigh out.",
        )


def _check_variants(config: StudyConfig, where: str) -> None:
    for key, model in config.models.items():
        others = [each for each in config.models if each != key]
        if model.variant_of is not None and model.variant_of not in others:
            raise InputError(
                f"models.{key}.variant_of names {model.variant_of!r}, which is no other model of "
                "this study",
                where=where,
                remedy=f"Name one of: {', '.join(others) or 'none is there'}.",
            )


def _with_contrasts_of_variants(config: StudyConfig) -> StudyConfig:
    """The study, comparing each variant with its base unless it says what is compared."""
    variants = [
        ModelContrast(model=key, baseline=model.variant_of)
        for key, model in config.models.items()
        if model.variant_of is not None
    ]
    if not variants or config.analysis.model_contrasts:
        return config
    analysis = config.analysis.model_copy(update={"model_contrasts": variants})
    return config.model_copy(update={"analysis": analysis})


def _with_propensity(config: StudyConfig, where: str) -> StudyConfig:
    """Propensities and weighed rates are analysed wherever there are any, and can be nowhere else.

    Raises:
        InputError: the config names one of them, and no model's openings are weighed.
    """
    analysis, weighing = config.analysis, (Outcome.PROPENSITY, Outcome.WEIGHED_REFUSAL)
    named = {outcome: "analysis.outcomes" for outcome in weighing if outcome in analysis.outcomes}
    primary = analysis.primary_family.outcome
    if primary in weighing:
        named.setdefault(primary, "analysis.primary_family.outcome")
    if named and not config.weighed:
        outcome, key = next(iter(named.items()))
        raise InputError(
            f"{key} names {outcome}, which is measured of no model of this study",
            where=where,
            remedy=f"Set sampling.openings to weigh, or take {outcome} out.",
        )
    added = [outcome for outcome in weighing if outcome not in analysis.outcomes]
    if not added or not config.weighed:
        return config
    analysis = analysis.model_copy(update={"outcomes": [*analysis.outcomes, *added]})
    return config.model_copy(update={"analysis": analysis})


def _check_contrasts(config: StudyConfig, where: str) -> None:
    analysis = config.analysis
    named = {
        f"analysis.model_contrasts[{at}]": (pair.model, pair.baseline)
        for at, pair in enumerate(analysis.model_contrasts)
    } | {f"analysis.model_series.{key}": tuple(each) for key, each in analysis.model_series.items()}
    for key, models in named.items():
        unknown = [model for model in models if model not in config.models]
        if unknown:
            raise InputError(
                f"{key} names {unknown[0]!r}, which is no model of this study",
                where=where,
                remedy=f"Name some of: {', '.join(config.models)}.",
            )
    for key, (model, baseline) in (
        (f"analysis.model_contrasts[{at}]", (pair.model, pair.baseline))
        for at, pair in enumerate(analysis.model_contrasts)
    ):
        if model == baseline:
            raise InputError(
                f"{key} compares {model!r} with itself",
                where=where,
                remedy="Name two models, or take the pair out.",
            )
    for key, sizes in analysis.model_series.items():
        if len(set(sizes.values())) < 2:  # noqa: PLR2004 - a trend needs two sizes
            raise InputError(
                f"analysis.model_series.{key} has fewer than two sizes",
                where=where,
                remedy="Give each of its models its size, or take the series out.",
            )


def _check_primary_family(config: StudyConfig, where: str) -> None:
    """The study answers for these tests, so they must be among those that are made."""
    analysis, family = config.analysis, config.analysis.primary_family
    said = "" if family.model_fields_set else " unless it is said otherwise"
    if family.dimension not in analysis.dimensions:
        raise InputError(
            f"analysis.primary_family.dimension is {family.dimension!r}{said}, which "
            "analysis.dimensions does not compare",
            where=where,
            remedy="Give primary_family one of the dimensions that are compared "
            f"({', '.join(analysis.dimensions)}), or {family.dimension} a reference in "
            "analysis.dimensions.",
        )
    if family.outcome not in analysis.outcomes:
        raise InputError(
            f"analysis.primary_family.outcome is {str(family.outcome)!r}{said}, which "
            "analysis.outcomes does not have",
            where=where,
            remedy="Give primary_family one of the outcomes that are analysed "
            f"({', '.join(map(str, analysis.readings)) or 'none of them is a rate'}), or add "
            f"{family.outcome} to analysis.outcomes.",
        )


def _check_stop_rule(config: StudyConfig, where: str) -> None:
    """What stages can be drawn of, and what intervals they are measured by."""
    rule, family = config.analysis.stop_when, config.analysis.primary_family
    if rule is None:
        return

    def refuse(what: str, remedy: str) -> InputError:
        return InputError(f"analysis.stop_when {what}", where=where, remedy=remedy)

    if config.prompts.list is not None or config.prompts.from_model is not None:
        raise refuse(
            "grows a study of names and templates, which this one has not",
            "Give prompts.templates and prompts.names, or take stop_when out.",
        )
    imported = [key for key, model in config.models.items() if not engine_of(model).draws]
    if imported:
        raise refuse(
            f"draws in stages, and the responses of {imported[0]!r} are imported: no more can be "
            "drawn of it",
            "Take the model out, or stop_when.",
        )
    if not family.outcome.is_binary:
        raise refuse(
            f"looks at intervals of rates, and the primary outcome is {str(family.outcome)!r}",
            "Give primary_family an outcome that is a reading of the labels, or take stop_when "
            "out.",
        )
    if rule.grow == "samples" and "samples" in config.model_fields_set:
        raise refuse(
            "grows samples, whose number samples says too",
            "Take the key samples out: stop_when.stages has the numbers.",
        )
