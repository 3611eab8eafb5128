"""What methods say of studies in which they should not reject."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.answers import Verdicts
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.failures import Guard
from refusal_parity.statistics.registry import Setting, suited_to
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.batches import batches
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.nested import NestedNull
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.registry import Method
    from refusal_parity.statistics.simulation.latent import Latent

_AT_ONCE: Final = 250
"""Studies held at a time at most."""

_DESCRIBED: Final = 500
"""Studies that methods are run on of which no finding is made; all others are run on all."""

_WHOLE: Final = 17_000
"""Names x templates up to which as many studies are simulated as were asked for."""

_DRAWS: Final = 999
"""Permutations and bootstrap samples of each study: 1,000 alpha is a whole number."""


Key = tuple[str, Estimand]


def null_verdicts(
    grid: Grid,
    latent: Latent | NestedNull,
    analysis: AnalysisConfig,
    methods: Iterable[Method] | None = None,
    failures: dict[str, str] | None = None,
) -> dict[Key, Verdicts]:
    """Each method's verdicts on studies drawn from a model where it should not reject.

    Args:
        grid: names, templates and responses.
        latent: the model; one rate for all groups.
        analysis: alpha, margin, seed, and how many studies (`simulated`).
        methods: those that are run; by default all that the self-check runs where names meet
            templates.
        failures: filled with the methods that failed numerically, and why;
            they have no verdicts. Without it such an error is raised.

    Returns:
        By method and estimand, arrays of shape (studies, groups); of some 500 studies
        where a method only describes.
    """
    random, other = (
        np.random.default_rng([analysis.seed, *map(ord, key)]) for key in ("selfcheck", "margin")
    )
    at_margin = latent.planted(analysis.margin)
    parts: dict[Key, list[Verdicts]] = {}
    run = [each for each in methods or suited_to(DesignKind.CROSSED) if each.checked]
    start = 0
    for size in batches(simulated(analysis.selfcheck, grid.n.size), grid.n.size, _AT_ONCE):
        if start >= _DESCRIBED:
            run = [method for method in run if method.decides]
        studies, planted = (
            Studies(grid, _drawn(grid, law, size, source))
            for law, source in ((latent, random), (at_margin, other))
        )
        setting = Setting(
            analysis.alpha,
            analysis.margin,
            Draws(_DRAWS, analysis.seed + start),
            Resamples(_DRAWS, analysis.seed + start),
            deciding=True,
        )
        for method in run:
            of_null = planted if method.of_margin else studies
            for row in _guarded(method, of_null, setting, failures):
                ratio = row.estimand in {Estimand.RISK_RATIO, Estimand.ODDS_RATIO}
                verdicts = row.rejects(analysis.alpha, null=1 if ratio else 0)
                parts.setdefault((str(row.method), row.estimand), []).append(verdicts)
        start += size
    return {
        key: Verdicts(*(np.concatenate(each) for each in zip(*part, strict=True)))
        for key, part in parts.items()
    }


def simulated(asked: int, cells: int) -> int:
    """How many studies are simulated: fewer where one takes long, but not below 500.

    Args:
        asked: in the config.
        cells: names x templates.
    """
    return max(min(asked, round(asked * _WHOLE / cells)), min(asked, _DESCRIBED))


def _drawn(
    grid: Grid, law: Latent | NestedNull, studies: int, random: np.random.Generator
) -> FloatArray:
    if isinstance(law, NestedNull):
        return law.draw(studies, random)
    return simulate(grid, law, studies, random).k


def _guarded(
    method: Method, studies: Studies, setting: Setting, failures: dict[str, str] | None
) -> list[Answers]:
    """What a method gives; nothing where it fails, as it then does in all studies."""
    assert method.run is not None  # noqa: S101 - of `methods_for`
    run = partial(method.run, studies, setting)
    if failures is None:
        return run()
    if method in failures:
        return []

    def failed(reason: str) -> list[Answers]:
        failures[method] = reason
        return []

    return Guard().run("", run, failed)
