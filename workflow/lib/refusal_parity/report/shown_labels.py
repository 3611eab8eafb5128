"""What each response counts as: its label, a refusal by the service, or why it counts nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.report.style import LABEL_COLOURS
from refusal_parity.tables import Labels
from refusal_parity.text import LABEL_NAMES, reason_words
from refusal_parity.vocabulary import REFUSALS, Exclusion

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

BY_SERVICE: Final = "filtered"
"""Stands among the labels for what the service's filter stopped."""

SHOWN: Final = {**{str(label): name for label, name in LABEL_NAMES.items()},
                BY_SERVICE: "Refused by the service"}  # fmt: skip
"""All that a response may count as, with the words for it."""

COLOURS: Final = dict(zip(SHOWN, LABEL_COLOURS, strict=True))

REFUSED: Final = (*map(str, REFUSALS), BY_SERVICE)


def shown_labels(inputs: ReportInputs, model: str | None = None) -> pl.LazyFrame:
    """The Labels table with `label` and `exclusion` as the study counted them, both as text.

    Of all models, or of one.

    `label` is a key of `SHOWN`, or null; then `exclusion` says in words why.
    """
    label, exclusion = (pl.col(each).cast(pl.String) for each in ("label", "exclusion"))
    filtered = pl.col("filtered")
    left_out = (
        pl.col("truncated") & ~filtered & exclusion.is_null()
        if inputs.config.analysis.truncated == "leave_out"
        else pl.lit(value=False)
    )
    counted = pl.lit(BY_SERVICE if inputs.counts_filtered else None, pl.String)
    reason = (
        pl.when(filtered & (not inputs.counts_filtered))
        .then(pl.lit(str(Exclusion.FILTERED)))
        .when(left_out)
        .then(pl.lit(str(Exclusion.LEFT_OUT)))
        .otherwise(exclusion)
    )
    words = {str(each): reason_words(each) for each in Exclusion}
    return inputs.scan(Labels, model).with_columns(
        label=pl.when(filtered).then(counted).when(~left_out).then(label),
        exclusion=reason.replace(words),
    )
