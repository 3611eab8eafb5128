"""What odds ratio a design finds where propensities are measured, and nothing is drawn."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit, ndtr

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.failures import finite
from refusal_parity.statistics.planning.power import minimum_detectable, precision
from refusal_parity.statistics.planning.rows import POWER, common
from refusal_parity.statistics.simulation.linear import Linear
from refusal_parity.statistics.variances.components import Components
from refusal_parity.vocabulary import DesignQuantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from refusal_parity.statistics.planning.power import Size
    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.vocabulary import Scope


def assumed_odds(
    latent: Latent, rate: float, sizes: Iterable[Size], scopes: Sequence[Scope], level: float
) -> Iterator[dict[str, Any]]:
    """Of a study that is planned: from variances on the latent scale of single responses.

    The scale's effects add up as log-odds do. The smallest shift of one group that is found
    moves its rate; the odds ratio is that of its rate and the others'.

    Args:
        latent: the model that has the assumed variances.
        rate: of the others.
        sizes: names, templates and samples.
        scopes: to what results are to generalise.
        level: of the test.
    """
    mean, total = float(latent.mean.mean()), float(latent.total.mean())
    linear = Linear(latent.name, latent.template, latent.template_group, latent.cell)

    def ratio(shift: float) -> float:
        moved = ndtr((mean + shift) / np.sqrt(total))
        return float(exp(logit(moved) - logit(ndtr(mean / np.sqrt(total)))))

    for size in sizes:
        for scope in scopes:
            shift = _shift(linear, size, scope, level)
            yield _row(size, scope, level, rate, None if shift is None else ratio(shift))


def measured_odds(
    linear: Linear, rate: float, sizes: Iterable[Size], scopes: Sequence[Scope], level: float
) -> Iterator[dict[str, Any]]:
    """Of a study whose propensities were measured: from the variances of its own log-odds.

    Args:
        linear: the model that has them.
        rate: of all prompts.
        sizes: names, templates and samples.
        scopes: to what results are to generalise.
        level: of the test.
    """
    for size in sizes:
        for scope in scopes:
            shift = _shift(linear, size, scope, level)
            yield _row(size, scope, level, rate, None if shift is None else exp(shift))


def _shift(linear: Linear, size: Size, scope: Scope, level: float) -> float | None:
    """The smallest difference that four of five studies show; None of a single name."""
    if min(size.names, size.reference) < 2:  # noqa: PLR2004 - one name has no variance
        return None
    parts = Components(
        rate=0.0,
        name=float(linear.name.mean()),
        template=linear.template,
        template_group=linear.template_level,
        cell=linear.cell,
        sample=0.0,
    )
    return minimum_detectable(precision(parts, size, scope), level, POWER)


def _row(
    size: Size, scope: Scope, level: float, rate: float, ratio: float | None
) -> dict[str, Any]:
    row = common(size, scope, level) | {
        "outcome": str(Outcome.PROPENSITY),
        "quantity": str(DesignQuantity.DETECTABLE_ODDS_RATIO),
        "rate": rate,
    }
    if ratio is None or log(ratio) <= 0:
        return row | {"note": "not estimable: a group of one name"}
    return finite(row | {"value": ratio})
