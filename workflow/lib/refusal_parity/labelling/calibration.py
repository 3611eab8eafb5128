"""Temperature scaling: one number that makes the probabilities honest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import minimize_scalar

from refusal_parity.labelling.folds import LABELS

if TYPE_CHECKING:
    from refusal_parity.labelling.folds import OutOfFold

MIN_ROWS: Final = 30
"""With fewer held-out rows a temperature would be noise; 1 leaves the model as it is."""

BINS: Final = 10
"""Equal parts of the range of a probability, for the calibration error."""

_LOWEST, _HIGHEST = 0.2, 5.0
_TINY = 1e-12


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


def fit_temperature(held_out: OutOfFold) -> float:
    """The temperature with the smallest log loss on held-out predictions.

    Rows whose class was unknown to their fold's model say nothing about it and
    are left out. Source: Guo et al. 2017, On Calibration of Modern Neural Networks.

    Returns:
        A number from 0.2 to 5; 1 when fewer than `MIN_ROWS` rows are usable.
    """
    rows = np.flatnonzero(held_out.predicted)
    columns = np.array([LABELS.index(label) for label in held_out.labels[rows]], dtype=int)
    known = held_out.probabilities[rows, columns] > 0
    rows, columns = rows[known], columns[known]
    if len(rows) < MIN_ROWS:
        return 1.0

    def log_loss(log_temperature: float) -> float:
        scaled = temper(held_out.probabilities[rows], float(np.exp(log_temperature)))
        return float(-np.log(np.clip(scaled[np.arange(len(rows)), columns], _TINY, None)).mean())

    best = minimize_scalar(log_loss, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    # Rounded, because the sum above depends on the order of the rows in its last digits.
    return round(float(np.exp(best.x)), 6)


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
