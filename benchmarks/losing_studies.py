"""Studies without any difference where one group loses responses to easy sentences.

As where a provider's filter stops requests with some names, or answers are cut off: of the second
group two in three responses are missing in the half of the templates that is refused least,
which makes its raw rate higher. Prints how often each test calls the group different from the
reference, 5 % being right: `make bench-losing`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.distributions import t_sf
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

SIZES, TEMPLATES, SAMPLES, LOST = (8, 8, 8), 24, 3, 2 / 3
PATTERNS = {"mild": (0.35, 0.7, 0.0, 0.17), "modern": (0.15, 1.5, 0.0, 0.3)}
SETTING = Setting(0.05, 0.05, Draws(999, 1), Resamples(1, 1), deciding=True)
TESTS = ("permutation_names", "permutation_names_f", "permutation_names_exact", "welch_names",
         "anova_names", "ols_cr2_two_way")  # fmt: skip


def draw(pattern: str, rate: float, studies: int, random: np.random.Generator) -> Studies:
    """Studies with one rate for all groups; templates stand in the order of their effects."""
    name, template, within, cell = PATTERNS[pattern]
    level = np.repeat(np.arange(len(SIZES)), SIZES)
    shape = (studies, len(level), TEMPLATES)
    n = np.full(shape[1:], SAMPLES)
    easy = np.arange(TEMPLATES) < TEMPLATES // 2
    losing = (level == 1)[:, None] & easy
    n = np.where(losing, random.binomial(SAMPLES, 1 - LOST, n.shape), n)
    score = np.full(shape, ndtri(rate) * np.sqrt(1 + name + template + within + cell))
    effects = np.sort(random.standard_normal((studies, 1, TEMPLATES)), axis=2)
    score += np.sqrt(template) * effects
    score += np.sqrt(within) * random.standard_normal((studies, len(SIZES), TEMPLATES))[:, level]
    score += np.sqrt(name) * random.standard_normal((*shape[:2], 1))
    score += np.sqrt(cell) * random.standard_normal(shape)
    k = random.binomial(n, ndtr(score)).astype(float)
    return Studies(Grid(("reference", "losing", "whole"), level, n.astype(float)), k)


def rejected(studies: Studies) -> dict[str, float]:
    """How often each test finds a difference: of the losing group, or of all groups."""
    found = {}
    for method in TESTS:
        run = METHODS[method].run
        assert run is not None  # noqa: S101 - of counts
        p_value = run(studies, SETTING)[0].values("p_value")[:, 0]
        found[method] = float((p_value <= SETTING.alpha).mean())
    found["level_means"] = float(np.mean([_by_means(studies, k) for k in studies.k]))
    return found


def _by_means(studies: Studies, k: FloatArray) -> bool:
    layout = studies.layout
    design = Design(
        layout.levels, layout.level, layout.name, layout.template, layout.n, k[studies.grid.n > 0]
    )
    weights = np.array([-1.0, 1.0, 0.0])
    found = contrast(level_means(design), weights, Scope.NEW_NAMES_AND_TEMPLATES)
    if found is None:
        return False
    p_value = 2 * float(t_sf(abs(found.estimate) / found.std_error, found.df))
    return p_value <= SETTING.alpha


def main() -> None:
    """Print a line for each pattern and rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    arguments = parser.parse_args()
    for pattern in PATTERNS:
        for rate in (0.02, 0.2, 0.5):
            random = np.random.default_rng(1)
            parts = [draw(pattern, rate, 100, random) for _ in range(arguments.studies // 100)]
            found = [rejected(part) for part in parts]
            shares = {key: np.mean([each[key] for each in found]) for key in found[0]}
            words = ", ".join(f"{key} {share:.1%}" for key, share in shares.items())
            print(f"{pattern}, rate {rate:.0%}: {words}", flush=True)


if __name__ == "__main__":
    main()
