from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from refusal_parity.statistics.distributions import (
    chi2_sf,
    f_sf,
    norm_isf,
    norm_sf,
    t_isf,
    t_sf,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

X = np.array([-3.0, -0.2, 0.0, 0.7, 2.4, 30.0, np.inf, np.nan])
Q = np.array([1e-12, 0.0005, 0.025, 0.5, 0.975, np.nan])
DF = [np.nan, -1.0, 0.0, 0.4, 1.0, 7.3, 400.0, 1e7]


@pytest.mark.parametrize("df", DF)
def test_equal_to_scipy_stats(df: float) -> None:
    pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = [
        (t_sf(X, df), stats.t.sf(X, df)),
        (t_isf(Q, df), stats.t.isf(Q, df)),
        (f_sf(X, 3, df), stats.f.sf(X, 3, df)),
        (f_sf(X, df, 7), stats.f.sf(X, df, 7)),
        (chi2_sf(X, df), stats.chi2.sf(X, df)),
        (norm_sf(X), stats.norm.sf(X)),
        (norm_isf(Q), stats.norm.isf(Q)),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
