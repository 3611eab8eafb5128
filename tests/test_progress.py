"""Where a study stands that grows in stages, in words and by its rule."""

from __future__ import annotations

from typing import Literal

import polars as pl
import pytest

from refusal_parity.config.stopping import StopRule
from refusal_parity.progress import progress_of, widest

Grow = Literal["templates", "names", "samples"]


def rule(grow: Grow = "templates") -> StopRule:
    return StopRule(half_width=0.1, grow=grow, stages=[1, 20, 30])


def precision(*rows: tuple[str, int, int, float | None]) -> pl.DataFrame:
    """Rows of model, stage, size and half-width."""
    frame = pl.DataFrame(rows, schema=["model", "stage", "size", "half_width"], orient="row")
    enough = (pl.col("half_width") <= 0.1).fill_null(value=False)
    return frame.with_columns(enough=enough)


TWO_MODELS = (
    ("m", 2, 20, 0.1), ("m", 2, 20, 0.04), ("n", 2, 20, 0.2), ("n", 2, 20, 0.3),
    ("m", 1, 1, 0.1), ("m", 1, 1, 0.05), ("n", 1, 1, 0.1), ("n", 1, 1, 0.02),
)  # fmt: skip


def test_a_stage_has_the_widest_interval_of_each_model() -> None:
    found = progress_of(precision(*TWO_MODELS), rule())
    assert [(each.number, each.size) for each in found.stages] == [(1, 1), (2, 20)]
    assert [dict(each.half_widths) for each in found.stages] == [
        {"m": 0.1, "n": 0.1}, {"m": 0.1, "n": 0.3},
    ]  # fmt: skip
    assert [each.enough for each in found.stages] == [True, False]
    assert [each.number for each in found.passed] == [1]
    assert found.present.number == 2
    assert found.standing() == (
        "at stage 2 of 3 (20 templates) intervals are still wider than ±10.0 points "
        "(n ±30.0 points): stage 3 is due (30 templates)"
    )


@pytest.mark.parametrize(
    ("rows", "due", "said"),
    [
        (
            [("m", 1, 1, 0.1)], False,
            ("stopped at stage 1 of 3 (1 template): no interval is wider than ±10.0 points, which "
            "was asked for"),
        ),
        (
            [("m", 1, 1, None), ("m", 1, 1, 0.01)], True,
            ("at stage 1 of 3 (1 template) intervals are still not known (m with a "
            "difference that is not known): stage 2 is due (20 templates)"),
        ),
        (
            [("m", 1, 1, None), ("n", 1, 1, 0.2)], True,
            ("at stage 1 of 3 (1 template) intervals are still wider than ±10.0 points or not "
            "known (m with a difference that is not known, n ±20.0 points): stage 2 is due (20 "
            "templates)"),
        ),
        (
            [("m", 3, 30, None)], False,
            ("ended at stage 3 of 3 (30 templates), the last, with intervals not known (m with a "
            "difference that is not known)"),
        ),
        (
            [("m", 3, 30, 0.11)], False,
            ("ended at stage 3 of 3 (30 templates), the last, with intervals wider than ±10.0 "
            "points (m ±11.0 points)"),
        ),
    ],
    ids=["narrow", "unknown", "unknown and wide", "unknown at last", "last"],
)  # fmt: skip
def test_a_study_goes_on_until_it_knows_enough(
    rows: list[tuple[str, int, int, float | None]], said: str, *, due: bool
) -> None:
    found = progress_of(precision(*rows), rule())
    assert (found.is_due, found.standing()) == (due, said)


def test_the_present_stage_is_none_that_was_passed() -> None:
    found = progress_of(precision(("m", 1, 1, 0.09), ("m", 2, 20, 0.08)), rule())
    assert [each.number for each in found.passed] == [1]
    assert not found.is_due


@pytest.mark.parametrize(
    ("grow", "words"),
    [
        ("templates", ["1 template", "20 templates"]),
        ("names", ["1 name of each level", "20 names of each level"]),
        ("samples", ["1 sample", "20 samples"]),
    ],
)
def test_sizes_in_words(grow: Grow, words: list[str]) -> None:
    found = progress_of(precision(*TWO_MODELS), rule(grow))
    assert [found.sized(number) for number in (1, 2)] == words


def test_half_widths_in_words() -> None:
    assert widest(0.0634) == "±6.3 points"
    assert widest(None) == "with a difference that is not known"
