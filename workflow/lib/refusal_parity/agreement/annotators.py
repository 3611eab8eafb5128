"""How far annotators agree with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.agreement.coefficients import gwet_ac1, krippendorff_alpha
from refusal_parity.agreement.pairs import REFUSAL, all_classes, classes_of, codes, drawn_times
from refusal_parity.vocabulary import Coefficient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.agreement.pairs import FloatArray

EVERYBODY: Final = "all annotators"
_FEW_DRAWS: Final = 200
"""Bootstrap samples here: each is computed anew from its ratings."""


def everybody_rows(votes: pl.DataFrame, alpha: float, seed: int) -> Iterator[dict[str, Any]]:
    """Alpha and AC1 of all annotators together, over the responses of all models.

    Args:
        votes: `Ratings.votes`.
        alpha: 1 less the level of the intervals.
        seed: of the bootstrap.

    Yields:
        Rows of the Agreement table; none with fewer than two annotators.
    """
    if votes["annotator"].n_unique() < 2:  # noqa: PLR2004 - agreement needs two
        return
    # People may be called like a column.
    people = {name: f"annotator {name}" for name in votes["annotator"].unique(maintain_order=True)}
    renamed = votes.with_columns(pl.col("annotator").replace_strict(people))
    wide = renamed.pivot(on="annotator", values="label", maintain_order=True)
    annotators = wide.select(people.values())
    for reading in (REFUSAL, all_classes(votes["label"])):
        categories = classes_of(reading)
        ratings = np.column_stack([codes(annotators[each], reading) for each in annotators.columns])
        measures: dict[Coefficient, Callable[[FloatArray], float | None]] = {
            Coefficient.KRIPPENDORFF_ALPHA: krippendorff_alpha,
            Coefficient.GWET_AC1: lambda rows, q=categories: gwet_ac1(rows, q),  # type: ignore[misc]
        }
        several = int(((~np.isnan(ratings)).sum(axis=1) > 1).sum())
        reason = "all labels are the same" if several else "no response has labels of two people"
        times = drawn_times(wide["name_id"], wide["template_id"], _FEW_DRAWS, seed)
        for coefficient, measure in measures.items():
            estimate = measure(ratings)
            drawn = [] if times is None else [measure(np.repeat(ratings, n, axis=0)) for n in times]
            kept = [value for value in drawn if value is not None]
            low, high = (
                np.quantile(kept, [alpha / 2, 1 - alpha / 2])
                if kept and estimate is not None
                else (None, None)
            )
            yield {
                "model": "all",
                "dimension": "all",
                "group": "all",
                "rater": EVERYBODY,
                "yardstick": EVERYBODY,
                "over": reading,
                "coefficient": str(coefficient),
                "n": several,
                "estimate": estimate,
                "ci_low": low,
                "ci_high": high,
                "weighted": False,
                "note": None if estimate is not None else f"not defined: {reason}",
            }
