"""Labels that slid along their column are found, and nothing else is."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from refusal_parity.audit.sliding import Line, slid_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = ("answer", "refusal", "failure", "harmful_refusal")


def _sheet(
    seed: int, *, rows: int = 300, weights: Sequence[int] = (60, 25, 10, 5), accuracy: float = 0.8
) -> list[Line]:
    """A sheet in random order, labelled by somebody who mostly agrees with the machine."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    predicted = chance.choices(LABELS, weights, k=rows)
    labels = [
        label if chance.random() < accuracy else chance.choices(LABELS, weights)[0]
        for label in predicted
    ]
    return [Line(at + 2, *pair) for at, pair in enumerate(zip(predicted, labels, strict=True))]


def _slide(lines: list[Line], start: int, end: int, by: int) -> list[Line]:
    """The sheet after a cell was put in or taken out at `start`, and the reverse at `end`."""
    return [
        Line(line.row, line.predicted, lines[at - by].label)
        if start <= at < end and 0 <= at - by < len(lines)
        else line
        for at, line in enumerate(lines)
    ]


@pytest.mark.parametrize("by", [1, -1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_rows_that_slid(seed: int, by: int) -> None:
    lines = _slide(_sheet(seed), 120, 220, by)
    (block,) = slid_blocks(lines)
    assert block.shift == -by
    assert abs(block.first - 122) <= 8
    assert abs(block.last - 221) <= 8
    assert block.fits_there > 0.7 > block.fits_here


@pytest.mark.parametrize("by", [1, -1])
def test_where_no_two_neighbours_are_alike_the_block_is_exact(by: int) -> None:
    sheet = [Line(at + 2, LABELS[at % 4], LABELS[at % 4]) for at in range(60)]
    (block,) = slid_blocks(_slide(sheet, 20, 40, by))
    assert (block.first, block.last, block.shift) == (22, 41, -by)
    assert (block.fits_there, block.fits_here) == (1.0, 0.0)


def test_a_whole_sheet_and_two_blocks() -> None:
    (whole,) = slid_blocks(_slide(_sheet(1), 0, 300, 1))
    assert whole.last - whole.first > 280
    twice = slid_blocks(_slide(_slide(_sheet(2), 20, 100, 1), 200, 280, -1))
    assert [block.shift for block in twice] == [-1, 1]


@pytest.mark.parametrize("accuracy", [1.0, 0.8, 0.4, 0.0])
@pytest.mark.parametrize("weights", [(60, 25, 10, 5), (97, 1, 1, 1), (1, 1, 1, 1)])
def test_no_false_alarm(accuracy: float, weights: tuple[int, ...]) -> None:
    for seed in range(40):
        assert slid_blocks(_sheet(seed, weights=weights, accuracy=accuracy)) == []


def test_rows_without_a_label_or_of_no_sample() -> None:
    assert slid_blocks([]) == []
    assert slid_blocks([Line(row, None, None) for row in range(50)]) == []
    assert slid_blocks([Line(row, "answer", None) for row in range(50)]) == []
