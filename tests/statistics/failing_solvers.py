"""A solver that fails, and a study whose tables rest on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]

STATISTICS = "refusal_parity.statistics"
WORDS = "SVD did not converge"
REASON = f"not estimable: numerical failure ({WORDS})"
ANALYSIS = AnalysisConfig(
    outcomes=[Outcome.REFUSAL, Outcome.NO_FULL_ANSWER, Outcome.ANSWER_LENGTH],
    dimensions={"group": DimensionConfig(reference="x")},
    permutations=99,
    bootstraps=99,
    selfcheck=60,
)


def failing(*_: Any, **__: Any) -> Any:
    raise np.linalg.LinAlgError(WORDS)


def observed(study: Study, *models: str) -> pl.DataFrame:
    """Three names in each of three groups, four templates, with lengths of answers."""
    parts = []
    for seed, model in enumerate(models):
        random = np.random.default_rng(seed + 3)
        letters = lambda: "".join(random.choice(list("aarp"), 3))  # noqa: B023, E731
        groups = {
            group: {f"{group}{at}": [letters() for _ in range(5)] for at in range(3)}
            for group in "xyz"
        }
        part = study(groups, model=model)
        parts.append(part.with_columns(words=pl.Series(random.integers(3, 30, part.height))))
    return pl.concat(parts)
