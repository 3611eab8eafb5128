"""Labels of responses that were given their opening, by whoever labels all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.tables import LeafLabels, conform

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.labelling.labels import Labeller

_KEY = ("model", "prompt_id", "sample")


def label_leaves(responses: pl.DataFrame, labeller: Labeller) -> dy.DataFrame[LeafLabels]:
    """Label responses as whole texts: their opening and what was drawn on from it.

    Args:
        responses: a table of `LeafResponses`.
        labeller: of the study's responses.

    Raises:
        InputError: see `Labeller.label`.
    """
    numbered = responses.with_columns(
        within="sample", sample=pl.int_range(pl.len(), dtype=pl.Int32).over("model", "prompt_id")
    )
    labels = labeller.label(numbered.drop("within", "opening", "weight", "expected"))
    rows = labels.join(
        numbered.select(*_KEY, "opening", "within"), on=_KEY, how="left", maintain_order="left"
    ).with_columns(sample="within")
    return conform(rows, LeafLabels, where="leaf labels")
