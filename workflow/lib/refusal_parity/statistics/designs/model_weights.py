"""Which models are compared, as weighted sums over models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.config import AnalysisConfig


@dataclass(frozen=True, kw_only=True)
class ModelWeights:
    """A weighted sum over models: a difference of two, or the slope of a series.

    Attributes:
        key: its name in the table.
        model: of a difference.
        baseline: of a difference.
        weights: of each model; they add up to 0.
    """

    key: str
    model: str | None = None
    baseline: str | None = None
    weights: Mapping[str, float]

    @property
    def is_trend(self) -> bool:
        """Whether it is the slope of a series."""
        return self.model is None

    @property
    def farthest(self) -> float:
        """How far from 0 it can be of rates: all that weigh more than 0 at 1, the others at 0."""
        return sum(weight for weight in self.weights.values() if weight > 0)


def model_weights(analysis: AnalysisConfig, models: Sequence[str]) -> list[ModelWeights]:
    """The configured contrasts of models, or every model against the first, and the series.

    The slope of least squares over x = log2 of the size weighs model m by
    (x_m - mean) / sum (x - mean)^2: the change with each doubling in size.

    Args:
        analysis: contrasts and series.
        models: keys of the models, in the order of the config.
    """
    pairs = [(each.model, each.baseline) for each in analysis.model_contrasts]
    pairs = pairs or [(model, models[0]) for model in models[1:]]
    found = [
        ModelWeights(
            key=f"{model} - {baseline}",
            model=model,
            baseline=baseline,
            weights={model: 1.0, baseline: -1.0},
        )
        for model, baseline in pairs
    ]
    for key, sizes in analysis.model_series.items():
        x = np.log2(list(sizes.values()))
        centred = x - x.mean()
        slope = centred / (centred**2).sum()
        found.append(ModelWeights(key=key, weights=dict(zip(sizes, slope, strict=True))))
    return found
