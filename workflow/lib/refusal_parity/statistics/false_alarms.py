"""Type I error rates and coverage of the methods that only describe, in simulated studies.

Measured without any difference between groups, at a nominal 5 %, on templates x names
(docs/method.md). The notes of the tables and the sentences of the report take them from here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from refusal_parity.vocabulary import Method


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


FALSE_ALARMS: Final = {
    Method.CHI_SQUARE: Percent(67, 86),
    Method.MANTEL_HAENSZEL: Percent(52, 95),
    Method.GLM_CLUSTER_TEMPLATE: Percent(72, 97),
    Method.GLM_CLUSTER_NAME: Percent(18, 26),
    Method.GLM_CLUSTER_TWO_WAY: Percent(16, 20),
    Method.OLS_TWO_WAY: Percent(7, 10),
}
"""Studies in which a method rejects; of the linear model, in its tests of single groups."""

FALSE_ALARMS_TOGETHER: Final = {
    Method.OLS_TWO_WAY: Percent(6, 16),
    Method.OLS_CR2_NAME: Percent(5, 10),
}
"""The same of the test of all groups together, where that of single groups differs."""

FEW_REFUSALS: Final = {Method.OLS_CR2_NAME: 19}
"""The same of all groups together in the self-check of a model that refuses 1.5 %."""

MIXED_MODEL: Final = Percent(7, 11)
"""Studies in which the likelihood ratio test of the mixed model rejects."""

COVERAGE: Final = {Method.BOOTSTRAP_PIGEONHOLE: Percent(90, 94)}
"""Studies in which a nominal 95 % interval covers the truth."""

MISSES: Final = {Method.BOOTSTRAP_NAMES: {8: 9, 4: 14}}
"""Studies in which a nominal 95 % interval misses the truth, by names a group, in per cent."""
