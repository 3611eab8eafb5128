"""What the classifier sees of a text and how it weighs it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

# A blank left open marks failures: "[" and "____" are words of their own.
_WORD = r"(?u)\b\w+\b|\[|_{3,}"


@dataclass(frozen=True)
class Settings:
    """All that shapes a classifier apart from its data and its seed."""

    word_ngrams: tuple[int, int] = (1, 3)
    char_ngrams: tuple[int, int] = (2, 5)
    min_documents: int = 2
    penalty: float = 10.0
    """Inverse strength of the L2 penalty, as in scikit-learn's C."""
    characters: int = 500
    """How much of each response is read; bounds time and memory of long ones."""
    max_iterations: int = 1000

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Settings:
        """The settings that `to_dict` stored."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
        }
        return cls(**values)


def build(settings: Settings, seed: int, rows: int) -> Pipeline:
    """An untrained pipeline: word and character TF-IDF, then logistic regression.

    Args:
        settings: its shape.
        seed: seed of the solver (lbfgs draws nothing, but a later one may).
        rows: size of the training data; in very small data every feature counts.
    """
    least = settings.min_documents if rows >= 10 * settings.min_documents else 1
    words = TfidfVectorizer(
        ngram_range=settings.word_ngrams,
        token_pattern=_WORD,
        sublinear_tf=True,
        min_df=least,
    )
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=settings.char_ngrams, sublinear_tf=True, min_df=least
    )
    return Pipeline(
        [
            ("features", FeatureUnion([("words", words), ("characters", characters)])),
            (
                "model",
                LogisticRegression(
                    C=settings.penalty, max_iter=settings.max_iterations, random_state=seed
                ),
            ),
        ]
    )


@dataclass(frozen=True, slots=True)
class Examples:
    """What a pipeline is trained on: prepared texts, labels and weights, one of each a row."""

    texts: Sequence[str]
    labels: Sequence[str]
    weights: Sequence[float]


def fit(settings: Settings, seed: int, examples: Examples) -> Pipeline:
    """A pipeline trained on prepared texts.

    Raises:
        ValueError: fewer than two classes, or no words in any text.
    """
    pipeline = build(settings, seed, len(examples.texts))
    # One thread: sums in a fixed order, and no threads in each other's way on a busy machine.
    with threadpool_limits(1):
        pipeline.fit(
            examples.texts, examples.labels, model__sample_weight=np.asarray(examples.weights)
        )
    for _, vectorizer in pipeline["features"].transformer_list:
        # NumPy integers would each be a file of their own inside the saved archive.
        vectorizer.vocabulary_ = {
            term: int(column) for term, column in vectorizer.vocabulary_.items()
        }
    return pipeline
