from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.tables import Prompts, conform

# Tests are imported one by one and no package: their helpers must be findable by name.
sys.path.append(str(Path(__file__).parent))

from reference_studies import (
    OWN,
    labels_table,
    numbers_of_r,
    own_study,
    power_of_released,
    released_study,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_numbers import ReferenceStudy, Row


@pytest.fixture(scope="session", params=[*OWN, "released"])
def reference_study(request: pytest.FixtureRequest) -> ReferenceStudy:
    """Each study that R has numbers of; the released one only where it is at hand."""
    if request.param != "released":
        return own_study(request.param)
    numbers: Path = request.getfixturevalue("shared") / "reference" / "llama7.json"
    return released_study(request.getfixturevalue("released_csv"), numbers)


@pytest.fixture(scope="session", params=["own", "released"])
def power_of_r(request: pytest.FixtureRequest) -> list[Row]:
    """Power and detectable differences that R gives for studies of several sizes."""
    if request.param == "own":
        return numbers_of_r()["power"]
    return power_of_released(request.getfixturevalue("shared") / "reference" / "llama7.json")


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
