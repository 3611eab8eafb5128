"""Means of a group's conversations and of those that it is compared with, and their errors.

Conversations of one cluster have openings that are nearly the same, so that errors are
those of clusters. The other side may be weighed: the strata of its conversations count as
often as they occur in the group (direct standardisation), so that harmful requests are
compared with requests as harmful.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.nested import LevelMoments
from refusal_parity.statistics.rounding import is_noise

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Conversations of one side of a comparison, arrays of shape (conversations,).

    Attributes:
        value: the measure.
        cluster: codes that both sides share, from 0.
        stratum: codes that both sides share, from 0; all 0 where nothing is adjusted for.
    """

    value: FloatArray
    cluster: IntArray
    stratum: IntArray

    @property
    def clusters(self) -> int:
        """How many there are."""
        return len(np.unique(self.cluster))


class _Part(NamedTuple):
    """One side: its mean, and how its clusters' terms vary under the working model.

    Attributes:
        mean: of the measure.
        terms: of each cluster, of whose squares CR2's variance is the sum, (clusters,).
        own: variance of each term were residuals independent of means, (clusters,).
        fitted: what fitting the means takes from it, (cells, clusters).
        weight: of each cluster, (clusters,).
        effective: Kish's number of conversations.
    """

    mean: float
    terms: FloatArray
    own: FloatArray
    fitted: FloatArray
    weight: FloatArray
    effective: float


def moments_of(group: Observed, other: Observed) -> LevelMoments:
    """Means of the group (level 0) and of the other side (level 1) with their CR2 covariance.

    The other side's mean is sum of a_s m_s over strata s, a_s the share of the group's
    conversations in s and m_s the mean there. Its errors are those of the m_s (CR2 of the
    regression on strata: Bell and McCaffrey 2002, Survey Methodology 28:169-181); those of
    the group are of y - m_s, whose mean is the difference, so that the a_s need not be
    known. Degrees of freedom: Pustejovsky and Tipton (2018, JBES 36:672-683). With one
    stratum it is what `designs.nested.level_moments` gives.

    Args:
        group: two clusters or more.
        other: has conversations in each stratum of the group; its variance is NaN where one
            of these is of one cluster (`unmatched`).
    """
    share = np.bincount(group.stratum, minlength=int(other.stratum.max()) + 1) / len(group.value)
    sizes = np.bincount(other.stratum, minlength=len(share))
    level = np.bincount(other.stratum, other.value, len(share)) / np.maximum(sizes, 1)
    count = int(max(group.cluster.max(), other.cluster.max())) + 1
    ones = np.zeros_like(group.stratum)
    apart = group.value - level[group.stratum]
    ours = _part(group, apart - apart.mean(), ones, np.ones(1), count)
    kept = share[other.stratum] > 0
    weighed = Observed(
        value=other.value[kept], cluster=other.cluster[kept], stratum=other.stratum[kept]
    )
    residual = weighed.value - level[weighed.stratum]
    others = _part(weighed, residual, weighed.stratum, share, count)
    parts = (ours, others)
    traces = np.array([[_trace(one, two) for two in parts] for one in parts])
    expected = np.array([_expected(each) for each in parts])
    terms = np.stack([each.terms for each in parts])
    covariance = terms @ terms.T
    diagonal = [_without_noise(covariance[at, at], each) for at, each in enumerate(parts)]
    covariance[np.diag_indices(2)] = diagonal
    shared = traces / np.outer(expected, expected)
    weights = [each.weight for each in parts]
    units = np.array([float((each > 0).sum()) for each in weights])
    return LevelMoments(
        mean=np.array([[each.mean for each in parts]]),
        covariance=covariance[None],
        df=1 / np.diag(shared),
        shared=shared,
        units=units,
        effective=np.array([each.sum() ** 2 / (each**2).sum() for each in weights]),
        responses=np.array([each.effective for each in parts]),
        # Most clusters are one conversation, and the variance of a rate of these is known
        # from the rate. Bounded by how often the outcome occurs, as elsewhere, the degrees of
        # freedom make tests at 5 % reject in 1.5 % (benchmarks/preference_level.py).
        rarer=units[None],
    )


def unmatched(group: Observed, other: Observed) -> str | None:
    """Why the other side's mean over the group's strata, or its error, is not known; or None.

    Args:
        group: one conversation or more.
        other: of any number.
    """
    openings = np.unique(np.column_stack([other.stratum, other.cluster]), axis=0)[:, 0]
    fewest = min(int((openings == each).sum()) for each in np.unique(group.stratum))
    if fewest == 0:
        return "some of the group's requests have none to be compared with that seems as harmful"
    if fewest == 1:
        return (
            "some of the group's requests have a single opening to be compared with, "
            "which does not tell its own error"
        )
    return None


def _part(
    observed: Observed, residual: FloatArray, cell: IntArray, share: FloatArray, count: int
) -> _Part:
    """One side whose mean is the sum of the cells' means, weighed by `share`."""
    size = np.bincount(cell, minlength=len(share)).astype(np.float64)
    table = np.zeros((len(share), count))
    np.add.at(table, (cell, observed.cluster), 1.0)
    sums = np.zeros_like(table)
    np.add.at(sums, (cell, observed.cluster), residual)
    each = (share / np.maximum(size, 1))[:, None]
    leverage = table / np.maximum(size, 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(leverage < 1, each / np.sqrt(1 - leverage), np.nan)
    by_one = each[cell, 0]
    held = size > 0
    means = np.bincount(cell, observed.value, len(share))[held] / size[held]
    return _Part(
        # From the first cell's mean: where all values are 1, the mean is 1 and no hair above it.
        mean=float(means[0] + share[held] @ (means - means[0])),
        terms=(factor * sums).sum(axis=0),
        own=(table * factor**2).sum(axis=0),
        fitted=table * factor / np.sqrt(np.maximum(size, 1))[:, None],
        weight=(table * each).sum(axis=0),
        effective=float(by_one.sum() ** 2 / (by_one**2).sum()),
    )


def _expected(part: _Part) -> float:
    """Trace of the terms' covariance: the variance that is expected."""
    return float(part.own.sum() - (part.fitted**2).sum())


def _trace(one: _Part, two: _Part) -> float:
    """Trace of the product of the covariances of two sides' terms, D - F' F of each."""
    crossed = one.fitted @ two.fitted.T
    return float(
        one.own @ two.own
        - (one.own * two.fitted**2).sum()
        - (two.own * one.fitted**2).sum()
        + (crossed**2).sum()
    )


def _without_noise(variance: float, part: _Part) -> float:
    """A variance that is 0 but for rounding, as 0; what is not known stays so."""
    return 0 * variance if bool(is_noise(variance, part.mean**2 + 1)) else variance
