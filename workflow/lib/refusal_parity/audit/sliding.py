"""Columns of labels that slid by a row or two over a part of a sheet.

Whoever deletes one cell of a column moves all below it. Each label is then that of a
neighbour, which no key and no text shows; but it fits the neighbour's label of the
machine. Rows stand in random order, so by chance this does not happen over a block.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_SHIFTS: Final = (-1, 1, -2, 2)
_FALSE_ALARM: Final = 1e-3
"""How often a sheet in which nothing slid is found to have, at most."""

_FEWEST: Final = 10
_MOST_OF_A_ROW: Final = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a sheet.

    Attributes:
        row: where it stands in the file.
        predicted: label of the machine, null if the row is none of the sample.
        label: what a person wrote, null for no label.
    """

    row: int
    predicted: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """Rows whose labels are those of their neighbours.

    Attributes:
        first: row of the first.
        last: row of the last.
        shift: how many rows below its place each label belongs; negative for above.
        fits_there: share that agree with the machine's label there.
        fits_here: share that agree with that of their own row.
    """

    first: int
    last: int
    shift: int
    fits_there: float
    fits_here: float


def slid_blocks(lines: Sequence[Line]) -> list[Block]:
    """Blocks of a sheet whose labels slid.

    For each shift, every row speaks for or against it with the logarithm of how many
    times likelier its label is given the label of the machine at the shifted place than at
    its own; the model is that a label is the machine's with a probability estimated
    from the sheet, and else drawn from the sheet's labels. The block with the greatest sum
    counts where chance would give one so great in a sheet of a thousand.

    Args:
        lines: the rows in the order of the file.
    """
    threshold = math.log(max(len(lines), 1) * len(_SHIFTS) / _FALSE_ALARM)
    taken = np.zeros(len(lines), dtype=bool)
    blocks: list[Block] = []
    while True:
        found = [
            (total, start, end, shift)
            for shift in _SHIFTS
            for total, start, end in [_greatest(np.where(taken, -np.inf, _evidence(lines, shift)))]
            if total > threshold and end - start >= _FEWEST
        ]
        if not found:
            return sorted(blocks, key=lambda block: block.first)
        _, start, end, shift = max(found, key=lambda one: one[0])
        taken[start:end] = True
        blocks.append(_block(lines, start, end, shift))


def _evidence(lines: Sequence[Line], shift: int) -> npt.NDArray[np.float64]:
    """For each row, how much its label speaks for the shift."""
    labels = [line.label for line in lines if line.label is not None]
    share = {label: count / len(labels) for label, count in Counter(labels).items()}
    pairs = [_pair(lines, at, shift) for at in range(len(lines))]
    excess = max(_excess(lines, 0, share), _excess(lines, shift, share))
    follows = min(max(excess, 0.05), 0.9)
    evidence = np.zeros(len(lines))
    for at, pair in enumerate(pairs):
        if pair is None:
            continue
        label, here, there = pair
        weight = min(math.log(1 + follows / ((1 - follows) * share[label])), _MOST_OF_A_ROW)
        evidence[at] = weight * ((label == there) - (label == here))
    return evidence


def _pair(lines: Sequence[Line], at: int, shift: int) -> tuple[str, str, str] | None:
    """Label of a row, and what the machine says there and at the shifted place."""
    if not 0 <= at + shift < len(lines):
        return None
    label, here, there = lines[at].label, lines[at].predicted, lines[at + shift].predicted
    return None if label is None or here is None or there is None else (label, here, there)


def _excess(lines: Sequence[Line], shift: int, share: dict[str, float]) -> float:
    """Agreement with the machine's labels at a shift, beyond chance."""
    pairs = [pair for at in range(len(lines)) if (pair := _pair(lines, at, shift))]
    if not pairs:
        return 0.0
    agreement = sum(label == there for label, _, there in pairs) / len(pairs)
    chance = sum(share.get(there, 0.0) for _, _, there in pairs) / len(pairs)
    return (agreement - chance) / (1 - chance) if chance < 1 else 0.0


def _greatest(evidence: npt.NDArray[np.float64]) -> tuple[float, int, int]:
    """The run of rows with the greatest sum (Kadane): sum, start and end."""
    best, total = (0.0, 0, 0), 0.0
    start = 0
    for at, one in enumerate(evidence.tolist()):
        if total <= 0:
            total, start = 0.0, at
        total += one
        if total > best[0]:
            best = (total, start, at + 1)
    return best


def _block(lines: Sequence[Line], start: int, end: int, shift: int) -> Block:
    pairs = [pair for at in range(start, end) if (pair := _pair(lines, at, shift))]
    return Block(
        first=lines[start].row,
        last=lines[end - 1].row,
        shift=shift,
        fits_there=sum(label == there for label, _, there in pairs) / len(pairs),
        fits_here=sum(label == here for label, here, _ in pairs) / len(pairs),
    )
