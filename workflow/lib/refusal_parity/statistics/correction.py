"""Rates of machine labels, corrected by a probability sample of human labels.

The estimator of prediction-powered inference with Hajek weights and a tuned
slope; see `correct`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray


_TINY: Final = float(np.finfo(float).tiny)


class Audited(NamedTuple):
    """Readings of all rows by the machine, and of a sample of them by people.

    Attributes:
        level: codes 0 to L - 1 that all occur, shape (rows,).
        machine: the machine's reading, 0 or 1, shape (rows,).
        human: people's reading, 0 or 1, or the share of votes where they are split;
            anything where not sampled, shape (rows,).
        weight: 1 / inclusion probability of sampled rows, 0 of all others, shape (rows,).
        worth: what each row counts in its level's rate; null for all alike, shape (rows,).
    """

    level: IntArray
    machine: FloatArray
    human: FloatArray
    weight: FloatArray
    worth: FloatArray | None = None

    @property
    def worths(self) -> FloatArray:
        """What each row counts."""
        return np.ones(len(self.level)) if self.worth is None else self.worth

    def of(self, rows: BoolArray) -> Audited:
        """Some of the rows, with codes of the levels that are left."""
        kept = (each[rows] for each in (self.machine, self.human, self.weight, self.worths))
        return Audited(np.unique(self.level[rows], return_inverse=True)[1], *kept)


class Corrected(NamedTuple):
    """The corrected rates, and each row's share in them.

    Attributes:
        rate: of each level, shape (L,).
        pseudo: pseudo-outcome of each row; its mean over a level, each row counting what it
            is worth, is the rate, and its variance between clusters that of the rate, shape
            (rows,).
        extra: what to add to the variance of each level's rate to smooth its
            sampling variance, of either sign, shape (L,).
        slope: lambda of each level, what the machine's reading is multiplied
            by, shape (L,).
    """

    rate: FloatArray
    pseudo: FloatArray
    extra: FloatArray
    slope: FloatArray


def correct(audited: Audited) -> Corrected:
    """Correct each level's machine rate by the weighted error in its human sample.

    rate = lambda mean(f) + sum w (y - lambda f) / sum w over a level, with f
    the machine's and y the human reading and w the inverse inclusion
    probability: the difference estimator of survey sampling with Hajek's
    weights, which design-based supervised learning (Egami et al. 2023, arXiv
    2306.04746) and prediction-powered inference (Angelopoulos et al. 2023,
    arXiv 2301.09633) use. Whatever lambda is, it is consistent; lambda is the
    level's slope of y on f, weighted by w (w - 1), which makes the sampling
    variance least (PPI++: Angelopoulos et al. 2023, arXiv 2311.01453), but not
    below 0: then the human labels are left alone. Of readings that are 0 or 1
    it is never above 1.

    Where rows are not worth the same, a, the mean is sum a f / sum a, and a w stands in
    the place of w, a^2 w (w - 1) in that of w (w - 1); a share of disagreement counts each
    row by the latter.

    The pseudo-outcome of a row is lambda f + c + w (y - lambda f - c), with c
    the level's weighted mean error and w rescaled to the level's rows: it has
    the human reading's mean, and its second moment adds the sampling variance
    (1/pi - 1) (y - lambda f - c)^2 to that of the human reading.

    A level whose sample holds no disagreement would show no sampling variance
    at all, and one that holds a single one too much. The sampling variance is
    therefore that of a share of disagreement halfway between the level's own
    and that of all levels (with half a disagreement added), apart for each
    reading of the machine; `extra` is the difference from what the
    pseudo-outcomes hold.

    Args:
        audited: every level has sampled rows.
    """
    levels = int(audited.level.max()) + 1
    sampled = audited.weight > 0
    slope = _slopes(audited, levels)
    predicted = slope[audited.level] * audited.machine
    worth = audited.worths
    rows = _sums(audited.level, worth, levels)
    drawn = _sums(audited.level, worth * audited.weight, levels)
    weight = audited.weight * (rows / drawn)[audited.level]
    error = np.where(sampled, audited.human - predicted, 0)
    offset = _sums(audited.level, worth * weight * error, levels) / rows
    predicted = predicted + offset[audited.level]
    error = np.where(sampled, audited.human - predicted, 0)
    alike = audited.level * 2 + (audited.machine > 0)
    count = np.bincount(alike, sampled, 2 * levels)
    # A mean and a slope are fitted: one mean for each reading of the machine.
    spare = np.sqrt(count / np.maximum(count - 1, 1))[alike]
    return Corrected(
        rate=_sums(audited.level, worth * predicted, levels) / rows,
        pseudo=predicted + spare * weight * error,
        extra=_smoothing(audited, sampled, weight, error) / rows**2,
        slope=slope,
    )


def correct_around(audited: Audited, known: BoolArray) -> Corrected:
    """Correct the rates of levels that hold rows whose reading is certain.

    A refusal by the service is one: no machine reads it and nobody labels it. With
    h the share of a level's rows (of what they are worth) that are not known and r their
    corrected rate, the level's rate is the sum of the known readings over all rows plus h r, and
    the part of its variance that the correction adds is h^2 times that of r.

    Args:
        audited: every level has rows that are sampled, or known ones alone.
        known: which rows keep the reading in `machine`, shape (rows,).
    """
    levels, worth = int(audited.level.max()) + 1, audited.worths
    rows = _sums(audited.level, worth, levels)
    rate = _sums(audited.level, worth * np.where(known, audited.machine, 0), levels) / rows
    pseudo = np.asarray(audited.machine, dtype=np.float64).copy()
    extra, slope = np.zeros(levels), np.ones(levels)
    if not known.all():
        left, rest = np.unique(audited.level[~known]), audited.of(~known)
        found = correct(rest)
        share = _sums(rest.level, rest.worths, len(left)) / rows[left]
        rate[left] += share * found.rate
        extra[left] = share**2 * found.extra
        slope[left] = found.slope
        pseudo[~known] = found.pseudo
    return Corrected(rate=rate, pseudo=pseudo, extra=extra, slope=slope)


def _sums(level: IntArray, values: FloatArray, levels: int) -> FloatArray:
    return np.bincount(level, values, levels).astype(np.float64)


def _slopes(audited: Audited, levels: int) -> FloatArray:
    """Slope of human on machine readings of each level, or of all where a level has none."""
    sampled = audited.weight > 0
    level, f, y = audited.level[sampled], audited.machine[sampled], audited.human[sampled]
    weight = audited.weight[sampled] * (audited.weight[sampled] - 1)
    weight = weight * audited.worths[sampled] ** 2
    total = np.maximum(_sums(level, weight, levels), _TINY)
    f = f - (_sums(level, weight * f, levels) / total)[level]
    y = y - (_sums(level, weight * y, levels) / total)[level]
    spread, shared = (_sums(level, weight * f * each, levels) for each in (f, y))
    pooled = shared.sum() / spread.sum() if spread.sum() > 0 else 1.0
    own = np.where(spread > 0, shared / np.where(spread > 0, spread, 1), pooled)
    return np.asarray(np.maximum(own, 0), dtype=np.float64)


def _smoothing(
    audited: Audited, sampled: BoolArray, weight: FloatArray, error: FloatArray
) -> FloatArray:
    """What smoothed shares of disagreement add to the levels' variance, shape (levels,)."""
    levels = int(audited.level.max()) + 1
    alike = (audited.level * 2 + (audited.machine > 0))[sampled]
    # Of rows drawn with certainty there is no sampling error.
    own = weight[sampled] * np.maximum(weight[sampled] - 1, 0) * audited.worths[sampled] ** 2
    disagree = np.abs(audited.human[sampled] - audited.machine[sampled])

    def by_reading(values: FloatArray | None) -> FloatArray:
        return np.bincount(alike, values, 2 * levels).reshape(levels, 2).astype(np.float64)

    rows, unlike = by_reading(None), by_reading(disagree)
    if audited.worth is not None:
        # Rows that are worth more may be read wrongly more often, or less.
        unlike = rows * by_reading(own * disagree) / np.maximum(by_reading(own), _TINY)
    everywhere = (unlike.sum(axis=0) + 0.5) / (rows.sum(axis=0) + 1)
    share = (unlike / np.maximum(rows, 1) + everywhere) / 2
    seen = by_reading(own * error[sampled] ** 2) * rows / np.maximum(rows - 1, 1)
    added = share * (1 - share) * by_reading(own) - seen
    return np.asarray(added.sum(axis=1), dtype=np.float64)
