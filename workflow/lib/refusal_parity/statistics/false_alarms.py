"""Shares of simulated studies without an effect in which a method goes wrong.

Measured without any difference between groups, at a nominal 5 %, on templates x names
(docs/method.md). Each method states its own (`registry.Describes`).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Percent(NamedTuple):
    """The lowest and the highest share of studies over the simulated patterns, in per cent."""

    low: int
    high: int

    def __str__(self) -> str:
        """As it stands in a table: `67-86 %`."""
        return f"{self.low}-{self.high} %"

    @property
    def words(self) -> str:
        """As it stands in a sentence: `67 to 86 %`."""
        return f"{self.low} to {self.high} %"


MIXED_MODEL: Final = Percent(7, 11)
"""Studies in which the likelihood ratio test of the mixed model rejects."""
