"""Sheets whose labels fit their rows no better than any other order of them would."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BY_CHANCE: Final = 2.0
"""Standard errors above what chance gives, below which labels fit no better than that."""

_TELLING: Final = 4.0
"""Standard errors that a kappa of one half would lie above it, for there to be anything to say."""


def shuffled(votes: pl.DataFrame, sample: pl.DataFrame) -> Iterator[str]:
    """A clause for every file whose labels could as well stand in another order.

    A column that was sorted, turned round or pasted by itself leaves keys and texts in their
    places; its labels are then those of other rows.

    Args:
        votes: rows of the Votes table.
        sample: rows of the AuditSample table.
    """
    rows = votes.select("file", "task", pl.col("label").cast(pl.String)).join(
        sample.select("task", pl.col("predicted").cast(pl.String)), on="task"
    )
    for (file,), part in rows.group_by("file", maintain_order=True):
        given, predicted = part["label"].to_list(), part["predicted"].to_list()
        if fits_by_chance(given, predicted):
            agree = sum(one == other for one, other in zip(given, predicted, strict=True))
            yield (
                f"{file}: {agree:,} of {counted(len(part), 'label')} are the classifier's, as many "
                "as if they stood in any other order: look whether the column of labels was "
                "sorted or pasted by itself"
            )


def fits_by_chance(given: Sequence[str], predicted: Sequence[str]) -> bool:
    """Whether two lists of labels agree as if one were shuffled, and enough rows say so.

    Cohen's kappa against 0, with its error where there is no agreement (Fleiss, Cohen and
    Everitt 1969, Psychological Bulletin 72:323-327).
    """
    n = len(given)
    if n == 0:
        return False
    agreement = sum(one == other for one, other in zip(given, predicted, strict=True)) / n
    ours, others = Counter(given), Counter(predicted)
    shares = [(ours[label] / n, others[label] / n) for label in ours]
    chance = sum(p * q for p, q in shares)
    variance = (chance + chance**2 - sum(p * q * (p + q) for p, q in shares)) / n
    # Where either gives one label alone, no order is another.
    if variance <= 1e-12:  # noqa: PLR2004 - rounding
        return False
    error = math.sqrt(variance)
    return agreement - chance < _BY_CHANCE * error and (1 - chance) / 2 > _TELLING * error
