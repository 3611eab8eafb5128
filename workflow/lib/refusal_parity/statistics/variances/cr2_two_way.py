"""Bias-reduced variances by name and by template put together, and their degrees of freedom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray


class OneWay(NamedTuple):
    """Bias-reduced variances of contrasts by one kind of cluster, and their precision.

    Both arrays are of shape (..., q).
    """

    variance: FloatArray
    df: FloatArray


def one_way(terms: FloatArray, df: FloatArray, level: IntArray | None) -> OneWay:
    """Sum of squared terms of clusters, with Satterthwaite's degrees of freedom.

    Where every cluster belongs to one level they come from the variances
    themselves, df = V^2 / sum over levels of V_l^2 / (G_l - 1) (Welch 1947),
    so that levels may vary unequally; else from the working model.

    Args:
        terms: of each cluster and contrast, W' e of `cr2.spread`, shape (..., clusters, q).
        df: degrees of freedom under the working model, shape (q,).
        level: level of each cluster, shape (clusters,); None where they cross levels.
    """
    squares = terms**2
    variance = np.asarray(squares.sum(axis=-2), dtype=np.float64)
    if level is None:
        return OneWay(variance, np.broadcast_to(df, variance.shape))
    sizes = np.bincount(level)
    belongs = (level == np.arange(len(sizes))[:, None]).astype(np.float64)
    spare = np.maximum(sizes - 1, 1)[:, None]
    parts = ((belongs @ squares) ** 2 / spare).sum(axis=-2)
    return OneWay(variance, variance**2 / np.where(parts > 0, parts, np.inf))


def both_ways(name: OneWay, template: OneWay, cell: FloatArray) -> OneWay:
    """V = max(V_name + V_template - V_cell, V_name, V_template), and its df.

    The subtraction alone may fall below what one kind of cluster shows, or
    below 0 (Cameron, Gelbach and Miller 2011). Of V, one kind holds its own
    variance A and the other what is left: df = V^2 / (A^2 / df_A +
    (V - A)^2 / df_B). That A is names and B templates, or the reverse, is not
    to be told where V_name = V_template, as when all outcomes sit in one cell;
    df is the smaller of both readings, which has no jump there.

    Args:
        name: variances clustered by name.
        template: variances clustered by template.
        cell: variances clustered by both at once, shape (..., q).
    """
    larger = np.maximum(name.variance, template.variance)
    variance = np.maximum(name.variance + template.variance - cell, larger)
    parts = [
        own.variance**2 / np.maximum(own.df, 1)
        + (variance - own.variance) ** 2 / np.maximum(other.df, 1)
        for own, other in ((name, template), (template, name))
    ]
    most = np.maximum(*parts)
    return OneWay(variance, variance**2 / np.where(most > 0, most, np.inf))


def level_of(level: IntArray, cluster: IntArray) -> IntArray | None:
    """Level of each cluster, shape (clusters,); None where a cluster stands at several.

    Args:
        level: level of each cell, shape (cells,).
        cluster: codes 0 to G - 1 that all occur, shape (cells,).
    """
    levels = int(level.max()) + 1
    pairs = np.unique(cluster * levels + level)
    return pairs % levels if len(pairs) == cluster.max() + 1 else None
