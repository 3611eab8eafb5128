"""The studies that R's numbers are of: those beside this file, and the released one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import polars as pl
from reference_numbers import ReferenceStudy, Row, Tolerances
from reference_released import released_numbers, released_power

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.inference.released_study import read_responses
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.tables import Labels, Prompts, conform

FOLDER: Final = Path(__file__).parent / "reference"
OWN: Final = ("complete", "unbalanced", "rare", "arms", "covariate")
LISTED: Final = "listed"
"""The list of prompts, whose numbers are those of one method."""

_DEFAULTS: Final = {"gender": None, "family": "any", "arm": "plain", "words": 1}
"""Of the columns that a study's file may leave out."""


def numbers_of_r() -> dict[str, Any]:
    """What R wrote."""
    loaded: dict[str, Any] = json.loads((FOLDER / "reference.json").read_text(encoding="utf-8"))
    return loaded


def own_rows(key: str) -> pl.DataFrame:
    """A study's file, a row for each response."""
    return pl.read_csv(FOLDER / f"{key}.csv", schema_overrides={"sample": pl.Int32})


def own_study(key: str) -> ReferenceStudy:
    """One of the studies beside this file."""
    written, rows = numbers_of_r(), own_rows(key)
    numbers = written["studies"][key]
    compared = dict.fromkeys(row["dimension"] for row in numbers["disparities"])
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL, *([Outcome.ANSWER_LENGTH] if "words" in rows.columns else [])],
        dimensions={each: DimensionConfig(reference=str(rows[each].min())) for each in compared},
        permutations=20_000,
        bootstraps=4_000,
        **written["meta"]["settings"],
    )
    return ReferenceStudy(observed(rows, config), config, numbers, Tolerances())


def observed(rows: pl.DataFrame, config: AnalysisConfig) -> pl.DataFrame:
    """Observations from a row for each response."""
    lacking = {key: value for key, value in _DEFAULTS.items() if key not in rows.columns}
    whole = rows.with_columns(
        *(pl.lit(value).alias(key) for key, value in lacking.items())
    ).with_columns(
        pl.concat_str("arm", "name", "template", separator="|").alias("prompt_id"),
        model=pl.lit("m"),
        name_id="name",
        template_id="template",
        commonness=pl.lit(None, pl.String),
        system_prompt=pl.lit(None, pl.String),
        prompt="name",
        exclusion=pl.when(pl.col("label").is_null()).then(pl.lit("empty")),
        response=pl.lit("word ").repeat_by("words").list.join(""),
    )
    prompts = whole.unique("prompt_id", maintain_order=True)
    return observe(
        conform(prompts.select(Prompts.column_names()), Prompts, where="prompts"),
        labels_table(whole.select("model", "prompt_id", "sample", "label", "exclusion")),
        config,
        whole,
    )


def labels_table(rows: pl.DataFrame) -> pl.DataFrame:
    """A table of Labels from model, prompt_id, sample, label and perhaps exclusion."""
    if "exclusion" not in rows.columns:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias("exclusion"))
    flags = {"truncated", "filtered"} - set(rows.columns)
    rows = rows.with_columns(pl.lit(value=False).alias(flag) for flag in sorted(flags))
    rest = [name for name in Labels.column_names() if name not in rows.columns]
    columns = Labels.columns()
    empty = [pl.lit(None, dtype=columns[name].dtype).alias(name) for name in rest]
    return conform(rows.with_columns(empty), Labels, where="labels")


def released_study(responses: Path, numbers: Path) -> ReferenceStudy:
    """The released 7B study, under the keys of the numbers.

    Args:
        responses: the human-labelled responses.
        numbers: what R says of them, which was written before `reference.R`.
    """
    written = json.loads(numbers.read_text(encoding="utf-8"))
    study = read_responses(responses, layout="chehbouni-2024", model="llama7")
    keyed = study.prompts.with_columns(
        template_id="template",
        name_id="name",
        gender=pl.col("gender").replace({"man": "men", "woman": "women"}),
        commonness=pl.col("commonness").replace({"less common": "least"}),
    )
    labels = study.responses.select("model", "prompt_id", "sample", label="imported_label")
    references = {"group": "white", "gender": "men", "commonness": "common", "family": "women"}
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={key: DimensionConfig(reference=level) for key, level in references.items()},
    )
    given = written["meta"]["tolerances"]
    tolerances = Tolerances(
        closed_form=given["logit_se_rel"],
        iterated=given["logit_se_rel"],
        mixed=given["glmm_crossed_se_rel"],
        permutation=given["permutation_p_abs"],
        bootstrap=0.1,
    )
    return ReferenceStudy(
        observe(keyed, labels_table(labels), config),
        config,
        released_numbers(written["llama7"], exact=given["closed_form"]),
        tolerances,
        is_own=False,
    )


def power_of_released(numbers: Path) -> list[Row]:
    """What R says of the power of studies with the released one's components of variance."""
    written = json.loads(numbers.read_text(encoding="utf-8"))
    return list(released_power(written["llama7"]["item8"]))
