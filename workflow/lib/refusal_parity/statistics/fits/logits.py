"""Logistic regression with template effects, over many studies at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from refusal_parity.statistics.designs.reduced import reduced

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

_STEPS = 60
_CONVERGED = 1e-10
_CERTAIN = 30.0
"""A fitted logit beyond this is on its way to infinity: its chance rounds to 0 or 1 soon, where
steps end for want of digits."""


class Logistic(NamedTuple):
    """Logistic fits of many studies.

    Attributes:
        coefficients: log odds ratios, shape (studies, q); NaN where none.
        chance: fitted probability, shape (studies, levels, templates).
        weights: n p (1 - p) of what was fitted, 0 elsewhere, same shape.
    """

    coefficients: FloatArray
    chance: FloatArray
    weights: FloatArray


def fit_logistic(n: FloatArray, k: FloatArray) -> Logistic:
    """Newton's method for the logistic regression on level and template.

    A study whose steps do not come down to 1e-10 is separated, or nearly so,
    and has no estimate.

    Args:
        n: responses, shape (studies, levels, templates); 0 where left out.
        k: of them with the outcome, same shape.
    """
    total, hits = n.sum(axis=1), k.sum(axis=1)
    rate = hits / np.where(total > 0, total, 1)
    effects = np.log(np.where(total > 0, rate, 0.5) / np.where(total > 0, 1 - rate, 0.5))
    coefficients = np.zeros((len(n), n.shape[1]))
    active = np.arange(len(n))
    done = np.zeros(len(n), dtype=np.bool_)
    for _ in range(_STEPS):
        sizes, seen = n[active], k[active]
        chance = expit(coefficients[active][..., None] + effects[active][:, None])
        weights = sizes * chance * (1 - chance)
        residual = np.where(sizes > 0, seen - sizes * chance, 0)
        step = reduced(weights).step(residual)
        step = np.concatenate([np.zeros((len(step), 1)), step], axis=1)
        within = weights.sum(axis=1)
        shift = (residual.sum(axis=1) - np.einsum("rgt,rg->rt", weights, step)) / np.where(
            within > 0, within, 1
        )
        coefficients[active] += step
        effects[active] += shift
        largest = np.maximum(np.abs(step).max(axis=1), np.abs(shift).max(axis=1))
        done[active[largest < _CONVERGED]] = True
        # NaN fails this comparison too: a singular study stops here.
        active = active[(largest >= _CONVERGED) & (largest < 1 / _CONVERGED)]
        if not len(active):
            break
    logits = coefficients[..., None] + effects[:, None]
    done &= (np.where(n > 0, np.abs(logits), 0) < _CERTAIN).all(axis=(1, 2))
    coefficients[~done] = np.nan
    chance = expit(np.where(done[:, None, None], logits, np.nan))
    fitted = np.where(n > 0, n * chance * (1 - chance), 0)
    return Logistic(coefficients[:, 1:], chance, fitted)
