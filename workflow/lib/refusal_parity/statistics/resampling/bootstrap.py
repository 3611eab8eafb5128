"""Rates of groups whose names, or names and templates, are drawn anew."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import TIE

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray

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
    drawn = _names_drawn(counts.levels, tuple(members.tolist()), resamples).astype(kind)
    of_templates: FloatArray | None = None
    if templates:
        of_templates = _templates_drawn(counts.n.shape[1], resamples).astype(kind)

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


@lru_cache(maxsize=2)
def _names_drawn(
    levels: tuple[str, ...], members: tuple[int, ...], resamples: Resamples
) -> FloatArray:
    """How often each name is drawn, the same for all studies, shape (names, bootstraps)."""
    drawn = [
        _multiplicities(
            np.random.default_rng([resamples.seed, *level.encode()]), size, resamples.bootstraps
        )
        for level, size in zip(levels, members, strict=True)
    ]
    return np.concatenate(drawn)


@lru_cache(maxsize=2)
def _templates_drawn(templates: int, resamples: Resamples) -> FloatArray:
    """How often each template is drawn, likewise, shape (templates, bootstraps)."""
    random = np.random.default_rng(resamples.seed)
    return _multiplicities(random, templates, resamples.bootstraps)


def _multiplicities(random: np.random.Generator, size: int, draws: int) -> FloatArray:
    """How often each of `size` units is drawn, shape (size, draws)."""
    drawn = random.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
    counted = np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size)
    return np.ascontiguousarray(counted.T, dtype=np.float64)


def vary(differences: FloatArray, largest: FloatArray) -> BoolArray:
    """Whether differences of samples do, beyond the rounding of the rates.

    Args:
        differences: shape (..., bootstraps); NaN in a sample without a response.
        largest: rate of either group in any sample, shape (...).
    """
    if not differences.shape[-1]:
        return np.zeros(differences.shape[:-1], dtype=np.bool_)
    # As with `min`, so that samples without a response do not count, nor warn where all are.
    most, least = (each.reduce(differences, axis=-1) for each in (np.fmax, np.fmin))
    return np.asarray(most - least > TIE * largest)
