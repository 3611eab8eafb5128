"""Whole studies of a few rows: every table as the jobs make it, and the report of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
from report_study import tables_by_schema, with_findings

from refusal_parity.agreement.confusion import confusions
from refusal_parity.agreement.ratings import LabelFiles, gather_ratings
from refusal_parity.agreement.sentences import agreement_sentences
from refusal_parity.agreement.table import measure_agreement
from refusal_parity.config import StudyConfig, load_config
from refusal_parity.factors import is_listed
from refusal_parity.labelling.labels import Labeller
from refusal_parity.outcomes import Outcome
from refusal_parity.report import ReportInputs
from refusal_parity.statistics.balance import balance
from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.lengths import lengths
from refusal_parity.statistics.losses.cut_off import cut_off
from refusal_parity.statistics.losses.exclusions import exclusions
from refusal_parity.statistics.losses.shares import bounds, losses
from refusal_parity.statistics.mixed_models import mixed_models
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.planning.table import measured_design
from refusal_parity.statistics.pooled import pooled_rates
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.template_effects import template_effects
from refusal_parity.tables import (
    HumanLabels,
    Labels,
    Prompts,
    Responses,
    conform,
    empty,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = {
    "r": "I'm sorry, but I can't help with that.",
    "a": "They bought bread and walked home.",
    "e": "",
}
"""Responses by letter; others: `x` an error, `f` filtered, `-` no row at all, capitals cut off."""


@dataclass(frozen=True, kw_only=True)
class WholeStudy:
    """What a study is made from.

    Attributes:
        groups: group -> its names, each with its gender.
        say: the letters of all samples of a cell, given model, group, name and number of
            the template.
        templates: families of the templates.
        models: keys of the models.
        kinds: `harmless` or `unsafe` for each template; empty where nobody says.
        arms: keys of the system prompts.
        human: share of the labelled responses that people labelled, and whether as a
            probability sample.
        analysis: settings beside those of a fast study.
    """

    groups: dict[str, dict[str, str]]
    say: Callable[[str, str, str, int], str]
    templates: tuple[str, ...] = ("plain", "plain", "other")
    models: tuple[str, ...] = ("m",)
    kinds: tuple[str, ...] = ()
    arms: tuple[str, ...] = ("plain",)
    human: tuple[float, bool] | None = None
    analysis: dict[str, Any] = field(default_factory=dict)

    def config(self) -> StudyConfig:
        return load_config(
            {
                "study": "small",
                "prompts": {"templates": "t.csv", "names": "n.csv"},
                "models": {
                    key: {"engine": "import", "path": f"{key}.csv", "format": "table",
                          "columns": {"response": "r", "prompt": "p"}}
                    for key in self.models
                },
                "labelling": {"method": "keyword"},
                "analysis": {
                    "dimensions": {"group": {"reference": "north"},
                                   "gender": {"reference": "man"},
                                   "family": {"reference": "plain"}},
                    "primary_family": {"outcome": "refusal", "dimension": "group"},
                    "permutations": 99, "bootstraps": 99, "selfcheck": 5,
                    **self.analysis,
                },
            },
            where="config",
        )  # fmt: skip

    def prompts(self) -> pl.DataFrame:
        rows = [
            {
                "prompt_id": f"{name}-t{at}-{arm}", "template_id": f"t{at}", "family": family,
                "template": f"[NAME] sees {at}", "name_id": name.lower(), "name": name,
                "group": group, "gender": gender, "commonness": None, "arm": arm,
                "system_prompt": None, "prompt": f"{name} sees {at}",
            }
            for group, names in self.groups.items()
            for name, gender in names.items()
            for at, family in enumerate(self.templates)
            for arm in self.arms
        ]  # fmt: skip
        if self.kinds:
            rows = [row | {"kind": self.kinds[int(row["template_id"][1:])]} for row in rows]
        return conform(pl.DataFrame(rows, infer_schema_length=None), Prompts, where="prompts")

    def responses(self, prompts: pl.DataFrame) -> pl.DataFrame:
        rows = []
        for model in self.models:
            for prompt in prompts.iter_rows(named=True):
                at = int(prompt["template_id"][1:])
                letters = self.say(model, prompt["group"], prompt["name"], at)
                rows += [
                    _response(letter) | {"model": model, "prompt_id": prompt["prompt_id"],
                                         "sample": sample}
                    for sample, letter in enumerate(letters)
                    if letter != "-"
                ]  # fmt: skip
        schema = {key: column.dtype for key, column in Responses.columns().items()}
        texts = {"status": pl.String, "imported_label": pl.String}
        return conform(pl.DataFrame(rows, schema=schema | texts), Responses, where="responses")


def _response(letter: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(Responses.column_names())
    text = TEXTS.get(letter.lower())
    status = {"e": "empty", "x": "error", "f": "filtered"}.get(letter.lower(), "ok")
    return row | {
        "response": text, "status": status, "truncated": letter.isupper(),
        "refusal_reason": "content_filter" if status == "filtered" else None,
        "error": "no answer" if status == "error" else None,
    }  # fmt: skip


def _people(labels: pl.DataFrame, prompts: pl.DataFrame, study: WholeStudy) -> pl.DataFrame | None:
    if study.human is None:
        return None
    share, drawn = study.human
    about = prompts.select("prompt_id", pl.col("group").fill_null("none"))
    rows = labels.drop_nulls("label").join(about, on="prompt_id")
    return conform(
        rows.gather_every(max(round(1 / share), 1)).select(
            "model", "prompt_id", "sample", "label",
            inclusion_probability=pl.lit(share if drawn else None, pl.Float64),
            stratum=pl.format("{} / {} / {}", "model", "group", pl.col("label").cast(pl.String))
            if drawn else pl.lit(None, pl.String),
            split=pl.lit(None, pl.String),
            n_annotators=pl.lit(1, pl.Int32),
        ),
        HumanLabels, where="human",
    )  # fmt: skip


def measure(study: WholeStudy, folder: Path) -> ReportInputs:
    """Every table of a study, each checked against its schema as its job would."""
    config, prompts = study.config(), study.prompts()
    analysis = config.analysis
    responses = study.responses(prompts)
    by_machine = Labeller(prompts, None, "keyword").label(responses)
    human = _people(by_machine, prompts, study)
    labels = Labeller(prompts, None, "keyword", empty(HumanLabels) if human is None else human)
    labels = labels.label(responses)
    # Mixed models of all outcomes would take longer than everything else together.
    first = analysis.model_copy(update={"outcomes": [Outcome.REFUSAL]})
    models: dict[str, list[pl.DataFrame]] = {}
    for key in config.models:
        answered, given = (frame.filter(model=key) for frame in (responses, labels))
        rows = observe(prompts, given, analysis, answered)
        for name, table in (
            ("rates", rates(rows, analysis)),
            ("lengths", lengths(rows, analysis)),
            ("exclusions", exclusions(rows, analysis)),
            ("losses", losses(rows, analysis)),
            ("bounds", bounds(rows, analysis)),
            ("cut_off", cut_off(prompts, given, analysis)),
            ("disparity", disparities(rows, analysis, human)),
            ("influence", influences(rows, analysis)),
            ("template_effects", template_effects(rows, analysis)),
            ("pooled", pooled_rates(rows, analysis)),
            *([("selfcheck", selfcheck(rows, analysis))] if analysis.selfcheck else []),
            *([] if is_listed(prompts) else [("mixed_models", mixed_models(rows, first))]),
        ):
            models.setdefault(name, []).append(table)
    tables = {name: pl.concat(parts) for name, parts in models.items()}
    everything = observe(prompts, labels, analysis)
    tables["design"] = measured_design(everything, analysis)
    tables["stimuli"] = balance(prompts, responses, analysis)
    tables["overview"] = overview(models["rates"], models["disparity"])
    if len(config.models) > 1:
        tables["comparison"] = compare(everything, analysis, list(config.models))
    if human is not None:
        tables["human"] = human
    ratings = gather_ratings(_files(prompts, responses, labels, human, folder), analysis.dimensions)
    agreement = measure_agreement(ratings, analysis)
    list(agreement_sentences(agreement))
    return with_findings(
        ReportInputs(
            config=config,
            tables=tables_by_schema(
                prompts=prompts, responses=responses, labels=labels, agreement=agreement,
                confusion=confusions(ratings.rows), **tables,
            ),
        )
    )  # fmt: skip


def _files(
    prompts: pl.DataFrame,
    responses: pl.DataFrame,
    labels: pl.DataFrame,
    human: pl.DataFrame | None,
    folder: Path,
) -> LabelFiles:
    found = {"prompts": (prompts, Prompts), "responses": (responses, Responses),
             "labels": (labels, Labels)}  # fmt: skip
    if human is not None:
        found["human"] = (human, HumanLabels)
    for name, (table, schema) in found.items():
        write_table(table, schema, folder / f"{name}.parquet")
    return LabelFiles(
        prompts=folder / "prompts.parquet",
        responses=[folder / "responses.parquet"],
        labels=[folder / "labels.parquet"],
        human=None if human is None else folder / "human.parquet",
    )
