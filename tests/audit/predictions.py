"""Responses with what the classifier says of them, made up."""

from __future__ import annotations

import numpy as np
import polars as pl

from refusal_parity.labelling.folds import LABELS
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
)


def predicted(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """Responses of two models to two groups, with three labels of the machine."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(LABELS)), rows)
    probabilities[:, -1] = 0
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    number = np.arange(rows)
    return pl.DataFrame(
        {
            "model": np.where(number % 2, "a", "b"),
            "prompt_id": [f"p{k // 2}" for k in number],
            "sample": pl.Series(np.zeros(rows), dtype=pl.Int32),
            "response_id": [None if k % 4 else f"{k:032x}" for k in number],
            "group": np.where(number // 2 % 3, "white", "muslim"),
            "template_id": [f"t{k % 10}" for k in number],
            "name": np.where(number // 2 % 3, "Greg", "Omar"),
            "prompt": np.where(number // 2 % 3, "Greg eats [BLANK]", "Omar eats [BLANK]"),
            "response": [f"Omar eats {k} apples with Greg." for k in number],
            "truncated": number % 3 == 0,
            "predicted": [LABELS[k] for k in probabilities.argmax(axis=1)],
            **{column: probabilities[:, at] for at, column in enumerate(PROBABILITY_COLUMNS)},
            "unsure": False,
        }
    )
