"""How far the classifier can be trusted: agreement with gold rows it has not seen."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score
from sklearn.metrics import precision_recall_fscore_support as scores

from refusal_parity.files import write_text
from refusal_parity.labelling.calibration import Calibration
from refusal_parity.labelling.classifier import decide
from refusal_parity.labelling.folds import LABELS, predict_out_of_fold
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from refusal_parity.labelling.features import Settings
    from refusal_parity.labelling.folds import OutOfFold


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; null where nothing was predicted or nothing is true."""

    label: str
    rows: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Agreement:
    """How two labellings of the same responses agree.

    Attributes:
        rows: responses compared.
        binary_kappa: Cohen's kappa of refusal (harmful or not) against the rest.
        class_kappa: Cohen's kappa over all classes.
        macro_f1: mean F1 of the classes that occur in the truth.
        classes: scores of each class.
        confusion: rows are true, columns predicted classes, both in `labels`' order.
        labels: the classes.
    """

    rows: int
    binary_kappa: float | None
    class_kappa: float | None
    macro_f1: float | None
    classes: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...] = LABELS

    def sentence(self, of: str) -> str:
        """Both kappas in words."""
        binary, every = (
            "none" if kappa is None else f"{kappa:.3f}"
            for kappa in (self.binary_kappa, self.class_kappa)
        )
        return f"kappa on {self.rows:,} {of}: {binary} (refusal or not), {every} (all classes)"


@dataclass(frozen=True)
class CrossValidation:
    """Agreement of held-out predictions with the gold labels.

    Attributes:
        agreement: over all rows that a fold could predict.
        folds: number of folds; 0 when the gold cannot be divided.
        groups: groups of rows that stayed together.
        unpredicted: gold rows without a held-out prediction.
        calibration: fitted on the same predictions.
        seed: of the division.
    """

    agreement: Agreement
    folds: int
    groups: int
    unpredicted: int
    calibration: Calibration
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def compare(truth: Sequence[str], predicted: Sequence[str]) -> Agreement:
    """Agreement of two labellings.

    Args:
        truth: labels taken as true.
        predicted: labels of the same responses in the same order.
    """
    true, given = np.array(truth, dtype=object), np.array(predicted, dtype=object)
    if len(true) == 0:
        return Agreement(0, None, None, None, (), ())
    occurring = [label for label in LABELS if label in set(truth)]
    precision, recall, _, support = scores(true, given, labels=LABELS, zero_division=np.nan)
    return Agreement(
        rows=len(true),
        binary_kappa=_kappa(np.isin(true, REFUSALS), np.isin(given, REFUSALS)),
        class_kappa=_kappa(true, given),
        macro_f1=float(f1_score(true, given, labels=occurring, average="macro", zero_division=0)),
        classes=tuple(
            ClassScores(label, int(rows), _number(p), _number(r))
            for label, rows, p, r in zip(LABELS, support, precision, recall, strict=True)
        ),
        confusion=tuple(
            tuple(int(count) for count in row)
            for row in confusion_matrix(true, given, labels=LABELS)
        ),
    )


def cross_validate(
    gold: pl.DataFrame,
    seed: int,
    *,
    settings: Settings | None = None,
    held_out: OutOfFold | None = None,
) -> CrossValidation:
    """Score the classifier on gold rows that it has not seen, nor their groups.

    The calibration is fitted on the same held-out rows: three numbers, which can move a
    label between refusals and the rest only where both are almost balanced.

    Args:
        gold: rows of the Gold table.
        seed: seed of the division into folds.
        settings: shape of the classifier.
        held_out: predictions of `predict_out_of_fold` where they were made already.
    """
    held_out = held_out or predict_out_of_fold(gold, seed, settings)
    calibration = Calibration.of(held_out)
    rows = held_out.predicted
    predicted = (
        decide(calibration.apply(held_out.probabilities[rows])).tolist() if rows.any() else []
    )
    return CrossValidation(
        agreement=compare(held_out.labels[rows].tolist(), predicted),
        folds=held_out.folds,
        groups=gold["group_id"].n_unique(),
        unpredicted=int((~rows).sum()),
        calibration=calibration,
        seed=seed,
    )


def write_evaluation(result: CrossValidation, path: Path) -> None:
    """Write the result as JSON."""
    write_text(path, json.dumps(result.to_dict(), indent=2, sort_keys=True) + "\n")


def _kappa(truth: np.ndarray, predicted: np.ndarray) -> float | None:
    """Cohen's kappa; null when both sides know one and the same class alone."""
    if len(set(truth.tolist()) | set(predicted.tolist())) == 1:
        return None
    return float(cohen_kappa_score(truth.tolist(), predicted.tolist()))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
