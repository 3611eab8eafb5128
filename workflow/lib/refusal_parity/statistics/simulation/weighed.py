"""Studies of weighed rates without a difference: from a latent scale, with the errors there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.simulation.calibration import HALFWAY
from refusal_parity.statistics.simulation.latent import fit_latent_rates

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.simulation.latent import Latent


def fit_weighed(grid: Grid, k: FloatArray) -> Latent | None:
    """The null model of a study of weighed rates; see `calibration.null_distances`.

    Args:
        grid: names, templates, prompts and the errors of their rates.
        k: sums of the prompts' rates, shape (names, templates).

    Returns:
        None where rates do not vary.
    """
    noise = np.zeros_like(k) if grid.noise is None else grid.noise.variance
    return fit_latent_rates(grid, k, noise, own=HALFWAY)


def simulate_weighed(
    studies: Studies, k: FloatArray, latent: Latent, count: int, random: np.random.Generator
) -> Studies:
    """Studies of the same prompts without a difference between levels.

    The probability of each cell is drawn, and its error, whose variance is as much of the
    probability as it is in the study: errors come of single responses that refuse or do not,
    each of which moves a rate by `noise.step`, so that a Poisson number of such steps, less its
    mean, has the variance and the skewness of what is measured.

    Args:
        studies: whose cells, levels and pairs these are, and whose errors.
        k: the study's own sums of rates, shape (names, templates).
        latent: the model, as `fit_weighed` gives it.
        count: how many.
        random: where draws come from.
    """
    grid = studies.grid
    names, templates = grid.n.shape
    score = random.standard_normal((count, names, templates))
    score *= np.sqrt(latent.cell)
    shared = random.standard_normal((count, 1, templates)) * np.sqrt(latent.template)
    own = random.standard_normal((count, len(grid.levels), templates))
    shared = latent.mean[:, None] + shared + own * np.sqrt(latent.template_group)
    score += shared[:, grid.level]
    of_name = random.standard_normal((count, int(studies.names.max()) + 1))[:, studies.names]
    score += (of_name * np.sqrt(latent.name[grid.level]))[:, :, None]
    score /= np.sqrt(latent.sample)
    rates = ndtr(score)
    if grid.noise is not None and grid.noise.step > 0:
        prompts = np.where(grid.n > 0, grid.n, 1)
        spread = max(float(grid.noise.variance.sum() / k.sum()), 0.0)
        step = grid.noise.step
        steps = random.poisson(rates * prompts * spread / step**2)
        rates += (steps * step - rates * prompts * spread / step) / prompts
    return Studies(grid, rates * grid.n, studies.template_effects, studies.every_pair)
