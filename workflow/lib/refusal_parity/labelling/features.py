"""How a text's features are weighed: logistic regression, first refusal or not, then which kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from scipy.special import expit, softmax
from threadpoolctl import threadpool_limits

from refusal_parity.labelling.ngrams import ENOUGH, Found, Runs
from refusal_parity.labelling.regression import SettledRegression
from refusal_parity.labelling.zones import Zone
from refusal_parity.vocabulary import REFUSALS

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
    penalty: float = 30.0
    """Inverse strength of the L2 penalty on refusal or not, as in scikit-learn's C."""
    kind_penalty: float = 2.5
    """The same on which kind of refusal, and which kind of another response, it is."""

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
        refusal: weights for a refusal of whatever kind, shape (features,).
        bias: log odds of a refusal of a text without a known run; infinite where
            nothing else, or no refusal, was learnt.
        weights: for each class among its kind, refusals or others, shape (features, classes).
        intercepts: shape (classes,).
        centres: mean text of each class, of length 1, shape (features, classes).
    """

    runs: Runs
    classes: tuple[str, ...]
    refusal: npt.NDArray[np.float32]
    bias: float
    weights: npt.NDArray[np.float32]
    intercepts: FloatArray
    centres: npt.NDArray[np.float32]

    def say(self, texts: Sequence[str]) -> Said:
        """What the model says of some texts.

        Args:
            texts: one or more, as a reader gives them.
        """
        counted = self.runs.count(texts)
        refuses = expit(counted.features @ self.refusal.astype(np.float64) + self.bias)
        kinds = counted.features @ self.weights + self.intercepts
        probabilities = np.zeros((len(texts), len(self.classes)))
        refusals = np.isin(self.classes, REFUSALS)
        for side, share in ((refusals, refuses), (~refusals, 1 - refuses)):
            if side.any():
                probabilities[:, side] = softmax(kinds[:, side], axis=1) * share[:, None]
        length = np.sqrt(counted.features.multiply(counted.features).sum(axis=1))
        cosine = (counted.features @ self.centres).max(axis=1) / np.maximum(np.ravel(length), 1e-9)
        nearest = cosine * (1 - counted.unseen)
        return Said(probabilities, counted.unseen, np.clip(1 - nearest, 0, 1))


def fit(settings: Settings, seed: int, examples: Examples) -> Model:
    """A model trained on texts.

    How much a row counts matters for refusal or not. Which kind it is hangs on the request more
    than on who speaks, and there every row counts the same.

    Raises:
        ValueError: fewer than two classes, or no words in any text.
    """
    labels = examples.labels
    classes = sorted(set(labels.tolist()))
    if len(classes) < 2:  # noqa: PLR2004 - nothing to tell apart
        raise ValueError(f"nothing but {' '.join(classes)} to learn from")
    runs = Runs.of(examples.found, examples.groups, settings.min_documents)
    features = runs.weigh(examples.found)
    weights = np.zeros((features.shape[1], len(classes)), np.float32)
    intercepts = np.zeros(len(classes))
    refuses = np.isin(labels, REFUSALS)
    refusal, bias = np.zeros(features.shape[1], np.float32), np.inf if refuses.all() else -np.inf
    # One thread: sums in a fixed order, and no threads in each other's way on a busy machine.
    with threadpool_limits(1):
        if 0 < refuses.sum() < len(refuses):
            telling = _telling(runs, features, refuses)
            decided = SettledRegression(C=settings.penalty, random_state=seed).fit(
                features @ sparse.diags(telling), refuses, sample_weight=examples.weights
            )
            refusal = (decided.coef_[0] * telling).astype(np.float32)
            bias = float(decided.intercept_[0])
        for side in (refuses, ~refuses):
            if len(set(labels[side])) > 1:
                # What hardly any of them has says nothing of their kinds, and takes half the time.
                least = (
                    settings.min_documents if side.sum() >= ENOUGH * settings.min_documents else 1
                )
                met = np.flatnonzero(features[side].getnnz(axis=0) >= least)
                kinds = SettledRegression(C=settings.kind_penalty, random_state=seed).fit(
                    features[side][:, met], labels[side]
                )
                # Of two classes scikit-learn keeps the second alone.
                kept = kinds.classes_[-len(kinds.coef_) :].tolist()
                for kind, given, start in zip(kept, kinds.coef_, kinds.intercept_, strict=True):
                    weights[met, classes.index(kind)] = given
                    intercepts[classes.index(kind)] = start
    means = np.vstack([np.asarray(features[labels == each].mean(axis=0)) for each in classes])
    return Model(
        runs=runs,
        classes=tuple(classes),
        refusal=refusal,
        bias=bias,
        weights=weights,
        intercepts=intercepts,
        centres=(means / np.linalg.norm(means, axis=1, keepdims=True)).T.astype(np.float32),
    )


def _telling(runs: Runs, features: sparse.csr_matrix, refuses: npt.NDArray[np.bool_]) -> FloatArray:
    """How much each feature says by itself of refusal or not, shape (features,).

    The root of the absolute log-count ratio (Wang and Manning 2012, *Baselines and Bigrams*), so
    that what stands in refusals and others alike needs more evidence to count; over the length
    that the median text has by it in each zone, as the features themselves are.
    """
    present = features.astype(bool)
    shares = [(1 + present[side].sum(axis=0).A1) / (1 + side.sum()) for side in (refuses, ~refuses)]
    telling: FloatArray = np.sqrt(np.abs(np.log(shares[0] / shares[1])))
    zones = np.split(np.arange(len(telling)), np.cumsum([len(keys) for keys in runs.keys])[:-1])
    for zone in zones:
        weighed = features[:, zone] @ sparse.diags(telling[zone])
        lengths = np.sqrt(weighed.multiply(weighed).sum(axis=1).A1)
        if (lengths > 0).any():
            telling[zone] /= np.median(lengths[lengths > 0])
    return telling
