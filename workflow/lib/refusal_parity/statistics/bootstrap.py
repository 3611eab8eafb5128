"""Intervals by drawing names, or names and templates, anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from refusal_parity.statistics.results import Estimate, Pair, join_notes, not_estimable
from refusal_parity.statistics.rounding import TIE
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import BoolArray, Design, FloatArray, IntArray

METHODS = (Method.BOOTSTRAP_NAMES, Method.BOOTSTRAP_PIGEONHOLE)

_BLOCK = 2_000_000
"""Outcomes times names times samples held at a time: 8 MB."""


class Resamples(NamedTuple):
    """How bootstrap samples are drawn: how many, and the seed."""

    bootstraps: int
    seed: int


class Counts(NamedTuple):
    """Counts in the full grid of names and templates, zero where there is no response.

    Attributes:
        k: responses with each outcome, shape (outcomes, names, templates).
        n: responses, shape (names, templates).
        level: group of each name, codes 0 to g - 1 that all occur, shape (names,).
        levels: names of the groups.
    """

    k: FloatArray
    n: FloatArray
    level: IntArray
    levels: tuple[str, ...]


def resampled_rates(counts: Counts, resamples: Resamples, *, templates: bool) -> FloatArray:
    """Rates sum k / sum n of each group in bootstrap samples.

    Names are drawn with replacement within their group, and with `templates`
    templates too, once for all groups; a cell counts as often as its name and
    its template were drawn together (the pigeonhole bootstrap: Owen 2007,
    Annals of Applied Statistics 1:386-411; conservative). All outcomes share
    the draws. Those of a group are its own, so that they are the same whichever
    group is the reference.

    Args:
        counts: the grid.
        resamples: number of samples and seed.
        templates: whether templates are drawn anew.

    Returns:
        Shape (outcomes, groups, bootstraps); NaN in a sample without a response.
    """
    draws = resamples.bootstraps
    # Names of a group side by side.
    order = np.argsort(counts.level, kind="stable")
    members = np.bincount(counts.level)
    groups = [slice(end - size, end) for size, end in zip(members, np.cumsum(members), strict=True)]
    kind = _exact_kind(counts)
    drawn = np.concatenate(
        [
            _multiplicities(np.random.default_rng([resamples.seed, *group.encode()]), size, draws)
            for group, size in zip(counts.levels, members, strict=True)
        ]
    ).astype(kind)
    of_templates: FloatArray | None = None
    if templates:
        random = np.random.default_rng(resamples.seed)
        of_templates = _multiplicities(random, counts.n.shape[1], draws).astype(kind)

    def sums(grid: FloatArray) -> FloatArray:
        """Of each group in each sample, from shape (outcomes, names, templates)."""
        found = np.empty((len(grid), len(members), draws))
        block = max(1, _BLOCK // drawn.size)
        for start in range(0, len(grid), block):
            part = np.asarray(grid[start : start + block, order], dtype=kind)
            held = part.sum(axis=2)[..., None] if of_templates is None else part @ of_templates
            rows = found[start : start + block]
            for at, names in enumerate(groups):
                rows[:, at] = (
                    held[:, names, 0] @ drawn[names]
                    if of_templates is None
                    else np.einsum("ond,nd->od", held[:, names], drawn[names])
                )
        return found

    n = sums(counts.n[None])[0]
    return np.where(n > 0, sums(counts.k) / np.maximum(n, 1), np.nan)


def _exact_kind(counts: Counts) -> np.dtype[Any]:
    """Single precision where it holds every sum exactly, in half the time.

    Sums of whole numbers below 2^24 have no rounding in it: none can exceed
    the largest number as often as names and templates are drawn.
    """
    largest = 0.0
    # One by one: together they do not fit the processor's cache.
    for grid in (counts.n, *counts.k):
        if not (grid == np.rint(grid)).all():
            return np.dtype(np.float64)
        largest = max(largest, float(np.abs(grid).max(initial=0)))
    return np.dtype(np.float32 if largest * counts.n.size < 2**24 else np.float64)


def _multiplicities(random: np.random.Generator, size: int, draws: int) -> FloatArray:
    """How often each of `size` units is drawn, shape (size, draws)."""
    drawn = random.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
    counted = np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size)
    return np.ascontiguousarray(counted.T, dtype=np.float64)


def vary(differences: FloatArray, rates: FloatArray) -> BoolArray:
    """Whether differences of samples do, beyond the rounding of the rates.

    Args:
        differences: shape (..., bootstraps); NaN in a sample without a response.
        rates: of both groups, any shape.
    """
    if not differences.shape[-1]:
        return np.zeros(differences.shape[:-1], dtype=np.bool_)
    # As with `min`, so that samples without a response do not count, nor warn where all are.
    most, least = (each.reduce(differences, axis=-1) for each in (np.fmax, np.fmin))
    return np.asarray(most - least > TIE * np.fmax.reduce(np.abs(rates), axis=None))


def bootstrap_intervals(
    designs: list[Design], alpha: float, resamples: Resamples, *, method: Method
) -> list[list[Estimate]]:
    """Percentile intervals of each pair's difference.

    Args:
        designs: one for each outcome, of the same labelled responses; levels
            are a property of names.
        alpha: 1 less the level of the intervals.
        resamples: number of samples and seed.
        method: one of `METHODS`.

    Returns:
        For each design the rows of all pairs; there is no p-value.
    """
    counts = _grid(designs)
    templates = method is Method.BOOTSTRAP_PIGEONHOLE
    rates = resampled_rates(counts, resamples, templates=templates)
    single = _single(counts, designs[0].levels, templates=templates)
    found: list[list[Estimate]] = [[] for _ in designs]
    for at, design in enumerate(designs):
        observed = design.level_k / design.level_n
        for pair, level, base in design.pairs:
            reasons = [single[each] for each in (base, level) if each in single]
            found[at].append(
                not_estimable(method, Estimand.RISK_DIFFERENCE, pair, reasons[0])
                if reasons
                else _interval(
                    method,
                    pair,
                    float(observed[level] - observed[base]),
                    rates[at, [level, base]],
                    alpha,
                )
            )
    return found


def _grid(designs: list[Design]) -> Counts:
    first = designs[0]
    names = first.by_name()
    shape = (len(names.n), int(first.template.max()) + 1)
    at = first.name * shape[1] + first.template
    n, *k = (
        np.bincount(at, counted, shape[0] * shape[1]).reshape(shape).astype(np.float64)
        for counted in (first.n, *(design.k for design in designs))
    )
    return Counts(np.stack(k), n, names.level, first.levels)


def _single(counts: Counts, levels: tuple[str, ...], *, templates: bool) -> dict[int, str]:
    """Levels that leave nothing to draw, by code, and why."""
    reasons = {}
    for at, level in enumerate(levels):
        members = counts.level == at
        if templates and np.count_nonzero(counts.n[members].sum(axis=0)) == 1:
            reasons[at] = f"{level} has one template"
        if members.sum() == 1:
            reasons[at] = f"{level} has one name"
    return reasons


def _interval(
    method: Method, pair: Pair, estimate: float, rates: FloatArray, alpha: float
) -> Estimate:
    estimand = Estimand.RISK_DIFFERENCE
    drawn = rates[0] - rates[1]
    kept = drawn[~np.isnan(drawn)]
    empty = len(drawn) - len(kept)
    if not vary(kept, rates):
        return not_estimable(method, estimand, pair, "all samples drawn have the same difference")
    low, high = np.quantile(kept, [alpha / 2, 1 - alpha / 2])
    return Estimate(
        method=method,
        estimand=estimand,
        group=pair.group,
        reference=pair.reference,
        estimate=estimate,
        std_error=float(kept.std(ddof=1)),
        ci_low=float(low),
        ci_high=float(high),
        note=join_notes(
            f"{empty} of {len(drawn)} samples held no response of a group" if empty else None
        ),
    )
