"""Kinds of studies whose true rates are known: what programs that judge the statistics draw.

Studies come from probit models, apart from the model that calibrates the test: names may vary
unequally or by a skewed, heavy-tailed or mixed law, some templates may be far off or move groups
more than others, and cells may be missing, at random or where they are easy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies

if TYPE_CHECKING:
    from collections.abc import Callable

DESIGNS = {
    "24x32": ((8, 8, 8, 4, 4), 24),
    "32x56": ((8,) * 7, 32),
    "20x24": ((8, 8, 8), 20),
    "6x12": ((4, 4, 4), 6),
    "24x48, 20 against 4": ((20, 4, 20, 4), 24),
    "24x48, 4 against 20": ((4, 20, 20, 4), 24),
    "250x133, uneven": ((50, 35, 20, 12, 8, 8), 250),
}
"""Names of each group, the reference first, and templates."""
PATTERNS = {
    "MILD": (0.35, 0.7, 0.1, 0.17),
    "STRONG": (5.4, 11.5, 0.2, 1.1),
    "LOW": (0.05, 0.7, 0.02, 0.1),
    "MODERN": (0.15, 1.5, 0.05, 0.3),
}
"""Variances of names, templates, templates within groups, and cells; that of responses is 1."""

_GRID = np.linspace(-12, 12, 20_001)
_SHARES = (np.arange(4000) + 0.5) / 4000
_HOT, _FAR, _MORE = 0.2, 2.0, 6.0
"""Share of templates that are hot, how many standard deviations they lie above others, and how
many times as much they move one group and not others."""
_LOSES = 2 / 3
"""What every other group loses of the cells of easy templates, where it does."""


def _mixture(
    *parts: tuple[float, float, float],
) -> Callable[[np.ndarray | float], np.ndarray]:
    """Quantiles of a mixture of normal laws: shares, means and standard deviations."""
    held = sum(share * ndtr((_GRID - mean) / deviation) for share, mean, deviation in parts)
    return lambda share: np.asarray(np.interp(share, np.asarray(held), _GRID))


LAWS: dict[str, Callable[..., np.ndarray]] = {
    "normal": ndtri,
    # A tenth of the names carries six tenths of the variance.
    "skewed": _mixture((0.9, -np.sqrt(0.6 / 9), np.sqrt(0.4)), (0.1, np.sqrt(5.4), np.sqrt(0.4))),
    "mixed": _mixture((0.75, -0.5, 0.5), (0.25, 1.5, 0.5)),
    "lognormal": lambda share: (np.exp(ndtri(share)) - np.exp(0.5)) / np.sqrt(np.e * (np.e - 1)),
    "t3": lambda share: stdtrit(3, share) / np.sqrt(3),
}
"""Quantiles of the effects of names, of mean 0 and variance 1."""


@dataclass(frozen=True)
class Scenario:
    """One kind of study.

    Attributes:
        design: of `DESIGNS`.
        pattern: of `PATTERNS`.
        rate: of the reference.
        more: by how much the other groups' rates lie above it.
        names: factors of the variance of each group's names, repeated as needed.
        law: of names' effects, of `LAWS`.
        hot: whether a fifth of the templates lies far above the others and moves groups more.
        missing: share of the cells without a response; the others have 1 to 4.
        easy: whether every other group has lost most cells of the easier half of the templates.
        samples: of each cell, where none is missing.
    """

    design: str
    pattern: str
    rate: float
    more: tuple[float, ...] = (0.0,)
    names: tuple[float, ...] = (1.0,)
    law: str = "normal"
    hot: bool = False
    missing: float = 0.0
    easy: bool = False
    samples: int = 3

    @property
    def rates(self) -> np.ndarray:
        """True rates of the groups."""
        others = len(DESIGNS[self.design][0]) - 1
        return np.asarray(self.rate + np.concatenate([[0.0], np.resize(self.more, others)]))

    def words(self) -> str:
        """How it stands in the table."""
        said = [self.design, self.pattern, f"{100 * self.rate:g} %"]
        if any(self.more):
            said.append("+" + "/".join(f"{100 * each:g}" for each in self.more))
        if len(self.names) > 1:
            said.append("names x" + "/".join(f"{each:g}" for each in self.names))
        if self.samples != 3:
            said.append(f"{self.samples} samples")
        said += [self.law] * (self.law != "normal")
        said += ["hot templates"] * self.hot + ["easy cells lost"] * self.easy
        return " ".join([*said, *["unbalanced"] * (self.missing > 0)])


def of_templates(scenario: Scenario) -> list[tuple[float, float, float, float]]:
    """Kinds of templates: shares, means, variances, and variances within groups; mean 0."""
    _, template, within, _ = PATTERNS[scenario.pattern]
    if not scenario.hot:
        return [(1.0, 0.0, template, within)]
    far = _FAR * np.sqrt(template)
    return [
        (1 - _HOT, -_HOT * far, template, within),
        (_HOT, (1 - _HOT) * far, template, _MORE * within),
    ]


def threshold(scenario: Scenario, rate: float, own: float) -> float:
    """The mean of the latent scale that gives a rate over new names and templates.

    Args:
        scenario: what varies.
        rate: that is to be.
        own: variance of the names.
    """
    *_, cell = PATTERNS[scenario.pattern]
    names = np.sqrt(own) * LAWS[scenario.law](_SHARES)

    def expected(mean: float) -> float:
        if scenario.law == "normal":
            return sum(
                share * float(ndtr((mean + at) / np.sqrt(own + template + within + cell + 1)))
                for share, at, template, within in of_templates(scenario)
            )
        return sum(
            share * float(ndtr((mean + at + names) / np.sqrt(template + within + cell + 1)).mean())
            for share, at, template, within in of_templates(scenario)
        )

    return float(brentq(lambda mean: expected(mean) - rate, -60, 60))


def scores(
    scenario: Scenario, studies: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Groups of the names, and scores of names and templates before what cells add.

    The second is of shape (studies, names, templates).
    """
    sizes, templates = DESIGNS[scenario.design]
    level = np.repeat(np.arange(len(sizes)), sizes)
    own = PATTERNS[scenario.pattern][0] * np.resize(scenario.names, len(sizes))
    mean = np.array(
        [
            threshold(scenario, rate, variance)
            for rate, variance in zip(scenario.rates, own, strict=True)
        ]
    )
    normal = random.standard_normal
    of_name = LAWS[scenario.law](random.random((studies, len(level)))) * np.sqrt(own[level])
    kinds = np.array(of_templates(scenario))
    kind = random.choice(len(kinds), p=kinds[:, 0], size=(studies, templates))
    _, at, variance, within = np.moveaxis(kinds[kind], -1, 0)
    template = at + np.sqrt(variance) * normal((studies, templates))
    if scenario.easy:
        # The easier ones first, since all studies of a batch lack the same cells.
        order = np.argsort(template, axis=1)
        template, within = (np.take_along_axis(each, order, axis=1) for each in (template, within))
    score = mean[level][None, :, None] + of_name[..., None] + template[:, None]
    moved = np.sqrt(within)[:, None] * normal((studies, len(sizes), templates))
    return level, score + moved[:, level]


def draw(scenario: Scenario, studies: int, random: np.random.Generator) -> Studies:
    """Studies of a scenario, with the pairs with the reference."""
    return answered(scenario, *scores(scenario, studies, random), random)


def answered(
    scenario: Scenario, level: np.ndarray, score: np.ndarray, random: np.random.Generator
) -> Studies:
    """Studies whose responses follow from the scores of names and templates."""
    *_, cell = PATTERNS[scenario.pattern]
    score = score + np.sqrt(cell) * random.standard_normal(score.shape)
    n: np.ndarray = np.full(score.shape[1:], scenario.samples)
    if scenario.missing:
        # One design for all studies of a batch; groups lose rows on templates of their own.
        n = np.asarray(random.integers(1, 5, n.shape))
        n[random.random(n.shape) < scenario.missing] = 0
    if scenario.easy:
        lost = random.random(n.shape) < _LOSES
        lost[:, n.shape[1] // 2 :] = False
        n[lost & (level % 2 == 1)[:, None]] = 0
    k = random.binomial(n, ndtr(score)).astype(float)
    names = tuple(f"g{at}" for at in range(len(DESIGNS[scenario.design][0])))
    return Studies(Grid(names, level, n.astype(float)), k)
