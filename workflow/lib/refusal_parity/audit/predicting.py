"""What the machine says of all responses, for a sample to be drawn by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.placeholders import filled_template
from refusal_parity.tables import Responses, read_parts
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier
    from refusal_parity.labelling.known_labels import KnowingClassifier

_NONE: Final = "none"
"""Stratum of prompts without a level."""

PART: Final = 20_000
"""Responses read at a time."""


def predicted_responses(
    paths: Sequence[Path],
    prompts: pl.DataFrame,
    classifier: Classifier | KnowingClassifier,
    by: str = "group",
    schema: type[Responses] = Responses,
) -> pl.DataFrame:
    """Every response that can be labelled, with its prompt and what the machine says.

    Args:
        paths: tables of Responses, one for each model.
        prompts: rows of the Prompts table.
        classifier: one that has learned from no human label of this study.
        by: column of prompts that strata are made by.
        schema: what the tables are: Responses or LeafResponses.

    Returns:
        Columns model, prompt_id, sample, response_id, response, truncated, group (of `by`),
        template_id, name, prompt, `predicted` and all else that the classifier says; of
        LeafResponses also opening, weight and their own `stratum`.
    """
    kept = ["model", "prompt_id", "sample", "response_id", "response", "truncated"]
    kept += [column for column in ("opening", "weight") if column in schema.column_names()]
    about = prompts.select(
        "prompt_id",
        pl.col(by).fill_null(_NONE).alias("group"),
        "template_id",
        "name",
        prompt=filled_template(),
    )
    parts = []
    for path in paths:
        for part in read_parts(schema, path, PART):
            rows = (
                part.filter(
                    pl.col("status").cast(pl.String) == Status.OK,
                    pl.col("response").str.strip_chars() != "",
                )
                .select(kept)
                .join(about, on="prompt_id", maintain_order="left")
            )
            said = classifier.predict(rows).rename({"label": "predicted"})
            parts.append(rows.hstack(said.cast({"predicted": pl.String})))
    rows = pl.concat(parts)
    if "opening" not in kept:
        return rows
    stratum = pl.format("{} / {} / {}, opening given", "model", "group", "predicted")
    return rows.with_columns(stratum=stratum)
