"""What came of the responses that were to be labelled, in one line of the log."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.vocabulary import EXCLUSION_WORDS, Exclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Tally:
    """Counts of the Labels table while its parts pass by.

    Attributes:
        counts: responses that got a label (key None), and the others by reason.
    """

    def __init__(self) -> None:
        self.counts: Counter[Exclusion | None] = Counter()

    def counting(self, parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The parts of a Labels table as they are, each counted."""
        reason = pl.when("filtered").then(pl.lit(str(Exclusion.FILTERED))).otherwise("exclusion")
        for part in parts:
            for given, number in part.group_by(reason).len().iter_rows():
                self.counts[None if given is None else Exclusion(given)] += number
            yield part

    def sentence(self) -> str:
        """How many have a label, and why the others have none: `3 of 12 labelled; 9 empty`."""
        total = self.counts.total()
        others = [
            f"{self.counts[reason]:,} {EXCLUSION_WORDS[reason]}"
            for reason in Exclusion
            if self.counts[reason]
        ]
        labelled = f"{self.counts[None]:,} of {counted(total, 'response')} labelled"
        return "; ".join([labelled, *filter(None, [", ".join(others)])])
