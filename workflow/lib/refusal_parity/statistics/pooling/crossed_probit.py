"""What is known of names and templates in a probit model of given variances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.grid import by_level
from refusal_parity.statistics.pooling.acceleration import Path
from refusal_parity.statistics.pooling.cell_likelihood import Cells, log_likelihoods

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid

_SWEEPS: Final = 200
_CLOSE: Final = 1e-4
"""Move of a cell's mean, in standard deviations, at which sweeps end: rates are right to 1e-4."""


class Variances(NamedTuple):
    """Of the latent scale, where a single response has the variance 1.

    Attributes:
        mean: of all groups before anything is known of each.
        group: by which groups may differ: so large that it shrinks none of them.
        name: between names of a group.
        template: between templates.
        template_group: by which a template moves one group and not the others.
        cell: of single prompts.
    """

    mean: float
    group: float
    name: float
    template: float
    template_group: float
    cell: float


class Sites(NamedTuple):
    """What each cell says of its name and template together: a normal likelihood.

    Attributes:
        precision: shape (names, templates).
        score: precision times mean, same shape.
    """

    precision: FloatArray
    score: FloatArray


class Known(NamedTuple):
    """Normal distribution of all names' and templates' effects, given the responses.

    A name's effect v has its group's in it; a template has an effect A_g in each group.
    Given the names' effects those of a template are normal about `shift` - `moved` v.

    Attributes:
        name: means of v, shape (names,).
        covariance: of v, shape (names, names).
        template: means of A, shape (templates, groups).
        own: covariance of A given v, shape (templates, groups, groups).
        moved: shape (templates, groups, names).
        cell: mean of v + A in each cell, shape (names, templates).
        variance: of that, same shape.
        log_evidence: of the variances, but for a constant.
        sites: what the cells say, to start from with other variances.
    """

    name: FloatArray
    covariance: FloatArray
    template: FloatArray
    own: FloatArray
    moved: FloatArray
    cell: FloatArray
    variance: FloatArray
    log_evidence: float
    sites: Sites


def know(grid: Grid, k: FloatArray, given: Variances, start: Sites | None = None) -> Known:
    """Expectation propagation in the crossed probit model (Minka 2001).

    A response has the outcome where v_name + A_(template, group) + c_cell + e is above 0. Each
    cell's likelihood is stood for by a normal one which gives its own name and template the
    same mean and variance as the likelihood itself, with everything else that is known; of
    binary outcomes that is all but exact (Kuss and Rasmussen 2005). Templates are solved for
    one by one, given names.

    No library serves: statsmodels has crossed probit models by mean fields only, which take
    names and templates for independent.

    Args:
        grid: names, templates and responses of the study.
        k: responses with the outcome, shape (names, templates).
        given: the variances.
        start: of a fit with similar variances.

    Raises:
        FloatingPointError: the sweeps do not come to an end.
    """
    sites = Sites(np.zeros_like(k), np.zeros_like(k)) if start is None else start
    found = _posterior(grid, given, sites)
    path, seen = Path(), Cells.of(grid.n, k)
    for _ in range(_SWEEPS):
        # What is known of a cell without its own responses.
        spare = 1 / (1 / found.variance - sites.precision)
        centre = spare * (found.cell / found.variance - sites.score)
        log_share, slope, curve = log_likelihoods(seen, centre, spare + given.cell)
        left = 1 - spare * curve
        told = Sites(curve / left, (slope + centre * curve) / left)
        moves = told.score - sites.score - found.cell * (told.precision - sites.precision)
        off = np.abs(moves) * np.sqrt(found.variance)
        if off.max() < _CLOSE:
            log_z = float(log_share.sum()) + _gain(spare, centre, found)
            return found._replace(log_evidence=found.log_evidence + log_z)
        precision, score = path.onward(np.stack(sites), np.stack(told))
        sites = Sites(np.maximum(precision, 0.0), score)
        found = _posterior(grid, given, sites)
    message = "the effects of names and templates were not found"
    raise FloatingPointError(message)


def _gain(spare: FloatArray, centre: FloatArray, found: Known) -> float:
    """Log normalisers of the cells without their own responses, less those with them."""
    without, with_them = centre**2 / spare, found.cell**2 / found.variance
    return float((without - with_them + np.log(spare / found.variance)).sum() / 2)


def _posterior(grid: Grid, given: Variances, sites: Sites) -> Known:
    """The normal law of all effects, given what the cells say."""
    level, groups = grid.level, len(grid.levels)
    same = np.asarray(level[:, None] == level, dtype=np.float64)
    names = len(level)
    # Of all groups together nothing is known before either.
    prior = given.name * np.eye(names) + given.group * (same + 1)
    inverse = np.linalg.inv(prior)
    shared = given.template + given.template_group * np.eye(groups)

    weight = by_level(grid, sites.precision).T
    root = np.sqrt(weight)
    inner = np.eye(groups) + root[:, :, None] * shared * root[:, None, :]
    scaled = root[:, :, None] * shared
    own = shared - np.swapaxes(scaled, 1, 2) @ np.linalg.solve(inner, scaled)
    # (templates, groups, names): what a name's effect moves those of a template by.
    moved = own[:, :, level] * sites.precision.T[:, None, :]
    pulled = by_level(grid, sites.score).T
    shift = np.einsum("tgh,th->tg", own, pulled)

    precision = inverse + np.diag(sites.precision.sum(axis=1))
    for group in range(groups):
        mine = level == group
        precision[mine] -= sites.precision[mine] @ moved[:, group]
    covariance = np.linalg.inv((precision + precision.T) / 2)
    pull = inverse.sum(axis=1) * given.mean + sites.score.sum(axis=1)
    pull_left = pull - (sites.precision * shift[:, level].T).sum(axis=1)
    name = covariance @ pull_left
    template = shift - moved @ name

    spread = moved @ covariance
    at = np.arange(names)
    own_variance = np.einsum("tgg->tg", own) + np.einsum("tgn,tgn->tg", spread, moved)
    variance = np.diag(covariance)[:, None] + (own_variance[:, level] - 2 * spread[:, level, at]).T
    quadratic = pull @ name + (pulled * template).sum() - given.mean**2 * inverse.sum()
    logs = np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(prior)[1]
    logs -= np.linalg.slogdet(covariance)[1]
    return Known(
        name=name,
        covariance=covariance,
        template=template,
        own=own,
        moved=moved,
        cell=name[:, None] + template[:, level].T,
        variance=variance,
        log_evidence=float(quadratic - logs) / 2,
        sites=sites,
    )
