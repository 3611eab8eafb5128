"""Contrasts of levels and covariates within templates, or over all responses as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.regressors import Absorbed
from refusal_parity.statistics.rounding import NOTHING, is_noise

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design, FloatArray


class Regressors(NamedTuple):
    """Contrasts of levels and covariates within strata, and the outcome's mean of each stratum."""

    absorbed: Absorbed
    mean: FloatArray


def regressors(design: Design, values: FloatArray, dimension: str) -> Regressors | None:
    """The regressors of levels with covariates held fixed.

    Args:
        design: counts.
        values: covariates of each cell, shape (cells, j).
        dimension: what the levels are; those of templates are not compared within templates.

    Returns:
        None where levels and covariates cannot be told apart, or one of these does not vary.
    """
    within = DIMENSIONS[dimension].unit is not Unit.TEMPLATE
    stratum = codes_of(design.template) if within else np.zeros(len(design.n), dtype=np.intp)
    total = np.bincount(stratum, design.n).astype(np.float64)

    def centred(columns: FloatArray) -> FloatArray:
        sums = [np.bincount(stratum, design.n * column) for column in columns.T]
        return np.asarray(columns - (np.column_stack(sums) / total[:, None])[stratum])

    def length(columns: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(design.n @ columns**2), dtype=np.float64)

    covariates = centred(values)
    if is_noise(length(covariates) ** 2, design.n @ values**2).any():
        return None
    dummies = np.eye(len(design.levels))[:, 1:][design.level]
    # Of one length, so that the units of covariates decide nothing.
    x = np.column_stack([centred(dummies), covariates / length(covariates)])
    weighted = np.sqrt(design.n)[:, None] * x
    sizes = np.linalg.svd(weighted / length(x), compute_uv=False)
    if sizes[-1] <= NOTHING * sizes[0]:
        return None
    absorbed = Absorbed(
        contrasts=x,
        bread=np.asarray(np.linalg.inv(weighted.T @ weighted), dtype=np.float64),
        n=design.n,
        variance=np.ones(len(design.n)),
        stratum=stratum,
        total=total,
    )
    return Regressors(absorbed, np.bincount(stratum, design.k) / total)
