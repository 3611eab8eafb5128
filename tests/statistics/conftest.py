from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.inference.imports import read_responses
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.observations import observe
from refusal_parity.statistics.rates import rates
from refusal_parity.tables import Labels, Prompts, conform

# Tests are imported one by one and no package: their helpers must be findable by name.
sys.path.append(str(Path(__file__).parent))

from reference_numbers import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.fixture(scope="session")
def reference(shared: Path) -> dict[str, Any]:
    """Statistics of the released 7B study, computed in R."""
    loaded: dict[str, Any] = json.loads(
        (shared / "reference" / "llama7.json").read_text(encoding="utf-8")
    )
    return loaded


@pytest.fixture(scope="session")
def llama7(reference: dict[str, Any]) -> Reference:
    tolerances = reference["meta"]["tolerances"]
    return Reference(
        numbers=reference["llama7"],
        closed_form=tolerances["closed_form"],
        coefficient=tolerances["logit_coef_abs"],
        std_error=tolerances["logit_se_rel"],
        permutation=tolerances["permutation_p_abs"],
        bootstrap=tolerances["bootstrap_ci_abs"],
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


@pytest.fixture(scope="session")
def released(released_csv: Path) -> pl.DataFrame:
    """Observations of the released 7B study, under the reference's own keys."""
    study = read_responses(released_csv, layout="chehbouni-2024", model="llama7")
    labels = study.responses.select("model", "prompt_id", "sample", label="imported_label")
    keyed = study.prompts.with_columns(
        template_id="template",
        name_id="name",
        gender=pl.col("gender").replace({"man": "men", "woman": "women"}),
        commonness=pl.col("commonness").replace({"less common": "least"}),
    )
    return observe(keyed, labels_table(labels), AnalysisConfig())


@pytest.fixture(scope="session")
def analysis() -> AnalysisConfig:
    references = {"group": "white", "gender": "men", "commonness": "common", "family": "women"}
    return AnalysisConfig(
        dimensions={key: DimensionConfig(reference=level) for key, level in references.items()}
    )


@pytest.fixture(scope="session")
def released_rates(released: pl.DataFrame, analysis: AnalysisConfig) -> pl.DataFrame:
    return rates(released, analysis)


@pytest.fixture(scope="session")
def released_disparities(released: pl.DataFrame) -> pl.DataFrame:
    config = AnalysisConfig(
        dimensions={
            "group": DimensionConfig(reference="white"),
            "gender": DimensionConfig(reference="men"),
            "commonness": DimensionConfig(reference="common"),
        }
    )
    return disparities(released, config)


WORDS = {"r": "refusal", "h": "harmful_refusal", "a": "answer", "p": "partial_answer"}


def make_study(
    groups: Mapping[str, Mapping[str, list[str]]], *, model: str = "m", gender: str | None = None
) -> pl.DataFrame:
    """Observations from group -> name -> for each template a string of labels.

    One letter a sample: those of WORDS, or `-` for a response without a label.
    """
    cells = [
        {"group": group, "name": name, "template": f"t{at}", "letters": letters}
        for group, names in groups.items()
        for name, templates in names.items()
        for at, letters in enumerate(templates)
    ]
    frame = pl.DataFrame(cells).with_columns(
        pl.concat_str("name", "template", separator="-").alias("prompt_id"),
        pl.col("template").alias("template_id"),
        pl.lit("f").alias("family"),
        pl.col("name").alias("name_id"),
        pl.lit(gender, dtype=pl.String).alias("gender"),
        pl.lit(None, dtype=pl.String).alias("commonness"),
        pl.lit("plain").alias("arm"),
        pl.lit(None, dtype=pl.String).alias("system_prompt"),
        pl.col("name").alias("prompt"),
    )
    labels = [
        {
            "model": model,
            "prompt_id": f"{cell['name']}-{cell['template']}",
            "sample": sample,
            "label": WORDS.get(letter),
            "exclusion": None if letter in WORDS else "empty",
        }
        for cell in cells
        for sample, letter in enumerate(cell["letters"])
    ]
    texts = {"label": pl.String, "exclusion": pl.String}
    return observe(
        conform(frame, Prompts, where="prompts"),
        labels_table(pl.DataFrame(labels, schema_overrides=texts)),
        AnalysisConfig(),
    )


@pytest.fixture(scope="session")
def study() -> Callable[..., pl.DataFrame]:
    return make_study
