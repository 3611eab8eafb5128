"""Human labels of the study as rows that the classifier learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.audit.predicting import PART
from refusal_parity.audit.sampling import KEY
from refusal_parity.placeholders import filled_template
from refusal_parity.tables import Gold, Responses, conform, read_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import dataframely as dy


def as_gold(
    human: pl.DataFrame, responses: Sequence[Path], prompts: pl.DataFrame
) -> dy.DataFrame[Gold]:
    """The labelled responses with their texts, names and prompts.

    Args:
        human: rows of the HumanLabels table; undecided ones are left out.
        responses: tables of Responses, one for each model.
        prompts: rows of the Prompts table.

    Returns:
        Rows of the Gold table; `group_id` is the prompt's key.
    """
    decided = human.filter(pl.col("label").is_not_null()).select(*KEY, "label")
    texts = pl.concat(
        part.select(*KEY, "response").join(decided, on=KEY)
        for path in responses
        for part in read_parts(Responses, path, PART)
    )
    about = prompts.select("prompt_id", "name", prompt=filled_template())
    rows = texts.join(about, on="prompt_id").with_columns(
        group_id=pl.col("prompt_id"), weight=pl.lit(1.0)
    )
    return conform(rows, Gold, where="human labels")
