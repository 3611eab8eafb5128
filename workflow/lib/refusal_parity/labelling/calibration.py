"""A few numbers that make the probabilities honest: a temperature, and a shift of each refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from refusal_parity.labelling.folds import LABELS
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.labelling.folds import OutOfFold

MIN_ROWS: Final = 30
"""With fewer held-out rows a number would be noise; 1 and 0 leave the model as it is."""

BINS: Final = 10
"""Equal parts of the range of a probability, for the calibration error."""

_LOWEST, _HIGHEST = 0.2, 5.0
_TINY = 1e-12
_DIGITS = 6
"""Sums over rows hang on the processor in their last digits."""
_FLAT = 1e-10
"""A slope of the loss that is none."""

_KINDS = np.flatnonzero(np.isin(LABELS, REFUSALS))


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities of softmax(log p / temperature); classes with p = 0 stay at 0.

    Args:
        probabilities: rows x classes, each row sums to 1.
        temperature: above 1 moves them towards each other, below 1 apart.
    """
    logits = np.log(np.clip(probabilities, _TINY, None)) / temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights[probabilities == 0] = 0
    scaled: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return scaled


def part(probabilities: np.ndarray, temperature: float, shifts: Sequence[float]) -> np.ndarray:
    """Probabilities whose refusals are parted anew; together they are as probable as before.

    Args:
        probabilities: rows x classes, in the order of `LABELS`.
        temperature: of the kinds of refusal among themselves.
        shifts: what is added to the log probability of each kind, in that order.
    """
    whole = probabilities[:, _KINDS].sum(axis=1, keepdims=True)
    parted: np.ndarray = probabilities.copy()
    rows = whole[:, 0] > 0
    kinds = temper(probabilities[rows][:, _KINDS] / whole[rows], temperature) * np.exp(shifts)
    parted[np.ix_(rows, _KINDS)] = whole[rows] * kinds / kinds.sum(axis=1, keepdims=True)
    return parted


@dataclass(frozen=True)
class Calibration:
    """What turns a model's probabilities into honest ones.

    Attributes:
        temperature: of all classes.
        kinds: temperature of the kinds of refusal among themselves.
        shifts: of these, in the order of `LABELS`; that of the first is 0.
    """

    temperature: float = 1.0
    kinds: float = 1.0
    shifts: tuple[float, ...] = (0.0,) * len(_KINDS)

    @classmethod
    def of(cls, held_out: OutOfFold) -> Self:
        """Fit it to held-out predictions."""
        temperature = fit_temperature(held_out)
        return cls(temperature, *fit_kinds(held_out, temperature))

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, rows x classes."""
        return part(temper(probabilities, self.temperature), self.kinds, self.shifts)


def fit_temperature(held_out: OutOfFold) -> float:
    """The temperature with the smallest log loss on held-out predictions.

    Rows whose class was unknown to their fold's model say nothing about it and
    are left out. Source: Guo et al. 2017, On Calibration of Modern Neural Networks.

    Returns:
        A number from 0.2 to 5; 1 when fewer than `MIN_ROWS` rows are usable.
    """
    probabilities, columns = _usable(held_out)
    if len(columns) < MIN_ROWS:
        return 1.0

    def log_loss(log_temperature: float) -> float:
        scaled = temper(probabilities, float(np.exp(log_temperature)))
        return _log_loss(scaled, columns)

    best = minimize_scalar(log_loss, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return round(float(np.exp(best.x)), _DIGITS)


def fit_kinds(held_out: OutOfFold, temperature: float) -> tuple[float, tuple[float, ...]]:
    """Temperature and shifts with the smallest log loss over the kinds of held-out refusals.

    A model that learnt what all refusals share gives too much to the kind that occurs most.
    Source: Alexandari et al. 2020, Maximum Likelihood with Bias-Corrected Calibration is
    Hard-To-Beat at Label Shift Adaptation.

    Args:
        held_out: predictions.
        temperature: what they are tempered by before.

    Returns:
        A number from 0.2 to 5, and one for each kind in the order of `LABELS`: 0 for the first,
        and for kinds with fewer than `MIN_ROWS` usable rows. 1 and 0 where the first has fewer,
        or all others have.
    """
    probabilities, columns = _usable(held_out)
    refuses = np.isin(columns, _KINDS)
    probabilities, columns = temper(probabilities[refuses], temperature), columns[refuses]
    kinds = np.searchsorted(_KINDS, columns)
    free = np.bincount(kinds, minlength=len(_KINDS)) >= MIN_ROWS
    shifts = np.zeros(len(_KINDS))
    if not free[0] or not free[1:].any():
        return 1.0, tuple(shifts.tolist())
    free[0] = False
    log = np.log(np.clip(probabilities[:, _KINDS], _TINY, None))
    met = probabilities[:, _KINDS] > 0

    def log_loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        shifts[free] = values[1:]
        logits = np.where(met, log * values[0] + shifts, -np.inf)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        parted = weights / weights.sum(axis=1, keepdims=True)
        off = parted - (kinds[:, None] == np.arange(len(_KINDS)))
        slopes = np.append((off * log).sum(), off.sum(axis=0)[free]) / len(kinds)
        return _log_loss(parted, kinds), slopes

    # In one over the temperature the loss is convex: its lowest point is known to more digits
    # than are kept, whatever the processor.
    far = np.log(_HIGHEST)
    bounds = [(1 / _HIGHEST, 1 / _LOWEST), *[(-far, far)] * int(free.sum())]
    best = minimize(
        log_loss,
        np.array([1.0, *[0.0] * int(free.sum())]),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"ftol": 0.0, "gtol": _FLAT},
    ).x
    shifts[free] = np.round(best[1:], _DIGITS)
    return round(1 / float(best[0]), _DIGITS), tuple(shifts.tolist())


def _usable(held_out: OutOfFold) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of rows whose class their fold's model knew, and the columns of their classes.

    In an order that does not hang on that of the rows, since sums of them do in their last digits.
    """
    rows = np.flatnonzero(held_out.predicted)
    columns = np.array([LABELS.index(label) for label in held_out.labels[rows]], dtype=int)
    known = held_out.probabilities[rows, columns] > 0
    probabilities, columns = held_out.probabilities[rows[known]], columns[known]
    order = np.lexsort((columns, *probabilities.T))
    return probabilities[order], columns[order]


def _log_loss(probabilities: np.ndarray, columns: np.ndarray) -> float:
    told = probabilities[np.arange(len(columns)), columns]
    return float(-np.log(np.clip(told, _TINY, None)).mean())


def expected_error(
    truth: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """How far probabilities lie from the shares that come true, on average.

    Expected calibration error in `BINS` bins of equal width (Naeini et al. 2015, Obtaining
    Well Calibrated Probabilities Using Bayesian Binning).

    Args:
        truth: whether each came true, shape (rows,).
        probability: how probable it was said to be, shape (rows,).
        weight: of each row; 1 where there are none.
    """
    at = np.minimum((probability * BINS).astype(int), BINS - 1)
    weight = np.ones(len(truth)) if weight is None else weight
    gaps = np.bincount(at, weight * (truth.astype(float) - probability), BINS)
    return float(np.abs(gaps).sum() / max(weight.sum(), 1e-12))
