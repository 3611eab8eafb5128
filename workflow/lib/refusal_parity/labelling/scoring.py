"""A pipeline's probabilities, fast: character n-grams are counted once for each word.

`char_wb` n-grams never cross a blank, so a text's counts are the sum of its
words' counts. Words repeat; scikit-learn counts every occurrence anew in
Python, here a sparse product does it. The numbers are the pipeline's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline


def predict_proba(pipeline: Pipeline, texts: Sequence[str]) -> np.ndarray:
    """The same as `pipeline.predict_proba(texts)`, several times faster.

    Args:
        pipeline: one of `features.fit`.
        texts: one or more texts.

    Returns:
        Rows x classes in the order of `pipeline.classes_`.
    """
    parts = dict(pipeline["features"].transformer_list)
    features = sparse.hstack(
        [parts["words"].transform(texts), _character_features(parts["characters"], texts)],
        format="csr",
    )
    # More threads than free cores make the small dense products slower, not faster.
    with threadpool_limits(1):
        probabilities: np.ndarray = pipeline["model"].predict_proba(features)
    return probabilities


def _character_features(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> sparse.csr_matrix:
    """Rows x n-grams: what the fitted vectorizer's `transform` gives."""
    splitter = CountVectorizer(analyzer=str.split)
    try:
        occurrences = splitter.fit_transform([text.lower() for text in texts])
    except ValueError:  # not one word in all texts
        return sparse.csr_matrix((len(texts), len(vectorizer.vocabulary_)))
    counter = CountVectorizer(
        analyzer="char_wb",
        ngram_range=vectorizer.ngram_range,
        vocabulary=vectorizer.vocabulary_,
        lowercase=False,
    )
    counts = (occurrences @ counter.transform(splitter.get_feature_names_out())).astype(np.float64)
    counts.data = 1.0 + np.log(counts.data)
    weighted: sparse.csr_matrix = normalize(counts @ sparse.diags(vectorizer.idf_), copy=False)
    return weighted
