"""Upper tails and their inverses of the distributions that tests refer to.

They are `scipy.special`'s functions, which `scipy.stats` computes them by too:
importing that takes longer than most jobs that need a tail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = float | npt.NDArray[np.float64]


def t_sf(x: Numbers, df: Numbers) -> Any:
    """P(T > x) of Student's t; shapes broadcast."""
    return stdtr(df, -np.asarray(x))


def t_isf(q: Numbers, df: Numbers) -> Any:
    """The x with P(T > x) = q of Student's t; shapes broadcast."""
    return -stdtrit(df, q)


def f_sf(x: Numbers, numerator: Numbers, denominator: Numbers) -> Any:
    """P(F > x) for degrees of freedom of numerator and denominator; shapes broadcast."""
    return fdtrc(numerator, denominator, np.maximum(x, 0))


def chi2_sf(x: Numbers, df: Numbers) -> Any:
    """P(chi-square > x); NaN without degrees of freedom; shapes broadcast."""
    return chdtrc(np.where(np.asarray(df) > 0, df, np.nan), np.maximum(x, 0))


def norm_sf(x: Numbers) -> Any:
    """P(Z > x) of the standard normal."""
    return ndtr(-np.asarray(x))


def norm_isf(q: Numbers) -> Any:
    """The x with P(Z > x) = q of the standard normal."""
    return -ndtri(q)


def norm_pdf(x: Numbers) -> Any:
    """Density of the standard normal."""
    return np.exp(-(np.asarray(x) ** 2) / 2) / np.sqrt(2 * np.pi)
