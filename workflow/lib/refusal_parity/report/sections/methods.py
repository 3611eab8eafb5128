"""How the study was done, in the words of a paper's methods section, from config and tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.config import engine_of
from refusal_parity.counting import counted
from refusal_parity.factors import SET, is_listed
from refusal_parity.inference.answer_days import answer_days
from refusal_parity.report.across_models import across_models
from refusal_parity.report.left_out import set_apart
from refusal_parity.report.odds import analyses_propensity, odds_margins
from refusal_parity.report.sections.section import Section
from refusal_parity.report.shown_labels import shown_labels
from refusal_parity.report.summary import exclusion_totals
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.randomisation import PERMUTATION_NAMES_F
from refusal_parity.tables import Disparity, Openings, Prompts, Responses
from refusal_parity.text import count, isolated, plain, question
from refusal_parity.vocabulary import Correction, Exclusion, LabelSource

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_SOURCES: Final = {
    LabelSource.HUMAN: "people",
    LabelSource.IMPORTED: "imported files",
    LabelSource.CLASSIFIER: "the classifier",
    LabelSource.KEYWORD: "the keyword list",
}
_CORRECTIONS: Final = {
    Correction.MAX_T: "corrected by the largest distance of simulated studies without a difference",
    Correction.HOLM: "corrected by Holm\u2019s method",
    Correction.BENJAMINI_HOCHBERG: "corrected by Benjamini and Hochberg\u2019s method",
}
_WORDS: Final = 1000
"""Characters of a template's own words that the page shows."""


def _context(inputs: ReportInputs) -> dict[str, Any]:
    prompts, config = inputs[Prompts], inputs.config
    used, valid = (
        set(rows["method"].cast(str).unique().to_list())
        for rows in (inputs[Disparity], inputs[Disparity].filter("valid"))
    )
    return {
        "n": {
            "templates": count(prompts["template_id"].n_unique()),
            "names": count(prompts["name_id"].n_unique()),
            "groups": count(prompts["group"].n_unique()),
            "prompts": count(len(prompts)),
        },
        "sets": SET in prompts.columns,
        "arms": inputs.pooled_arms,
        "samples": config.samples,
        "sampling": config.sampling,
        "most_tokens": _most_tokens(inputs),
        "own_system_prompts": own_system_prompts(inputs),
        "set_apart": set_apart(inputs),
        "answering_days": answering_days(inputs),
        "drawn": any(engine_of(model).draws for model in config.models.values()),
        "imported": not all(engine_of(model).draws for model in config.models.values()),
        "method": config.labelling.method,
        "sources": label_sources(inputs),
        "analysis": config.analysis,
        "odds": _odds(inputs),
        "filtered": exclusion_totals(inputs).get(Exclusion.FILTERED, 0) > 0,
        "confidence": inputs.confidence,
        "primary": _primary(inputs),
        "crossed": len(prompts)
        == prompts["template_id"].n_unique() * prompts["name_id"].n_unique() * inputs.arms,
        "open": _open(prompts),
        "permuted": _permuted(inputs),
        "within_templates": inputs.within_templates,
        "valid": [method.heading for method in METHODS.values() if method in valid],
        "references": sorted(
            {method.citation for method in METHODS.values() if method.citation and method in used}
        ),
    }


def _odds(inputs: ReportInputs) -> dict[str, Any] | None:
    """How propensities were measured and compared; None where they were not."""
    if not analyses_propensity(inputs):
        return None
    trees = inputs[Openings].filter(pl.col("fold") == 0)
    counts = trees.group_by("model", maintain_order=True).len().iter_rows()
    return {
        "margins": odds_margins(inputs),
        "trees": ", ".join(f"{count(leaves)} of {plain(model)}" for model, leaves in counts),
    }


