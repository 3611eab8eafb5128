"""Textbook methods on the rates of levels and of names, over many studies at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.distributions import chi2_sf, f_sf, norm_isf, t_isf, t_sf
from refusal_parity.statistics.grid import by_level
from refusal_parity.statistics.proportions import wilson
from refusal_parity.statistics.repeated.results import Repeated
from refusal_parity.statistics.roots import root_of_difference
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import FloatArray
    from refusal_parity.statistics.repeated.results import Studies


def proportions(studies: Studies, alpha: float) -> list[Repeated]:
    """`proportions.newcombe`, `katz` and `chi_square`."""
    k, n = studies.level_k.sum(axis=2), studies.level_n.sum(axis=1)
    groups = studies.grid.levels[1:]
    return [_newcombe(k, n, groups, alpha), _katz(k, n, groups, alpha), *_pearson(k, n, groups)]


def _newcombe(k: FloatArray, n: FloatArray, groups: tuple[str, ...], alpha: float) -> Repeated:
    p = k / n
    low, high = wilson(k, np.broadcast_to(n, k.shape), alpha)
    difference = p[:, 1:] - p[:, :1]
    down = np.sqrt((p - low)[:, 1:] ** 2 + (high - p)[:, :1] ** 2)
    up = np.sqrt((high - p)[:, 1:] ** 2 + (p - low)[:, :1] ** 2)
    return Repeated(
        method=Method.NEWCOMBE,
        estimand=Estimand.RISK_DIFFERENCE,
        groups=groups,
        estimate=difference,
        low=difference - down,
        high=difference + up,
    )


def _katz(k: FloatArray, n: FloatArray, groups: tuple[str, ...], alpha: float) -> Repeated:
    """The ratio itself, so that 1 is no difference."""
    ours, others = k[:, 1:], k[:, :1]
    whole = (ours == n[1:]) & (others == n[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (ours / n[1:]) / (others / n[0])
        error = np.sqrt(1 / ours - 1 / n[1:] + 1 / others - 1 / n[0])
    none = (ours == 0) | (others == 0) | whole
    reach = np.where(none, np.nan, norm_isf(alpha / 2) * error)
    with np.errstate(invalid="ignore"):
        low, high = ratio * np.exp(-reach), ratio * np.exp(reach)
    return Repeated(
        method=Method.KATZ,
        estimand=Estimand.RISK_RATIO,
        groups=groups,
        estimate=ratio,
        low=low,
        high=high,
    )


def _pearson(k: FloatArray, n: FloatArray, groups: tuple[str, ...]) -> list[Repeated]:
    def p_value(levels: list[int]) -> FloatArray:
        hits, sizes = k[:, levels], n[levels]
        pooled = (hits.sum(axis=1) / sizes.sum())[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = (sizes * (hits / sizes - pooled) ** 2).sum(axis=1) / (
                pooled * (1 - pooled)
            )[:, 0]
        return np.asarray(chi2_sf(statistic, len(levels) - 1), dtype=np.float64)

    method = Method.CHI_SQUARE
    pairs = np.column_stack([p_value([0, at]) for at in range(1, len(n))])
    every = p_value(list(range(len(n))))[:, None]
    p = k / n
    return [
        Repeated(
            method=method,
            estimand=Estimand.RISK_DIFFERENCE,
            groups=groups,
            estimate=p[:, 1:] - p[:, :1],
            p_value=pairs,
        ),
        Repeated(method=method, estimand=Estimand.GLOBAL, groups=(None,), p_value=every),
    ]


def mantel_haenszel(studies: Studies) -> list[Repeated]:
    """`mantel_haenszel.generalised_cmh` of each contrast and of all levels."""
    k, n = studies.level_k, studies.level_n
    method, groups = Method.MANTEL_HAENSZEL, studies.grid.levels[1:]
    pairs = [_cmh(k[:, [0, at]], n[[0, at]]) for at in range(1, len(n))]
    return [
        Repeated(
            method=method,
            estimand=Estimand.ODDS_RATIO,
            groups=groups,
            p_value=np.column_stack(pairs),
        ),
        Repeated(
            method=method, estimand=Estimand.GLOBAL, groups=(None,), p_value=_cmh(k, n)[:, None]
        ),
    ]


def _cmh(k: FloatArray, n: FloatArray) -> FloatArray:
    """p-value of each study; k of shape (studies, groups, strata), n of (groups, strata)."""
    total, events = n.sum(axis=0), k.sum(axis=1)
    used = (total > 1) & (events > 0) & (events < total)
    safe = np.where(total > 1, total, 2)
    less = n[1:]
    excess = np.where(used[:, None], k[:, 1:] - less * (events / safe)[:, None], 0).sum(axis=2)
    factor = np.where(used, events * (total - events) / (safe**2 * (safe - 1)), 0)
    covariance = -np.einsum("rt,gt,ht->rgh", factor, less, less, optimize=True)
    at = np.arange(len(less))
    covariance[:, at, at] += (factor * total) @ less.T
    found = np.full(len(k), np.nan)
    full = ~np.isnan(root_of_difference(covariance)).any(axis=(1, 2))
    solved = np.linalg.solve(covariance[full], excess[full][..., None])[..., 0]
    found[full] = chi2_sf(np.einsum("rg,rg->r", excess[full], solved), len(less))
    return found


def name_rates(studies: Studies, alpha: float) -> list[Repeated]:
    """`name_rates.welch` of each contrast and the analysis of variance of the names' rates."""
    grid, rates = studies.grid, studies.name_rates
    sizes = np.bincount(grid.level)
    means = by_level(grid, rates[..., None])[..., 0] / sizes
    squares = by_level(grid, ((rates - means[:, grid.level]) ** 2)[..., None])[..., 0]
    spare = sizes - 1
    parts = squares / np.where(spare > 0, spare, np.nan) / sizes
    both = parts[:, 1:] + parts[:, :1]
    size = by_level(grid, rates[..., None] ** 2)[..., 0] / sizes
    both = np.where(is_noise(both, size[:, 1:] + size[:, :1]), np.nan, both)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_df = parts**2 / spare
        df = both**2 / (per_df[:, 1:] + per_df[:, :1])
    difference, std_error = means[:, 1:] - means[:, :1], np.sqrt(both)
    reach = t_isf(alpha / 2, df) * std_error
    between = (sizes * (means - rates.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    within = squares.sum(axis=1)
    q, rest = len(sizes) - 1, len(rates[0]) - len(sizes)
    usable = ~is_noise(within, (rates**2).sum(axis=1)) & (rest > 0)
    statistic = between / q / (np.where(usable, within, np.nan) / max(rest, 1))
    return [
        Repeated(
            method=Method.WELCH_NAMES,
            estimand=Estimand.RISK_DIFFERENCE,
            groups=grid.levels[1:],
            estimate=difference,
            std_error=std_error,
            df=df,
            p_value=2 * t_sf(np.abs(difference / std_error), df),
            low=difference - reach,
            high=difference + reach,
        ),
        Repeated(
            method=Method.ANOVA_NAMES,
            estimand=Estimand.GLOBAL,
            groups=(None,),
            p_value=f_sf(statistic, q, max(rest, 1))[:, None],
        ),
    ]
