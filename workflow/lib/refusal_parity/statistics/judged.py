"""What a judge says of answers beside what is measured of them: how often both say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from refusal_parity.quantities import Mean

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome

KEY = ("model", "prompt_id", "sample")
_ALL = 100.0
"""A share in the unit of outcomes that are shares: points."""


def beside_a_judge(
    observations: pl.DataFrame, judgements: pl.DataFrame, outcome: Outcome, level: pl.Expr
) -> pl.DataFrame:
    """Means by the judge and by the measure, and their agreement, by model and level.

    Over the full answers that were measured and that the judge read for the same.

    Args:
        observations: rows of `observe`, with the outcome's column, which is 0 or 100.
        judgements: rows of `Judgements`, with a column of the outcome's key.
        outcome: a share of answers, as a mean.
        level: of the dimension.

    Returns:
        Columns model, group, n_judged, judged_mean, measured_mean, judge_agreement, judge_kappa.
    """
    quantity = outcome.quantity
    assert isinstance(quantity, Mean)  # noqa: S101 - what is measured of texts is a mean
    both = (
        observations.with_columns(group=level)
        .filter(pl.col("label").is_in(sorted(quantity.labels)))
        .join(judgements.select(*KEY, judged=pl.col(str(outcome))), on=KEY)
        .drop_nulls(["group", "judged", quantity.column])
        .select("model", "group", "judged", found=pl.col(quantity.column) > _ALL / 2)
    )
    rows = [
        {"model": model, "group": group, **_compared(part)}
        for (model, group), part in both.group_by("model", "group", maintain_order=True)
    ]
    schema = {"model": pl.String, "group": pl.String, "n_judged": pl.Int64} | dict.fromkeys(
        ("judged_mean", "measured_mean", "judge_agreement", "judge_kappa"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema)


def _compared(part: pl.DataFrame) -> dict[str, Any]:
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415 - slow, and few have a judge

    judged, found = part["judged"].to_numpy(), part["found"].to_numpy()
    both_vary = len(set(judged)) > 1 or len(set(found)) > 1
    return {
        "n_judged": len(part),
        "judged_mean": _ALL * float(judged.mean()),
        "measured_mean": _ALL * float(found.mean()),
        "judge_agreement": float(np.mean(judged == found)),
        "judge_kappa": float(cohen_kappa_score(judged, found)) if both_vary else None,
    }
