"""Labels of responses that were given their opening, by whoever labels all others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.tables import LeafLabels, conform

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.labelling.labels import Labeller

_KEY = ("model", "prompt_id", "sample")


def label_leaves(
    responses: pl.DataFrame, labeller: Labeller, human: pl.DataFrame
) -> dy.DataFrame[LeafLabels]:
    """Label responses as whole texts: their opening and what was drawn on from it.

    Args:
        responses: a table of `LeafResponses`.
        labeller: of the study's responses.
        human: a table of `LeafHumanLabels`: what people say of some of them.

    Raises:
        InputError: see `Labeller.label`.
    """
    numbered = responses.with_columns(
        within="sample", sample=pl.int_range(pl.len(), dtype=pl.Int32).over("model", "prompt_id")
    )
    of_people = human.rename({"sample": "within"}).join(
        numbered.select(*_KEY, "opening", "within"), on=["model", "prompt_id", "opening", "within"]
    )
    labels = replace(labeller, human=of_people).label(
        numbered.drop("within", "opening", "weight", "expected")
    )
    rows = labels.join(
        numbered.select(*_KEY, "opening", "within"), on=_KEY, how="left", maintain_order="left"
    ).with_columns(sample="within")
    return conform(rows, LeafLabels, where="leaf labels")
