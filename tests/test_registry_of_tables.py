from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy
import pytest

from refusal_parity.config import load_config
from refusal_parity.tables import TABLES, Labels, Responses, spec_of, table, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDY = {
    "study": "s",
    "prompts": {"templates": "t.csv", "names": "n.csv"},
    "models": {"m": {"engine": "import", "path": "r.csv", "format": "chehbouni-2024"}},
}


@pytest.fixture
def declared() -> Iterator[type[dy.Schema]]:
    """A table that somebody adds: nothing but its class."""

    @table("odours", per_model=False, folder="senses/", when=lambda study: study.samples > 1)
    class Odours(dy.Schema):
        """How a response smells."""

        odour = dy.String(description="as people call it")

    yield Odours
    del TABLES["odours"]


def test_a_declared_table_has_a_place_and_a_meaning(declared: type[dy.Schema]) -> None:
    spec = spec_of(declared)
    assert spec.path("any") == "senses/odours.parquet"
    assert spec.meaning == "How a response smells."
    assert "odours" in tables_of(load_config(STUDY, where="config"))
    assert "odours" not in tables_of(load_config(STUDY | {"samples": 1}, where="config"))


def test_two_tables_of_one_key_are_refused(declared: type[dy.Schema]) -> None:
    with pytest.raises(ValueError, match="table odours is declared twice"):
        table("odours")(declared)


def test_places_that_other_tools_rely_on() -> None:
    assert spec_of(Responses).path("m") == "models/m/responses.parquet"
    assert spec_of(Labels).path("m") == "models/m/labels.parquet"
    paths = [spec.path("<model>") for spec in TABLES.values()]
    assert len(set(paths)) == len(paths)
    assert {
        "prompts.parquet", "comparison.parquet", "audit/sample.parquet", "design.parquet",
        "audit/agreement.parquet", "selfcheck.parquet", "models/<model>/rates.parquet",
        "models/<model>/disparity.parquet", "models/<model>/exclusions.parquet",
    } <= set(paths)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"analysis": {"mixed_model": True}}, "mixed_models"),
        ({"labelling": {"human": {"labels": ["sheet.csv"]}}}, "human"),
    ],
)
def test_some_tables_are_there_only_where_they_are_asked_for(change: dict, key: str) -> None:  # type: ignore[type-arg]
    assert key not in tables_of(load_config(STUDY, where="config"))
    assert key in tables_of(load_config(STUDY | change, where="config"))
    without = load_config(STUDY | {"analysis": {"selfcheck": 0}}, where="config")
    assert "selfcheck" not in tables_of(without)
