"""Rates of names and templates, each pooled with the others of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import ndtri

from refusal_parity.statistics.pooling.crossed_probit import Known, Variances, know
from refusal_parity.statistics.pooling.rates import (
    PooledRates,
    mixed,
    of_names,
    of_templates,
)
from refusal_parity.statistics.simulation.latent import fit_latent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.pooling.crossed_probit import Sites

_RATIO: Final = 1.5
"""Between two standard deviations that are tried."""
_LOWEST: Final = 0.08
_STEPS: Final = 10
"""The least standard deviation that is tried, where a single response has 1, and steps above it."""
_ROUNDS: Final = 3
"""Of putting one component after the other where it is likeliest."""
_LEAST_SAMPLE: Final = 0.04
"""Least share of the variance that is left to single responses at the start: with none, as at
temperature 0, nothing would be a matter of degree."""
_NEGLIGIBLE: Final = 5.0
"""How much lower a log density may be and still count."""


class Pooled(NamedTuple):
    """What pooling says of a study.

    Attributes:
        names: rate of each name over the templates.
        templates: rate of each template over the names.
        variances: the likeliest.
    """

    names: PooledRates
    templates: PooledRates
    variances: Variances


class _Fit(NamedTuple):
    """What is known with given variances."""

    given: Variances
    known: Known

    @property
    def height(self) -> float:
        """Log density of the logs of the standard deviations, each half-Cauchy about 1."""
        given = self.given
        variances = np.array([given.name, given.template, given.template_group, given.cell])
        prior = np.log(np.sqrt(variances) / (1 + variances)).sum()
        return self.known.log_evidence + float(prior)


@dataclass(frozen=True)
class _Fits:
    """Fits to one study, each made once: the search comes back to the same variances."""

    grid: Grid
    k: FloatArray
    known: dict[tuple[str, ...], _Fit] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return float(self.k.sum() / self.grid.n.sum())

    def at(self, given: Variances, start: Sites | None = None) -> _Fit:
        """The fit with some variances; a new one starts where a similar one ended."""
        # Steps up and down again differ in the last digits.
        key = tuple(f"{each:.9g}" for each in given)
        if key not in self.known:
            self.known[key] = _Fit(given, know(self.grid, self.k, given, start))
        return self.known[key]


def pool(grid: Grid, k: FloatArray, alpha: float) -> Pooled | None:
    """Empirical Bayes estimates of names' and templates' rates, with intervals.

    The model is that of `crossed_probit`, where names, templates, templates within groups and
    cells add up. A name is drawn towards its group, which is drawn towards nothing: a
    group's prior is so wide that differences between groups stay. A template is drawn towards all.

    Variances begin at those of `fit_latent`, and those of templates, templates within groups and
    cells are put where their posterior density is highest. Names' rates are
    mixed over the variance of names, and templates' over that of templates, by their
    densities: a variance of which little is known would else come out as nothing, and all names
    alike (Morris 1983).

    Args:
        grid: names, templates and responses of the study.
        k: responses with the outcome, shape (names, templates).
        alpha: 1 less the level of the intervals.

    Returns:
        None where the outcome does not vary.

    Raises:
        FloatingPointError: the fits do not come to an end.
    """
    start = _start(grid, k)
    if start is None:
        return None
    fits = _Fits(grid, k)
    best = fits.at(start)
    for _ in range(_ROUNDS):
        before = best
        for component in ("template", "template_group", "cell", "name"):
            best = _climbed(fits, best, component)
        if best is before:
            break
    by_name, best = _weighed(fits, best, "name")
    by_template, best = _weighed(fits, best, "template")
    names = mixed([(share, of_names(grid, *each)) for share, each in by_name], alpha)
    templates = mixed([(share, of_templates(grid, *each)) for share, each in by_template], alpha)
    n = grid.n
    return Pooled(
        names.open_ended(k.sum(axis=1), n.sum(axis=1)),
        templates.open_ended(k.sum(axis=0), n.sum(axis=0)),
        best.given,
    )


def _start(grid: Grid, k: FloatArray) -> Variances | None:
    """Variances by moments, as multiples of that of a single response."""
    latent = fit_latent(grid, k)
    if latent is None:
        return None
    found = np.array(
        [latent.name[0], latent.template, latent.template_group, latent.cell], dtype=np.float64
    )
    found /= max(1 - float(found.sum()), _LEAST_SAMPLE)
    # On steps that all studies have in common: where the search begins leaves no trace.
    steps = np.log(np.sqrt(np.maximum(found, _LOWEST**2)) / _LOWEST) / np.log(_RATIO)
    rate = float(k.sum() / grid.n.sum())
    return _variances(rate, *((_LOWEST * _RATIO ** np.clip(steps.round(), 0, _STEPS)) ** 2))


def _variances(rate: float, *components: float) -> Variances:
    """With groups about the rate of all, as far from it as single responses are."""
    total = 1 + float(sum(components))
    return Variances(float(ndtri(rate)) * total**0.5, total, *map(float, components))


def _tried(fits: _Fits, fit: _Fit, component: str, ratio: float) -> Iterator[_Fit]:
    """Fits with one component larger and larger, or smaller and smaller."""
    least, most = 0.9 * _LOWEST, 1.1 * _LOWEST * _RATIO**_STEPS
    while least < (variance := getattr(fit.given, component)) ** 0.5 * ratio < most:
        given = _variances(fits.rate, *fit.given._replace(**{component: variance * ratio**2})[2:])
        fit = fits.at(given, fit.known.sites)
        yield fit


def _climbed(fits: _Fits, best: _Fit, component: str) -> _Fit:
    """The fit with the likeliest of one component, the others as given."""
    for ratio in (_RATIO, 1 / _RATIO):
        first = best
        for fit in _tried(fits, best, component, ratio):
            if fit.height <= best.height:
                break
            best = fit
        if best is not first:
            break
    return best


def _weighed(
    fits: _Fits, fit: _Fit, component: str
) -> tuple[list[tuple[float, tuple[Known, float]]], _Fit]:
    """All fits with one component that matter, with their shares; and the likeliest."""
    found = [fit]
    for ratio in (_RATIO, 1 / _RATIO):
        for each in _tried(fits, fit, component, ratio):
            found.append(each)
            if each.height < max(one.height for one in found) - _NEGLIGIBLE:
                break
    heights = np.array([each.height for each in found])
    shares = np.exp(heights - heights.max())
    shares /= shares.sum()
    weighed = [
        (float(share), (each.known, each.given.cell))
        for share, each in zip(shares, found, strict=True)
    ]
    return weighed, found[int(heights.argmax())]
