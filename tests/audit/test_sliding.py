"""Labels that slid along their column are found, and nothing else is."""

from __future__ import annotations

import math
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


@pytest.mark.parametrize("by", [1, -1, 2, -2])
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


@pytest.mark.parametrize(("rows", "blocks"), [(9, 0), (10, 1), (11, 1)])
def test_blocks_have_ten_rows_at_least(rows: int, blocks: int) -> None:
    """Each row of this sheet says as much as a row can: ten of them exceed what chance gives."""
    sheet = [Line(at + 2, LABELS[at % 4], LABELS[at % 4]) for at in range(60)]
    assert len(slid_blocks(_slide(sheet, 20, 20 + rows, 1))) == blocks


@pytest.mark.parametrize(("rare", "found"), [((200, 210), False), ((200, 206, 212), True)])
def test_a_block_of_a_few_rare_labels_by_hand(rare: tuple[int, ...], *, found: bool) -> None:
    """Of 400 answers a few are refusals, which stand a row too low.

    The label fits the row above wholly, and its own no better than chance: a label is taken to
    be the machine's in 0.9. So a refusal tells 3 (no row tells more), and the answer beside the
    machine's refusal log(1 + 9 / 0.995) = 2.3; log(400 * 4 / 0.001) = 14.3 are wanted.
    """
    sheet = [
        Line(
            at + 2,
            "refusal" if at in rare else "answer",
            "refusal" if at - 1 in rare else "answer",
        )
        for at in range(400)
    ]
    told = len(rare) * (3 + math.log(1 + 9 / (1 - len(rare) / 400)))
    assert (told > math.log(400 * 4 / 0.001)) is found
    if not found:
        assert slid_blocks(sheet) == []
        return
    first, last = rare[0], rare[-1] + 1
    rows = last - first + 1
    [block] = slid_blocks(sheet)
    assert (block.first, block.last, block.shift) == (first + 2, last + 2, -1)
    assert block.fits_there == 1
    assert block.fits_here == pytest.approx(1 - 2 * len(rare) / rows)


def test_what_a_thousand_sheets_would_have_by_chance_is_no_block() -> None:
    """Two of the answers above: 3 x 3 + 2 x 2.3 = 13.6, and 14.3 are wanted."""
    rare = (200, 206, 212)
    sheet = [
        Line(
            at + 2,
            "refusal" if at in rare else "answer",
            None if at == 212 else "refusal" if at - 1 in rare else "answer",
        )
        for at in range(400)
    ]
    assert slid_blocks(sheet) == []


def test_blocks_side_by_side_stand_in_the_order_of_their_rows() -> None:
    sheet = [Line(at + 2, LABELS[at % 4], LABELS[at % 4]) for at in range(400)]
    for start, end, by in ((1, 41, 1), (41, 161, 2), (161, 201, 1)):
        sheet = [
            *sheet[:start],
            *(Line(at + 2, LABELS[at % 4], LABELS[(at - by) % 4]) for at in range(start, end)),
            *sheet[end:],
        ]
    # Where four labels take turns, two rows below is two above.
    found = [(each.first, each.last, abs(each.shift)) for each in slid_blocks(sheet)]
    assert found == [(3, 42, 1), (43, 162, 2), (163, 202, 1)]


def test_rows_of_no_sample_tell_nothing() -> None:
    sheet = [
        Line(
            at + 2,
            None if at % 2 else LABELS[at % 8 // 2],
            LABELS[(at - at % 2) % 8 // 2],
        )
        for at in range(200)
    ]
    assert slid_blocks(sheet) == []


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
