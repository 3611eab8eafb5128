"""Predictions for every gold row by a model that has not seen its group."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedGroupKFold

from refusal_parity.labelling.features import Examples, Settings, fit
from refusal_parity.labelling.masking import prepare
from refusal_parity.labelling.scoring import predict_proba
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.pipeline import Pipeline

LABELS = tuple(label.value for label in Label)
"""The order of every array of class probabilities."""

FOLDS = 5


@dataclass(frozen=True)
class OutOfFold:
    """Held-out predictions.

    Attributes:
        labels: true labels, one per gold row.
        probabilities: rows x classes, uncalibrated; NaN in rows that no model could predict.
        folds: number of folds; 0 when the data have too few groups to be divided.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    folds: int

    @property
    def predicted(self) -> np.ndarray:
        """Which rows have a held-out prediction."""
        held: np.ndarray = ~np.isnan(self.probabilities).any(axis=1)
        return held


def texts_of(frame: pl.DataFrame, settings: Settings) -> list[str]:
    """Prepared texts, cut to the length that the classifier reads."""
    return prepare(frame).fill_null("").str.slice(0, settings.characters).to_list()


def class_columns(pipeline: Pipeline, texts: Sequence[str]) -> np.ndarray:
    """Class probabilities, rows x classes in the order of `LABELS`, 0 for unknown classes."""
    probabilities = np.zeros((len(texts), len(LABELS)))
    columns = [LABELS.index(label) for label in pipeline.classes_]
    if len(texts) > 0:
        probabilities[:, columns] = predict_proba(pipeline, texts)
    return probabilities


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
    # Folds are cut along sorted rows, so that the order of the gold files plays no part.
    order = gold.with_row_index("_row").sort("response", "label", "name", "prompt", "group_id")
    position = order["_row"].to_numpy()
    gold = order.drop("_row")
    texts = np.array(texts_of(gold, settings), dtype=object)
    labels = gold["label"].cast(pl.String).to_numpy()
    groups = gold["group_id"].to_numpy()
    weights = gold["weight"].to_numpy()
    probabilities = np.full((len(labels), len(LABELS)), np.nan)
    # The splitter refuses more folds than its commonest class has rows.
    commonest = int(np.unique_counts(labels.astype(str)).counts.max()) if len(labels) else 0
    folds = min(FOLDS, len(set(groups)), commonest)
    if folds < 2:  # noqa: PLR2004 - a division needs two parts
        return OutOfFold(labels[np.argsort(position)], probabilities, folds=0)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is met with a probability of 0 where it is absent.
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(splitter.split(texts, labels, groups))
    for rest, test in parts:
        if len(set(labels[rest])) > 1 and len(test):
            examples = Examples(*(each[rest].tolist() for each in (texts, labels, weights)))
            pipeline = fit(settings, seed, examples)
            probabilities[test] = class_columns(pipeline, texts[test].tolist())
    back = np.argsort(position)
    return OutOfFold(labels[back], probabilities[back], folds=folds)
