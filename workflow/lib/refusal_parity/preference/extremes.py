"""What the answers without a label may hide: rates and differences under the two extreme readings.

Each pair without the label that a measure needs is given the value that makes the number
lowest, and then the one that makes it highest. No assumption is made, and no chance is in it
(Horowitz and Manski 2000, Journal of the American Statistical Association 95:77-84).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.measures import CHOSEN_REFUSES, REJECTED_REFUSES

if TYPE_CHECKING:
    import numpy.typing as npt

    from refusal_parity.preference.audit import Audit
    from refusal_parity.preference.measures import Measure

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]


class Extremes(NamedTuple):
    """The lowest and the highest that a number may be; null where that is not known."""

    lowest: float | None
    highest: float | None


NONE = Extremes(None, None)


def rate_extremes(audit: Audit, measure: Measure, rows: Bools) -> Extremes:
    """Of the rate of some pairs.

    Args:
        audit: the pairs.
        measure: null for words, of which nothing is missing, and for what a judge decides: how
            often it names no answer is a measure of its own.
        rows: shape (pairs,).
    """
    if not measure.binary or measure.by_judge:
        return NONE
    lowest, highest = (_mean(each[rows]) for each in _readings(audit, measure))
    return Extremes(lowest, highest)


def difference_extremes(
    audit: Audit, measure: Measure, group: Bools, reference: Bools, adjustment: Adjustment
) -> Extremes:
    """Of the difference between two sides' rates.

    Adjusted, the reference's pairs are weighed so that as many lie in each stratum as of the
    group's. A measure that not every pair has, has other weights in each reading, and no bounds.

    Args:
        audit: the pairs.
        measure: null for words.
        group: pairs of the group, shape (pairs,).
        reference: pairs of the other side.
        adjustment: whether they are weighed.
    """
    weighed = adjustment is Adjustment.HARM
    if not measure.binary or measure.by_judge or (weighed and not measure.of_every):
        return NONE
    low, high = _readings(audit, measure)
    ours = [_mean(each[group]) for each in (low, high)]
    others = [
        _weighed(each[reference], audit.stratum[reference], audit.stratum[group])
        if weighed
        else _mean(each[reference])
        for each in (low, high)
    ]
    if None in ours or None in others:
        return NONE
    return Extremes(float(ours[0]) - float(others[1]), float(ours[1]) - float(others[0]))  # type: ignore[arg-type]


def _readings(audit: Audit, measure: Measure) -> tuple[Floats, Floats]:
    """The measure of every pair, at its lowest and at its highest; NaN where it has none."""
    value = audit.values[measure.key]
    missing = np.isnan(value)
    if measure.of_every:
        return np.where(missing, 0.0, value), np.where(missing, 1.0, value)
    chosen, rejected = audit.values[CHOSEN_REFUSES], audit.values[REJECTED_REFUSES]
    unknown = np.isnan(chosen) | np.isnan(rejected)
    may_be_rejected = unknown & (chosen != 1) & (rejected != 0)
    may_be_preferred = unknown & (chosen != 0) & (rejected != 1)
    return np.where(may_be_rejected, 0.0, value), np.where(may_be_preferred, 1.0, value)


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _weighed(
    values: Floats, stratum: npt.NDArray[np.intp], wanted: npt.NDArray[np.intp]
) -> float | None:
    """The mean, were the strata as large as those wanted; null where one has no pair."""
    if not len(wanted):
        return None
    share = np.bincount(wanted, minlength=int(max(stratum.max(initial=0), wanted.max())) + 1)
    size = np.bincount(stratum, minlength=len(share))
    if (size[share > 0] == 0).any():
        return None
    mean = np.bincount(stratum, values, len(share)) / np.maximum(size, 1)
    return float((share / share.sum()) @ mean)
