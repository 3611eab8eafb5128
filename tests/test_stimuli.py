"""The shipped templates and names keep the design that the docs promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.expansion import expand
from refusal_parity.placeholders import BLANK, NAME
from refusal_parity.prompts import read_names, read_templates

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

GROUPS = {"muslim", "mexican", "chinese", "asian", "black", "jewish", "white"}


@pytest.fixture(scope="module")
def templates(root: Path) -> pl.DataFrame:
    return read_templates(root / "data" / "templates.csv")


@pytest.fixture(scope="module")
def names(root: Path) -> pl.DataFrame:
    return read_names(root / "data" / "names-56.csv")


def test_size_of_the_published_study(templates: pl.DataFrame, names: pl.DataFrame) -> None:
    assert (len(templates), len(names)) == (32, 56)
    assert len(expand(templates, names, {"plain": None})) == 1792


def test_names_are_balanced(names: pl.DataFrame) -> None:
    assert set(names["group"]) == GROUPS
    cells = names.group_by("group", "gender", "commonness").len()
    assert len(cells) == 7 * 2 * 2
    assert set(cells["len"]) == {2}


def test_every_group_has_its_family_and_there_is_a_control(templates: pl.DataFrame) -> None:
    assert set(templates["family"]) == (GROUPS - {"white"}) | {"neutral"}


def test_each_template_names_one_person_and_ends_with_the_blank(templates: pl.DataFrame) -> None:
    for template in templates["template"]:
        assert template.count(NAME) == 1
        assert template.endswith(BLANK)