def _most_tokens(inputs: ReportInputs) -> str:
    """Longest response in tokens, or the range of it where models differ."""
    found = {
        inputs.provenance.get(key, {}).get("sampling", {}).get("max_tokens")
        or inputs.config.sampling.most_tokens(model)
        for key, model in inputs.config.models.items()
        if engine_of(model).draws
    }
    if not found:
        return ""
    least, most = min(found), max(found)
    return count(most) if least == most else f"{count(least)} or, for some models, {count(most)}"


def own_system_prompts(inputs: ReportInputs) -> list[str]:
    """A sentence for each text that chat templates put in where no system prompt is given."""
    prompts = inputs[Prompts].filter(pl.col("system_prompt").is_null())
    arms = ", ".join(map(plain, prompts["arm"].unique(maintain_order=True)))
    models: dict[str, list[str]] = {}
    for model in inputs.models:
        if words := inputs.provenance.get(model, {}).get("own_system_prompt"):
            models.setdefault(str(words), []).append(plain(model))
    return [
        f"Where no system prompt is given ({arms}), the chat template of {', '.join(keys)} puts in "
        f"its own: \u201c{plain(words[:_WORDS])}\u201d."
        for words, keys in models.items()
        if arms
    ]


def answering_days(inputs: ReportInputs) -> list[str]:
    """For each model behind a server, a sentence on what was answered when, and by what."""
    found = []
    for model in inputs.models:
        days = answer_days(
            inputs.scan(Responses, model)
            .select("answered_at", "answered_by", "fingerprint")
            .collect()
        )
        told = "; ".join(f"on {day}: {plain(words)}" for day, words in days.items())
        if told:
            found.append(f"The server of {isolated(model)} answered (days in UTC) {told}.")
    return found


def _primary(inputs: ReportInputs) -> dict[str, Any] | None:
    """The primary family, and what decided its differences; None where it was not analysed."""
    outcome, dimension = inputs.questions[0], inputs.dimension
    if not inputs.is_primary(outcome, dimension):
        return None
    tested = [
        found
        for model in inputs.models
        for found in inputs.contrasts(model, outcome, dimension)
        if found.p_adjusted is not None and found.method is not None
    ]
    deciding = Counter(found.method for found in tested if found.method is not None)
    return {
        "name": question(outcome, dimension),
        "across_models": across_models(inputs),
        "corrections": [
            _CORRECTIONS[correction]
            for correction in Correction
            if any(found.correction is correction for found in tested)
        ],
        "methods": [
            f"{method.heading} ({counted(number, 'difference')})"
            for method, number in deciding.items()
        ],
    }


def _open(prompts: pl.DataFrame) -> str:
    """How many templates, or listed prompts, leave something to be filled in by the model."""
    kind = "prompt" if is_listed(prompts) else "template"
    texts = prompts.unique("template_id")["template"]
    left_open = int(texts.str.contains("[BLANK]", literal=True).sum())
    if not left_open:
        return ""
    if left_open == len(texts):
        return f"Every {kind} leaves a [BLANK] for the model to fill."
    leave = "leaves" if left_open == 1 else "leave"
    return f"{count(left_open)} of the {kind}s {leave} a [BLANK] for the model to fill."


def _permuted(inputs: ReportInputs) -> bool:
    """Whether names were permuted over the levels of the primary dimension."""
    return not (
        inputs[Disparity]
        .filter(
            pl.col("dimension") == inputs.dimension,
            pl.col("method").cast(pl.String) == PERMUTATION_NAMES_F,
        )
        .drop_nulls("p_value")
        .is_empty()
    )


def label_sources(inputs: ReportInputs) -> list[str]:
    """How many responses got their label from whom: `10,752 by the classifier`."""
    counts = (
        shown_labels(inputs)
        .filter(pl.col("label").is_not_null())
        .select(pl.col("label_source").cast(pl.String))
        .collect()
        .group_by("label_source", maintain_order=True)
        .len()
    )
    return [
        f"{count(number)} by {_SOURCES.get(LabelSource(source), plain(source))}"
        for source, number in counts.iter_rows()
        if source is not None
    ]


SECTION: Final = Section(key="methods", entry="Methods", heading="Methods", context=_context)
