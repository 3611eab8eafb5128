"""Of whom responses that were given an opening have no label, beside a weighed difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.dimensions import composed
from refusal_parity.statistics.losses.left_out import WORTH_SAYING, telling
from refusal_parity.tables import Prompts, Weighed
from refusal_parity.text import level_words, percent

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs


def unlabelled_after_openings(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str
) -> list[str]:
    """A sentence where many of some level have none; nothing of another outcome.

    The ledger of what was left out counts ordinary draws alone.
    """
    if not outcome.is_weighed:
        return []
    prompts = inputs[Prompts].with_columns(*composed())
    if dimension not in prompts.columns:
        return []
    counts = (
        inputs[Weighed]
        .filter(pl.col("model") == model)
        .join(prompts.select("prompt_id", level=dimension), on="prompt_id")
        .drop_nulls("level")
        .group_by("level")
        .agg(pl.col("continued", "continued_unlabelled").sum())
        .filter(pl.col("continued") > 0)
        .sort("level")
    )
    shares = {level: lost / given for level, given, lost in counts.iter_rows()}
    if max(shares.values(), default=0.0) <= WORTH_SAYING:
        return []
    said = enumerated(
        [
            f"{percent(share)} for {level_words(dimension, level)}"
            for level, share in telling(shares)
        ]
    )
    sentence = (
        f"Of the responses that were given an opening, {said} have no label. Each counts as the "
        "share of refusals that its opening has elsewhere: so a difference may be hidden, or look "
        "larger than it is, by as much as these differ from others."
    )
    return [sentence]
