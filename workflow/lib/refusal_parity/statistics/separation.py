"""Finding the levels and templates that leave a logistic regression without a maximum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import linprog

if TYPE_CHECKING:
    from refusal_parity.statistics.design import BoolArray, Design, FloatArray


class Trimmed(NamedTuple):
    """A design whose templates and levels all have both outcomes.

    Attributes:
        design: what is left.
        templates: how many templates were dropped.
        levels: the levels dropped, each with its reason.
    """

    design: Design
    templates: int
    levels: dict[str, str]


def trim(design: Design) -> Trimmed:
    """Drop templates without variation, then levels without, until none is left.

    Their coefficients would be infinite; the other coefficients and their
    scores do not depend on the rows dropped. The reference is dropped like
    any other level.
    """
    templates = 0
    levels: dict[str, str] = {}
    while design.levels:
        n, k = design.by_template()
        flat = _without_variation(n.sum(axis=1), k.sum(axis=1))
        if flat.any():
            templates += int(flat.sum())
            design = design.keep(~flat[design.template])
            continue
        n, k = design.level_n, design.level_k
        flat = _without_variation(n, k)
        if not flat.any():
            break
        for at in np.flatnonzero(flat):
            whole = "no response has" if k[at] == 0 else "every response has"
            levels[design.levels[at]] = f"{whole} the outcome in {design.levels[at]}"
        design = design.keep(~flat[design.level])
    return Trimmed(design, templates, levels)


def _without_variation(n: FloatArray, k: FloatArray) -> BoolArray:
    return np.asarray((k == 0) | (k == n), dtype=np.bool_)


def is_separated(x: FloatArray, k: FloatArray, n: FloatArray) -> bool:
    """Whether some combination of the columns predicts outcomes without error.

    Then the likelihood grows for ever along it, while fitting routines stop
    anywhere and report huge coefficients with small errors. Such a direction
    b has x b >= 0 where all responses have the outcome, <= 0 where none has,
    = 0 where both occur, and is not 0 everywhere: a linear programme (Konis
    2007, thesis, University of Oxford).

    Args:
        x: one row for each combination of regressors, shape (rows, p), full rank.
        k: responses with the outcome, shape (rows,).
        n: responses, shape (rows,), each at least 1.
    """
    sign = np.where(k == n, 1.0, -1.0)
    mixed = (k > 0) & (k < n)
    pure = sign[~mixed, None] * x[~mixed]
    if not len(pure):
        return False
    found = linprog(
        -pure.sum(axis=0),
        A_ub=-pure,
        b_ub=np.zeros(len(pure)),
        A_eq=x[mixed] if mixed.any() else None,
        b_eq=np.zeros(int(mixed.sum())) if mixed.any() else None,
        bounds=(-1, 1),
    )
    return found.fun is None or bool(found.fun < -1e-6)  # noqa: PLR2004 - the solver's tolerance
