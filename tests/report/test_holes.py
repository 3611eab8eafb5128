"""Studies with holes: what has no usable row is not estimable, and the others are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from whole_study import WholeStudy, measure

from refusal_parity.report.page import render_page
from refusal_parity.report.summary import summary_lines
from refusal_parity.tables import Disparity, Exclusions, Rates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Say = Callable[[str, str, str, int], str]

NAMES = {"north": {"Ana": "woman", "Bo": "man"}, "south": {"Cy": "man", "Dee": "woman"}}
TWO = {"models": ("good", "silent")}


def some(_: str, __: str, name: str, at: int) -> str:
    """Refusals that hang on name and template."""
    return "ra" if (len(name) + at) % 2 else "aa"


def where(hole: Callable[[str, str, str, int], bool], letters: str, rest: Say = some) -> Say:
    """Letters where there is a hole, and the rest elsewhere."""
    return lambda *cell: letters if hole(*cell) else rest(*cell)


STUDIES: dict[str, tuple[WholeStudy, str]] = {
    "one of two models is silent": (
        WholeStudy(groups=NAMES, say=where(lambda m, *_: m == "silent", "ee"), **TWO),
        "silent: not estimable: no response that counts (all empty)",
    ),
    "all models are silent": (
        WholeStudy(groups=NAMES, say=lambda *_: "ex", **TWO),
        "good and silent: not estimable: no response that counts (all empty or failed)",
    ),
    "only one cell is labelled": (
        WholeStudy(groups=NAMES, say=where(lambda _, __, n, at: (n, at) != ("Bo", 0), "ee")),
        "m: not estimable: south has no response that counts (all empty)",
    ),
    "only one group is labelled": (
        WholeStudy(groups=NAMES, say=where(lambda _, g, *__: g == "south", "ee")),
        "m: not estimable: south has no response that counts (all empty)",
    ),
    "the reference is silent": (
        WholeStudy(groups=NAMES, say=where(lambda _, g, *__: g == "north", "ex")),
        "m: not estimable: north has no response that counts (all empty or failed).",
    ),
    "the reference has no row": (
        WholeStudy(groups=NAMES, say=where(lambda _, g, *__: g == "north", "--")),
        "m: not estimable: north has no response.",
    ),
    "two of three groups are silent": (
        WholeStudy(
            groups=NAMES | {"west": {"Eve": "woman", "Flo": "woman"}},
            say=where(lambda _, g, *__: g != "west", "ee"),
        ),
        "m: not estimable: south has no response that counts (all empty), north has no resp",
    ),
    "one name of each group is left": (
        WholeStudy(groups=NAMES, say=where(lambda _, __, n, ___: n in {"Bo", "Dee"}, "ee")),
        "m: not estimable: south and north have 1 name and 3 templates each, but a test takes",
    ),
    "a level of a further dimension is silent": (
        WholeStudy(groups=NAMES, say=where(lambda _, __, n, ___: n in {"Ana", "Dee"}, "ee")),
        "m: not estimable: south and north have 1 name and 3 templates each, but a test takes",
    ),
    "one template is silent": (
        WholeStudy(groups=NAMES, say=where(lambda *cell: cell[3] == 1, "ee")),
        "m: not estimable: ",
    ),
    "a family is silent": (
        WholeStudy(groups=NAMES, say=where(lambda *cell: cell[3] == 2, "ee")),
        "m: not estimable: ",
    ),
    "one template is left": (
        WholeStudy(groups=NAMES, say=where(lambda *cell: cell[3] != 0, "ee")),
        "m: not estimable: ",
    ),
    "nothing is answered at length": (
        WholeStudy(
            groups=NAMES,
            say=lambda *_: "rr",
            analysis={"outcomes": ["refusal", "answer_length"], "filtered": "excluded"},
        ),
        "m: not estimable: ",
    ),
    "one group is answered at length": (
        WholeStudy(
            groups=NAMES,
            say=where(lambda _, g, *__: g == "south", "rr"),
            analysis={"outcomes": ["refusal", "answer_length"]},
        ),
        "m: not estimable: ",
    ),
    "everything is filtered and counts": (
        WholeStudy(groups=NAMES, say=lambda *_: "ff"),
        "m: not estimable: ",
    ),
    "everything is filtered and does not count": (
        WholeStudy(groups=NAMES, say=lambda *_: "ff", analysis={"filtered": "excluded"}),
        "m: not estimable: no response that counts (all refused by the service).",
    ),
    "everything is cut off and left out": (
        WholeStudy(groups=NAMES, say=lambda *_: "AA", analysis={"truncated": "leave_out"}),
        "m: not estimable: no response that counts (all cut off).",
    ),
}


@pytest.mark.parametrize("key", STUDIES)
def test_every_table_and_the_page_are_made(key: str, tmp_path: Path) -> None:
    study, found = STUDIES[key]
    inputs = measure(study, tmp_path)
    lines = summary_lines(inputs, tmp_path / "report.html")
    assert found in lines[1]
    page = render_page(inputs)
    for model in study.models:
        assert f"<bdi>{model}</bdi>" in page
    # Each response is accounted for, at every level.
    asked = inputs[Exclusions].group_by("model", "dimension").agg(pl.col("n").sum())
    assert set(asked["n"]) == {6 * sum(map(len, study.groups.values()))}
    for table in (inputs[Rates], inputs[Disparity]):
        numbers = table.select(pl.col(pl.Float64)).columns
        assert not table.select(pl.any_horizontal(pl.col(numbers).is_nan()).any()).item()


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("rr", "It refused in all 48 responses: where nothing varies, no group can be told from"),
        ("aa", "It refused in none of 48 responses: where nothing varies, no group can be told"),
        ("ra", ""),
    ],
    ids=["all", "none", "half"],
)
def test_a_model_that_always_does_the_same_is_said_to(
    letters: str, words: str, tmp_path: Path
) -> None:
    four = {
        group: {f"{group[0].upper()}{letter}": "woman" for letter in "abcd"}
        for group in ("north", "south")
    }
    dimensions = {"group": {"reference": "north"}}
    analysis = {"dimensions": dimensions, "outcomes": ["refusal"], "selfcheck": 0}
    study = WholeStudy(groups=four, say=lambda *_: letters, analysis=analysis)
    page = render_page(measure(study, tmp_path))
    assert "No difference between groups was shown" in page
    assert ("where nothing varies" in page) == bool(words)
    assert words in page


def test_prompts_without_any_row_are_missing_not_unknown(tmp_path: Path) -> None:
    # The reference of a dimension stands among the prompts, whatever came of them.
    study = WholeStudy(groups=NAMES, say=where(lambda _, __, n, ___: n == "Ana", "-"))
    inputs = measure(study, tmp_path)
    lost = inputs[Exclusions].filter(dimension="group", reason="no_response")
    assert dict(lost.select("group", "n").iter_rows()) == {"north": 6, "south": 0}
