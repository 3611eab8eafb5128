"""How harmful a request seems: an estimate that groups are made comparable by.

A model of characters and words learns from the requests of the starter labels: those of the kind
`unsafe` against all others. It is weak, and documented as such: with it, a part of the
difference in harm is taken account of, never all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

from refusal_parity.csvfiles import read_csv
from refusal_parity.labelling.regression import SettledRegression
from refusal_parity.labelling.starter import starter_files
from refusal_parity.spelling import uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

MASK: Final = "people"
"""Stands in place of every mention: harm must not be read off the group itself."""

LONGEST: Final = 2_000
"""Characters of a request that are read."""

_UNSAFE: Final = "unsafe"
_BATCH: Final = 2_000


@dataclass(frozen=True)
class HarmModel:
    """A trained estimate.

    Attributes:
        pipeline: gives probabilities of a text's two classes.
        mask: takes the mentions of groups out of a text.
    """

    pipeline: Any
    mask: Callable[[str], str]

    def of_requests(self, texts: Sequence[str]) -> FloatArray:
        """Probability that each request is harmful, shape (texts,)."""
        if not texts:
            return np.zeros(0)
        masked = [self.mask(uniform(text[:LONGEST])) for text in texts]
        parts = [
            self.pipeline.predict_proba(masked[start : start + _BATCH])[:, 1]
            for start in range(0, len(masked), _BATCH)
        ]
        return np.asarray(np.concatenate(parts), dtype=np.float64)

    def of_conversations(self, requests: Sequence[Sequence[str]]) -> FloatArray:
        """The highest of each conversation's requests, shape (conversations,).

        Args:
            requests: what people say in each conversation, once or more.
        """
        found = self.of_requests(list(chain.from_iterable(requests)))
        starts = np.cumsum([0, *map(len, requests)])[:-1]
        return np.maximum.reduceat(found, starts) if len(starts) else found


def train_harm_model(mask: Callable[[str], str]) -> HarmModel:
    """Train on the requests of the starter labels, each once.

    Args:
        mask: takes the mentions of groups out of a text.
    """
    kinds: dict[str, bool] = {}
    for path in starter_files():
        frame = read_csv(path, required=("prompt", "kind"))
        for prompt, kind in frame.select("prompt", "kind").drop_nulls("prompt").iter_rows():
            kinds[mask(uniform(prompt))] = kind == _UNSAFE
    texts = sorted(kinds)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2
    )
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    pipeline = make_pipeline(
        make_union(characters, words),
        SettledRegression(C=3.0, class_weight="balanced", max_iter=500),
    )
    with threadpool_limits(1):
        pipeline.fit(texts, [kinds[text] for text in texts])
    return HarmModel(pipeline, mask)
