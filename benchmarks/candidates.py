"""The classifiers that `study_classifiers.py` compares: each learns from rows and labels others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import networks
import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion

from refusal_parity.labelling.features import Settings, fit
from refusal_parity.labelling.folds import LABELS, say
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.labelling.masking import prepare
from refusal_parity.labelling.wording import ENDS
from refusal_parity.labelling.zones import Zone

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 1
_WORD: Final = r"(?u)\b\w+\b|\[|_{3,}"
_CHARACTERS: Final = 500
_QUARTER: Final = 0.25
"""Share of the sentence embeddings where they are mixed with runs of words."""
_PARTS: Final = 3
"""Divisions of the rows to learn from, in a second stage."""


@dataclass(frozen=True)
class Rows:
    """Labelled responses: columns response, name, prompt, label, group_id and weight."""

    frame: pl.DataFrame

    @property
    def labels(self) -> np.ndarray:
        """Labels, shape (rows,)."""
        return self.frame["label"].cast(pl.String).to_numpy()

    @property
    def texts(self) -> list[str]:
        """Beginnings of the responses, names masked."""
        return prepare(self.frame).str.slice(0, _CHARACTERS).to_list()

    def take(self, rows: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(self.frame[rows])


def tfidf(train: Rows, test: Rows) -> np.ndarray:
    """TF-IDF of words and of characters of the first 500 characters: the first edition."""
    features = _vectorizers().fit(train.texts)
    return _logistic(features.transform(train.texts), features.transform(test.texts), train.labels)


def positions(train: Rows, test: Rows) -> np.ndarray:
    """Runs of words by how early they stand, blind to the request."""
    blind = train.frame.with_columns(prompt=pl.lit(None, pl.String))
    unasked = test.frame.with_columns(prompt=pl.lit(None, pl.String))
    zones = (Zone(160, 3), Zone(40, 3))
    return _runs(Rows(blind), Rows(unasked), Settings(zones=zones))


def requests(train: Rows, test: Rows) -> np.ndarray:
    """The same with the words of the request made one, and how sentences begin: ships."""
    return _runs(train, test, Settings())


def sentences(train: Rows, test: Rows) -> np.ndarray:
    """A small layer over MiniLM's embeddings of sentences, pooled over the response."""
    return networks.pooled(train.frame, test.frame, SEED)


def mixed(train: Rows, test: Rows) -> np.ndarray:
    """What `requests` says, and to a quarter what `sentences` says."""
    return _mean(requests(train, test), sentences(train, test))


def tuned(train: Rows, test: Rows) -> np.ndarray:
    """MiniLM with its last two layers learnt anew, on the first 64 tokens."""
    return networks.tuned(train.frame, test.frame, SEED)


def stages(train: Rows, test: Rows) -> np.ndarray:
    """What `requests` says of the whole, its sentences and its opening, weighed anew."""
    splitter = StratifiedGroupKFold(_PARTS, shuffle=True, random_state=SEED)
    groups = train.frame["group_id"].to_numpy()
    known = np.zeros((len(train.labels), len(LABELS) * 4))
    for rest, held_out in splitter.split(known, train.labels, groups):
        known[held_out] = _by_sentence(train.take(rest), train.take(held_out))
    weights = train.frame["weight"].to_numpy()
    return _logistic(known, _by_sentence(train, test), train.labels, weights)


CANDIDATES: Final[dict[str, Callable[[Rows, Rows], np.ndarray]]] = {
    "tfidf": tfidf,
    "positions": positions,
    "requests": requests,
    "stages": stages,
    "sentences": sentences,
    "mixed": mixed,
    "tuned": tuned,
}


def _runs(train: Rows, test: Rows, settings: Settings) -> np.ndarray:
    lesson = Lesson.of(train.frame, settings)
    model = fit(settings, SEED, lesson.examples)
    return say(model, lesson.reader.read(test.frame)).probabilities


def _by_sentence(train: Rows, test: Rows) -> np.ndarray:
    """Logits of whole texts, of their first and last sentence, and the largest of any sentence."""
    lesson = Lesson.of(train.frame, Settings())
    model = fit(Settings(), SEED, lesson.examples)
    texts = lesson.reader.read(test.frame)
    parts = [_sentences_of(text) for text in texts]
    every = sorted({*texts, *(part for each in parts for part in each)})
    said = dict(zip(every, _logits(say(model, every).probabilities), strict=True))
    return np.array(
        [
            np.hstack(
                [said[text], said[each[0]], said[each[-1]], np.max([said[s] for s in each], 0)]
            )
            for text, each in zip(texts, parts, strict=True)
        ]
    )


def _sentences_of(text: str) -> list[str]:
    """Sentences of a text that a reader gave; at least one."""
    found: list[list[str]] = [[]]
    for word in text.split(" "):
        found[-1].append(word)
        if word in ENDS:
            found.append([])
    return [" ".join(words) for words in found if set(words) - ENDS] or [text]


def _mean(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The geometric mean of probabilities, the second ones to a quarter."""
    both = np.exp((1 - _QUARTER) * _logits(first) + _QUARTER * _logits(second))
    mean: np.ndarray = both / both.sum(axis=1, keepdims=True)
    return mean


def _vectorizers() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 3), token_pattern=_WORD, sublinear_tf=True, min_df=2)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2
    )
    return FeatureUnion([("words", words), ("characters", characters)])


def _logistic(
    train: Any, test: Any, labels: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    model = LogisticRegression(C=10, max_iter=1000, tol=1e-3).fit(train, labels, weights)
    every = np.zeros((test.shape[0], len(LABELS)))
    every[:, [LABELS.index(label) for label in model.classes_]] = model.predict_proba(test)
    return every


def _logits(probabilities: np.ndarray) -> np.ndarray:
    logits: np.ndarray = np.log(np.clip(probabilities, 1e-4, None))
    return logits
