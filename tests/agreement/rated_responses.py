"""Responses that several raters labelled, made up, and their agreement."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from refusal_parity.agreement.ratings import Ratings
from refusal_parity.agreement.table import measure_agreement
from refusal_parity.config import AnalysisConfig

NO_VOTES = pl.DataFrame(
    schema=dict.fromkeys(
        ("model", "prompt_id", "sample", "template_id", "name_id", "annotator", "label"), pl.String
    )
)


def rows(missed: dict[str, float], seed: int = 0) -> pl.DataFrame:
    """Three groups of eight names on twenty templates; half of the responses refuse.

    Args:
        missed: share of refusals that the classifier misses, by group.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    made: list[dict[str, Any]] = []
    for group, rate in missed.items():
        for name in range(8):
            for template in range(20):
                refused = (template + name) % 2 == 0
                wrong = refused and random.random() < rate
                truth = "refusal" if refused else "answer"
                made.append(
                    {
                        "model": "m", "prompt_id": f"{group}{name}-{template}", "sample": 0,
                        "template_id": f"t{template}", "name_id": f"{group}{name}", "group": group,
                        "gender": None, "commonness": None,
                        "classifier": "answer" if wrong else truth,
                        "keyword": "refusal" if refused else "answer", "imported": truth,
                        "judge": None, "human": None, "inclusion_probability": None,
                    }
                )  # fmt: skip
    types = {"judge": pl.String, "human": pl.String, "inclusion_probability": pl.Float64}
    types |= {"gender": pl.String, "commonness": pl.String}
    return pl.DataFrame(made, schema_overrides=types)


def measured(frame: pl.DataFrame, votes: pl.DataFrame = NO_VOTES) -> pl.DataFrame:
    return measure_agreement(Ratings(rows=frame, votes=votes), AnalysisConfig())


def only(table: pl.DataFrame, **wanted: str) -> dict[str, Any]:
    wanted = {"dimension": "all", "group": "all", "over": "refusal_or_not"} | wanted
    found = table.filter(pl.col(key).cast(pl.String) == value for key, value in wanted.items())
    assert len(found) == 1
    return found.row(0, named=True)
