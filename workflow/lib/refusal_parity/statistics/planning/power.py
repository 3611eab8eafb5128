"""What differences a design can find, and what it would take to find smaller ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct

from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.simulation.latent import components_at
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.statistics.variances.components import Components

_CERTAIN: Final = 20.0
"""Standard errors beyond the bound from where on power is 1."""
_ONE_SIDED: Final = 5.0
_MARGIN: Final = 0.005
"""Rates of groups stay so far from 0 and 1."""
_EXACT: Final = 1e-12
_MOST: Final = 100_000
"""Names, templates or samples beyond which a design is not sought."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a study is.

    Attributes:
        names: names of the group.
        reference: names of the reference.
        templates: sentences, each with every name.
        samples: responses to each prompt.
    """

    names: float
    reference: float
    templates: float
    samples: float

    def of(self, names: float) -> Size:
        """The same with this many names in the group and in the reference."""
        return replace(self, names=names, reference=names)


@dataclass(frozen=True, slots=True)
class Precision:
    """Variance of a difference, and the degrees of freedom that its estimate has."""

    variance: float
    df: float


def precision(
    parts: Components, size: Size, scope: Scope, reference: Components | None = None
) -> Precision:
    """Variance of the difference between a group and its reference in a complete study.

    With m names a group, T templates and S samples a prompt, the mean of a
    group varies over new names by w / m, w = sigma^2_name + sigma^2_cell / T +
    sigma^2_sample / (T S), with m - 1 degrees of freedom; over new templates
    too, by sigma^2_template_group / T more, with T - 1. Templates themselves
    move both groups alike. Degrees of freedom of the sum: Satterthwaite's
    (expected mean squares of the crossed design: Searle, Casella and McCulloch
    1992, *Variance Components*, chapter 4).

    Args:
        parts: components of variance on the scale of rates.
        size: names, templates and samples; two names a group or more.
        scope: new names, or new names and templates.
        reference: those of the reference, if it has others, as with another rate.
    """
    reference = reference or parts
    terms = [
        ((own.name + (own.cell + own.sample / size.samples) / size.templates) / m, m - 1)
        for own, m in ((parts, size.names), (reference, size.reference))
    ]
    if scope is Scope.NEW_NAMES_AND_TEMPLATES:
        both = parts.template_group + reference.template_group
        terms.append((both / size.templates, size.templates - 1))
    variance = sum(term for term, _ in terms)
    below = sum(term**2 / max(df, 1e-9) for term, df in terms)
    return Precision(variance, variance**2 / below if below else np.inf)


def power_of(given: Precision, difference: float, alpha: float) -> float:
    """Chance that a two-sided t test finds a difference: noncentral t with difference / se.

    Args:
        given: variance and degrees of freedom of the estimate.
        difference: the true one.
        alpha: level of the test.
    """
    bound = float(t_isf(alpha / 2, given.df))
    shift = abs(difference) / np.sqrt(given.variance) if given.variance > 0 else np.inf
    if shift > bound + _CERTAIN:
        return 1.0
    # Beyond five standard errors the other tail is below 1e-6, and NaN in scipy.
    wrong_side = nct.cdf(-bound, given.df, shift) if shift < _ONE_SIDED else 0.0
    return float(nct.sf(bound, given.df, shift) + wrong_side)


def minimum_detectable(given: Precision, alpha: float, power: float) -> float:
    """The difference that `power_of` finds with a given power, on the scale of rates."""
    if given.variance <= 0:
        return 0.0
    std_error = float(np.sqrt(given.variance))
    farthest = (float(t_isf(alpha / 2, given.df)) + _CERTAIN) * std_error
    # To the last digit: what one name more brings is the difference of two such numbers.
    return float(
        brentq(
            lambda each: power_of(given, each, alpha) - power,
            0.0,
            farthest,
            xtol=np.finfo(float).eps * std_error,
        )
    )


def smallest_difference(
    latent: Latent, size: Size, scope: Scope, alpha: float, power: float
) -> float | None:
    """The difference that a t test finds with a given power, each group varying as at its rate.

    A group that refuses more also varies more, so that the variance at the reference's rate
    would promise too much.

    Args:
        latent: variances, and the reference's rate.
        size: names, templates and samples.
        scope: to what the result is to generalise.
        alpha: level of the test.
        power: chance of finding the difference.

    Returns:
        None where there is none up to the farthest rate.
    """
    rate = float(latent.rates[0])
    reference = components_at(latent, 0)

    def lacking(difference: float) -> float:
        own = at_difference(latent, difference)
        return power_of(precision(own, size, scope, reference), difference, alpha) - power

    room = max(rate, 1 - rate) - _MARGIN
    if lacking(room) < 0:
        return None
    return float(brentq(lacking, 0.0, room, xtol=_EXACT))


def at_difference(latent: Latent, difference: float) -> Components:
    """Components of a group that differs from the first one: upwards where that is rare.

    Args:
        latent: the model.
        difference: of rates; beyond the farthest rate, that one is taken.
    """
    rate = float(latent.rates[0])
    other = rate + difference if rate <= 1 / 2 else rate - difference
    kept = min(max(other, _MARGIN), 1 - _MARGIN)
    return components_at(latent.with_rates(np.full(len(latent.mean), kept)), 0)


def smallest(finds: Callable[[int], bool], least: int) -> int | None:
    """The smallest whole number from `least` on for which a design finds a difference.

    Args:
        finds: whether it does; once true, true for all larger ones.
        least: where the search starts.

    Returns:
        None where even 100,000 do not.
    """
    if not finds(_MOST):
        return None
    low, high = least - 1, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        if finds(middle):
            high = middle
        else:
            low = middle
    return high
