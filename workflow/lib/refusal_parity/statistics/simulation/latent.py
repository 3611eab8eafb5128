"""A latent scale that carries the shares of a study's own variance; `drawing` has its studies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.designs.grid import by_level
from refusal_parity.statistics.rounding import less
from refusal_parity.statistics.simulation.correlations import (
    HIGHEST,
    Asked,
    correlations,
    excess,
)
from refusal_parity.statistics.variances.components import Components, covariances

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.variances.components import Covariances

_HIGHEST_NAME: Final = 0.9
"""Largest share that the names of one group may take, where it is theirs alone."""
_FAR: Final = 9.0
"""Normal quantile that stands for rates of 0 and 1."""


@dataclass(frozen=True, slots=True)
class Latent:
    """A probit model with crossed random effects.

    A response has the outcome where m_g + a_template + b_(template, group) +
    u_name + c_cell + e is above 0; all letters but m are normal with mean 0
    and the variances below.

    Attributes:
        mean: m of each group, shape (groups,).
        name: variance of the names of each group, shape (groups,).
        template: of templates.
        template_group: of templates within groups.
        cell: of cells.
        sample: of single responses.
    """

    mean: FloatArray
    name: FloatArray
    template: float
    template_group: float
    cell: float
    sample: float

    @property
    def total(self) -> FloatArray:
        """Variance of each group, shape (groups,)."""
        return self.name + self.template + self.template_group + self.cell + self.sample

    @property
    def rates(self) -> FloatArray:
        """Expected rate of each group over new names and templates, shape (groups,)."""
        return np.asarray(ndtr(self.mean / np.sqrt(self.total)), dtype=np.float64)

    def with_rates(self, rates: FloatArray) -> Latent:
        """The same variances about other rates.

        Args:
            rates: of each group, between 0 and 1, shape (groups,).
        """
        return replace(self, mean=ndtri(rates) * np.sqrt(self.total))

    def planted(self, difference: float) -> Latent:
        """The same variances, where all groups differ as much from the first one.

        Rates rise from the first group's, or fall where more is left below it; where
        neither leaves room, they lie about one half.

        Args:
            difference: between 0 and 1.
        """
        first = float(self.rates[0])
        other = first + difference if first <= 1 / 2 else first - difference
        if not 0 < other < 1:
            first, other = (1 - difference) / 2, (1 + difference) / 2
        return self.with_rates(np.append(first, np.full(len(self.mean) - 1, other)))


def fit_latent(grid: Grid, k: FloatArray, *, own: float = 0.0) -> Latent | None:
    """The null model of a study: its own variances, and one rate for all groups.

    Each covariance of `components.covariances` is put to the correlation of
    the latent scale that gives it at the observed rates of the groups;
    variances are differences of correlations, 1 together. Moments of pairs as
    in Renard, Molenberghs and Geys (2004), Computational Statistics & Data
    Analysis 44:649-667. A negative variance is 0.

    Args:
        grid: names, templates and responses of the study.
        k: responses with the outcome, shape (names, templates).
        own: how much of the variance of a group's names is their own, where it has two
            or more; the rest is what all groups share.

    Returns:
        None where the outcome does not vary.
    """
    return _fitted(grid, k, covariances(grid, k), own)


def fit_latent_rates(
    grid: Grid, k: FloatArray, noise: FloatArray, *, own: float = 0.0
) -> Latent | None:
    """The same of rates of prompts that are measured with errors: `sample` is that of labels.

    Args:
        grid: names and templates; `n` counts the prompts of a cell.
        k: sums of the prompts' rates, shape (names, templates).
        noise: variance of the error of each sum, same shape.
        own: as for `fit_latent`.

    Returns:
        None where no rate lies above 0.
    """
    there = grid.n > 0
    n = np.where(there, grid.n, 1)
    one = grid._replace(n=there.astype(np.float64), noise=None)
    return _fitted(one, k / n, covariances(one, k / n, noise / n**2), own)


def _fitted(grid: Grid, k: FloatArray, found: Covariances, own: float) -> Latent | None:
    rate = float(k.sum() / grid.n.sum())
    if not 0 < rate < 1:
        return None
    rates = by_level(grid, k).sum(axis=1) / by_level(grid, grid.n).sum(axis=1)
    # What is measured with an error may lie below 0.
    bounds = np.clip(ndtri(np.clip(rates, 0, 1)), -_FAR, _FAR)
    members = np.bincount(grid.level).astype(np.float64)
    first, second = np.meshgrid(bounds, bounds)
    several = len(members) > 1
    asked = [
        Asked(found.name, bounds, bounds, members - 1),
        Asked(found.template, bounds, bounds, members),
        Asked(found.cell, bounds, bounds, members),
        *[Asked(found.other, first, second, members[:, None] * members)] * several,
    ]
    alone = np.flatnonzero(members > 1) if own else np.empty(0, dtype=np.intp)
    asked += [Asked(found.name, bounds, bounds, np.eye(len(members))[at]) for at in alone]
    name, same_group, cell, *others = correlations(asked)
    template = others.pop(0) if several else same_group
    shares = _shares(name, same_group, template, cell, len(members))
    names = shares.name.copy()
    for at, share in zip(alone, others, strict=True):
        theirs = min(share, _HIGHEST_NAME) / (1 - min(share, _HIGHEST_NAME)) * (1 - name)
        names[at] = own * theirs + (1 - own) * names[at]
    return replace(shares, name=names).with_rates(np.full(len(members), rate))


def latent_of(parts: Components, groups: int) -> Latent:
    """The model whose groups, all at one rate, have these components of variance.

    Args:
        parts: on the scale of rates; `sample` is what the others leave.
        groups: how many.
    """
    bound = ndtri(np.array([parts.rate]))
    template = parts.template + parts.template_group
    wanted = parts.name, template, parts.template, parts.name + template + parts.cell
    name, same_group, other, cell = correlations(
        [Asked(np.array([each]), bound, bound, np.ones(1)) for each in wanted]
    )
    found = _shares(name, same_group, other, cell, groups)
    return found.with_rates(np.full(groups, parts.rate))


def components_at(latent: Latent, group: int) -> Components:
    """Components of variance of a group on the scale of rates, at its rate in the model.

    Args:
        latent: the model.
        group: code of the group.
    """
    total = float(latent.total[group])
    bound = np.asarray(latent.mean[group] / np.sqrt(total), dtype=np.float64)
    rate = float(ndtr(bound))
    name = float(latent.name[group])
    both = latent.template + latent.template_group
    of_name, of_template, same_group, cell = (
        float(excess(bound, bound, share / total))
        for share in (name, latent.template, both, name + both + latent.cell)
    )
    return Components(
        rate=rate,
        name=of_name,
        template=of_template,
        template_group=same_group - of_template,
        cell=max(cell - of_name - same_group, 0.0),
        sample=max(rate * (1 - rate) - cell, 0.0),
    )


def _shares(name: float, same_group: float, template: float, cell: float, groups: int) -> Latent:
    """The model with these correlations, of responses that share so much, about rates of 1/2."""
    # Moments of 0-1 outcomes may ask for more than there is. Templates give way:
    # they move all groups alike, and names and cells are what tests must allow for.
    whole = min(max(cell, name), HIGHEST)
    template = min(template, whole - name)
    rest = _share(whole, name, template)
    template_group = min(_share(same_group, template), rest)
    return Latent(
        mean=np.zeros(groups),
        name=np.full(groups, name),
        template=template,
        template_group=template_group,
        cell=_share(rest, template_group),
        sample=1 - whole,
    )


def _share(whole: float, *parts: float) -> float:
    """What is left of a share of the variance, at least 0."""
    return max(float(less(np.array(whole), *parts)), 0.0)
