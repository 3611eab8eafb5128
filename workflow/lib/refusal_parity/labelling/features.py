"""How a text's features are weighed: multinomial logistic regression on runs of words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from refusal_parity.labelling.ngrams import Found, Runs
from refusal_parity.labelling.zones import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """All that shapes a classifier apart from its data and its seed."""

    zones: tuple[Zone, ...] = (
        Zone(160, 3),
        Zone(40, 3),
        Zone(160, 5, starts=True),
    )
    """What is looked for where; the first holds whole texts."""
    min_documents: int = 3
    """Texts, and groups of texts, that a run must stand in."""
    penalty: float = 3.0
    """Inverse strength of the L2 penalty, as in scikit-learn's C."""
    tolerance: float = 1e-3
    max_iterations: int = 500

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """The settings that `to_dict` stored."""
        return cls(**stored | {"zones": tuple(Zone(**zone) for zone in stored["zones"])})


@dataclass(frozen=True, slots=True)
class Examples:
    """What a model is trained on.

    Attributes:
        found: runs of words of each text.
        labels: shape (texts,).
        weights: shape (texts,).
        groups: shape (texts,).
    """

    found: Found
    labels: npt.NDArray[np.str_]
    weights: FloatArray
    groups: npt.NDArray[np.str_]

    def __getitem__(self, rows: npt.NDArray[Any]) -> Examples:
        """Some of the examples."""
        return Examples(self.found[rows], self.labels[rows], self.weights[rows], self.groups[rows])


@dataclass(frozen=True)
class Said:
    """What a model says of some texts.

    Attributes:
        probabilities: uncalibrated, shape (texts, classes).
        unseen: share of words and pairs that the model has not met, shape (texts,).
        distance: 1 less the cosine to the nearest class's mean text, that times the share
            of words and pairs that are known, shape (texts,).
    """

    probabilities: FloatArray
    unseen: FloatArray
    distance: FloatArray

    def __getitem__(self, rows: npt.NDArray[Any]) -> Said:
        """What is said of some of the texts."""
        return Said(self.probabilities[rows], self.unseen[rows], self.distance[rows])

    def with_rows(self, rows: npt.NDArray[Any], said: Said) -> Said:
        """The same with something else said of some of the texts."""
        changed = Said(self.probabilities.copy(), self.unseen.copy(), self.distance.copy())
        changed.probabilities[rows] = said.probabilities
        changed.unseen[rows] = said.unseen
        changed.distance[rows] = said.distance
        return changed

    @classmethod
    def nothing(cls, rows: int, classes: int) -> Self:
        """Of texts that nothing is said of: NaN everywhere."""
        return cls(np.full((rows, classes), np.nan), np.full(rows, np.nan), np.full(rows, np.nan))

    @classmethod
    def together(cls, parts: Sequence[Said]) -> Self:
        """What is said of several lists of texts, one after the other."""
        return cls(
            np.concatenate([each.probabilities for each in parts]),
            np.concatenate([each.unseen for each in parts]),
            np.concatenate([each.distance for each in parts]),
        )


@dataclass(frozen=True)
class Model:
    """A trained model: plain arrays, so that a file of it holds nothing that runs.

    Attributes:
        runs: the features.
        classes: its labels in alphabetical order.
        weights: shape (features, classes).
        intercepts: shape (classes,).
        centres: mean text of each class, of length 1, shape (features, classes).
    """

    runs: Runs
    classes: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    intercepts: FloatArray
    centres: npt.NDArray[np.float32]

    def say(self, texts: Sequence[str]) -> Said:
        """What the model says of some texts.

        Args:
            texts: one or more, as a reader gives them.
        """
        counted = self.runs.count(texts)
        logits = counted.features @ self.weights + self.intercepts
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        length = np.sqrt(counted.features.multiply(counted.features).sum(axis=1))
        cosine = (counted.features @ self.centres).max(axis=1) / np.maximum(np.ravel(length), 1e-9)
        nearest = cosine * (1 - counted.unseen)
        return Said(
            odds / odds.sum(axis=1, keepdims=True), counted.unseen, np.clip(1 - nearest, 0, 1)
        )


def fit(settings: Settings, seed: int, examples: Examples) -> Model:
    """A model trained on texts.

    Raises:
        ValueError: fewer than two classes, or no words in any text.
    """
    runs = Runs.of(examples.found, examples.groups, settings.min_documents)
    features, labels = runs.weigh(examples.found), examples.labels
    regression = LogisticRegression(
        C=settings.penalty,
        max_iter=settings.max_iterations,
        tol=settings.tolerance,
        random_state=seed,
    )
    # One thread: sums in a fixed order, and no threads in each other's way on a busy machine.
    with threadpool_limits(1):
        regression.fit(features, labels, sample_weight=examples.weights)
    weighed, classes = regression.coef_, regression.classes_.tolist()
    if len(classes) == 2:  # noqa: PLR2004 - scikit-learn then keeps the second class alone
        weighed = np.vstack([np.zeros_like(weighed), weighed])
        intercepts = np.array([0.0, regression.intercept_[0]])
    else:
        intercepts = regression.intercept_
    means = np.vstack([np.asarray(features[labels == each].mean(axis=0)) for each in classes])
    return Model(
        runs=runs,
        classes=tuple(classes),
        weights=weighed.T.astype(np.float32),
        intercepts=intercepts,
        centres=(means / np.linalg.norm(means, axis=1, keepdims=True)).T.astype(np.float32),
    )
