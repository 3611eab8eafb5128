"""The classifier: learns from gold rows, gives each response probabilities and a label."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.labelling.calibration import Calibration
from refusal_parity.labelling.familiar import Familiar
from refusal_parity.labelling.features import Said, Settings, fit
from refusal_parity.labelling.folds import LABELS, predict_out_of_fold, say
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.labelling.seen import Seen
from refusal_parity.tables import PROBABILITY_COLUMNS
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.labelling.features import Model
    from refusal_parity.labelling.folds import OutOfFold
    from refusal_parity.labelling.wording import Reader

VERSION: Final = 9
"""Part of every classifier's identity: raise it when a change alters predictions."""

BATCH: Final = 2_000
"""Responses whose features are in memory at a time."""

HUMAN_FOLDS: Final = 5
"""Parts of the study's prompts that are each labelled without their own human labels."""

_REFUSALS = np.isin(LABELS, REFUSALS)


def decide(probabilities: np.ndarray) -> np.ndarray:
    """Labels from probabilities: first refusal or not, then which kind.

    The two refusals are weighed together against the other four. Otherwise a
    clear refusal of doubtful kind would lose to an answer that is less likely
    than both kinds together, and the refusal rate would be biased down.

    Args:
        probabilities: rows x classes in the order of `LABELS`.

    Returns:
        One label per row.
    """
    refuses = probabilities[:, _REFUSALS].sum(axis=1) > probabilities[:, ~_REFUSALS].sum(axis=1)
    eligible = np.where(_REFUSALS[None, :] == refuses[:, None], probabilities, -1.0)
    labels: np.ndarray = np.array(LABELS, dtype=object)[eligible.argmax(axis=1)]
    return labels


@dataclass(frozen=True)
class Classifier:
    """A trained classifier.

    Attributes:
        reader: turns responses into words.
        models: features and their weights. One, trained on all gold rows; or,
            once people labelled responses of the study, one for each fold of its
            prompts, trained without the human labels of that fold.
        calibration: of its probabilities, fitted on held-out rows.
        familiar: how unlike those learnt from a response may be.
        seen: what was said of held-out gold rows, which stands in for what a
            model says where it meets one of them again.
        settings: its shape.
        seed: seed it was trained with.
        classifier_id: hash of data, settings, seed and version.
    """

    reader: Reader
    models: tuple[Model, ...]
    calibration: Calibration
    familiar: Familiar
    seen: Seen
    settings: Settings
    seed: int
    classifier_id: str

    def say(self, frame: pl.DataFrame) -> Said:
        """Calibrated class probabilities, by a model that did not learn from the row.

        Args:
            frame: columns `response`, `name` and `prompt`, and `prompt_id`
                where there are models for folds.

        Returns:
            Probabilities in the order of `LABELS`, and how unlike those learnt
            from each response is.
        """
        texts = self.reader.read(frame)
        folds = [0] * len(texts)
        if len(self.models) > 1:
            folds = fold_of(frame["prompt_id"], len(self.models))
        places = list(zip(folds, texts, strict=True))
        # Short answers repeat word for word once names are masked.
        batches = list(_batches(sorted(set(places))))
        if not batches:
            return Said.nothing(0, len(LABELS))
        parts = Said.together([say(self.models[fold], batch) for fold, batch in batches])
        distinct = [(fold, text) for fold, batch in batches for text in batch]
        position = {place: row for row, place in enumerate(distinct)}
        rows = np.fromiter((position[place] for place in places), np.intp, len(places))
        said = self.seen.replace(parts[rows], frame)
        return replace(said, probabilities=self.calibration.apply(said.probabilities))

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Labels and probabilities, one row per response and in the same order.

        Args:
            frame: columns `response` (no nulls), `name` and `prompt`, and
                `prompt_id` where there are models for folds.

        Returns:
            `label`, `PROBABILITY_COLUMNS`, `unseen`, `distance` and `unsure`, as in the
            Labels table.
        """
        said = self.say(frame)
        return pl.DataFrame(
            [
                pl.Series(
                    "label", decide(said.probabilities).tolist(), dtype=pl.Enum(list(LABELS))
                ),
                *(
                    pl.Series(column, said.probabilities[:, index])
                    for index, column in enumerate(PROBABILITY_COLUMNS)
                ),
                pl.Series("unseen", said.unseen),
                pl.Series("distance", said.distance),
                pl.Series("unsure", self.familiar.is_exceeded(said)),
            ]
        )


def train(
    gold: pl.DataFrame,
    seed: int,
    *,
    settings: Settings | None = None,
    held_out: OutOfFold | None = None,
) -> Classifier:
    """Train a classifier. The order of the rows does not matter.

    Args:
        gold: rows of the Gold table, two classes or more.
        seed: seed of the folds that the calibration uses.
        settings: its shape.
        held_out: predictions of `predict_out_of_fold` for the same gold, seed
            and settings, where they were made already.
    """
    settings = settings or Settings()
    held_out = held_out or predict_out_of_fold(gold, seed, settings)
    lesson = held_out.lesson or Lesson.of(gold, settings)
    return Classifier(
        reader=lesson.reader,
        models=(fit(settings, seed, lesson.examples),),
        calibration=Calibration.of(held_out),
        familiar=Familiar.of(held_out),
        seen=Seen.of(gold, held_out),
        settings=settings,
        seed=seed,
        classifier_id=_identity(lesson.rows, settings, seed),
    )


def train_further(classifier: Classifier, gold: pl.DataFrame, human: pl.DataFrame) -> Classifier:
    """Train on human labels of the study too, so that no row meets its own label.

    The study's prompts are divided into `HUMAN_FOLDS` folds by their keys. Each
    fold gets a model of its own, trained on the gold rows and on the human
    labels of the other folds; it labels all responses of its fold, labelled by
    people or not. So the machine's errors on the rows that people labelled are
    those it makes on the rest, which the correction of the rates rests on.

    Args:
        classifier: trained on the gold rows alone; its calibration is kept.
        gold: the rows it was trained on.
        human: rows of the Gold table, `group_id` holding the prompt's key.
    """
    settings, seed = classifier.settings, classifier.seed
    lesson = Lesson.of(pl.concat([gold, human]), settings, classifier.reader)
    folds = np.full(len(lesson.rows), -1)
    folds[lesson.place[len(gold) :]] = fold_of(human["group_id"], HUMAN_FOLDS)
    parts = [lesson.examples[folds != one] for one in range(HUMAN_FOLDS)]
    return replace(
        classifier,
        models=tuple(fit(settings, seed, part) for part in parts),
        classifier_id=_identity(lesson.rows, settings, seed),
    )


def fold_of(prompt_ids: pl.Series, folds: int) -> list[int]:
    """The fold of each prompt, from a hash of its key: the same on every machine."""
    known = {
        key: int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % folds
        for key in prompt_ids.unique()
    }
    return [known[key] for key in prompt_ids]


def _identity(rows: pl.DataFrame, settings: Settings, seed: int) -> str:
    digest = hashlib.sha256()
    shape = {"settings": settings.to_dict(), "seed": seed, "version": VERSION}
    digest.update(json.dumps(shape, sort_keys=True).encode())
    for row in rows.iter_rows():
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()[:16]


def _batches(places: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Texts of one fold each, a batch at a time; `places` are sorted."""
    for fold, group in groupby(places, key=itemgetter(0)):
        texts = [text for _, text in group]
        for start in range(0, len(texts), BATCH):
            yield fold, texts[start : start + BATCH]
