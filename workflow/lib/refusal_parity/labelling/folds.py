"""Predictions for every gold row by a model that has not seen its group."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from refusal_parity.labelling.features import Said, Settings, fit
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from refusal_parity.labelling.features import Model

LABELS = tuple(label.value for label in Label)
"""The order of every array of class probabilities."""

FOLDS = 5


@dataclass(frozen=True)
class OutOfFold:
    """Held-out predictions.

    Attributes:
        labels: true labels, one per gold row.
        said: what was predicted of each, uncalibrated; NaN in rows that no model could predict.
        folds: number of folds; 0 when the data have too few groups to be divided.
        lesson: the gold rows as they were read, where they were.
    """

    labels: np.ndarray
    said: Said
    folds: int
    lesson: Lesson | None = None

    @property
    def probabilities(self) -> np.ndarray:
        """Rows x classes in the order of `LABELS`."""
        return self.said.probabilities

    @property
    def predicted(self) -> np.ndarray:
        """Which rows have a held-out prediction."""
        held: np.ndarray = ~np.isnan(self.probabilities).any(axis=1)
        return held


def say(model: Model, texts: Sequence[str]) -> Said:
    """What a model says, with columns in the order of `LABELS`, 0 for unknown classes."""
    said = model.say(texts)
    probabilities = np.zeros((len(texts), len(LABELS)))
    probabilities[:, [LABELS.index(label) for label in model.classes]] = said.probabilities
    return replace(said, probabilities=probabilities)


def predict_out_of_fold(
    gold: pl.DataFrame, seed: int, settings: Settings | None = None
) -> OutOfFold:
    """Train on some groups of rows, predict the others, until each row was held out once.

    Args:
        gold: rows of the Gold table.
        seed: seed of the division into folds.
        settings: shape of the classifier.

    Returns:
        Predictions in the order of the rows.
    """
    settings = settings or Settings()
    lesson = Lesson.of(gold, settings)
    examples = lesson.examples
    said = Said.nothing(len(gold), len(LABELS))
    parts = _parts(examples.labels, examples.groups, seed)
    for rest, test in parts:
        if len(set(examples.labels[rest])) > 1 and len(test):
            model = fit(settings, seed, examples[rest])
            said = said.with_rows(test, say(model, lesson.texts[test].tolist()))
    place = lesson.place
    return OutOfFold(examples.labels[place], said[place], len(parts), lesson)


def _parts(
    labels: np.ndarray, groups: np.ndarray, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows to predict, for each fold."""
    # The splitter refuses more folds than its commonest class has rows.
    commonest = int(np.unique_counts(labels.astype(str)).counts.max()) if len(labels) else 0
    folds = min(FOLDS, len(set(groups)), commonest)
    if folds < 2:  # noqa: PLR2004 - a division needs two parts
        return []
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is met with a probability of 0 where it is absent.
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(labels, labels, groups))
