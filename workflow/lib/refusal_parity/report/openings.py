"""Which first words carry a difference between two levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from refusal_parity.report.odds import furthest, small_rate, weighed_models
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import OpeningProbabilities, Openings, Prompts
from refusal_parity.text import plain, points, ratio

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

MOST: Final = 8
"""Openings that are shown; the others are added up."""


class Leaf(NamedTuple):
    """An opening with how often it opens a refusal, in two levels.

    Attributes:
        token_ids: its tokens.
        text: what they say.
        group: probability times share of refusals, mean over the level's prompts.
        reference: the same of the reference.
    """

    token_ids: tuple[int, ...]
    text: str
    group: float
    reference: float


class Carried(NamedTuple):
    """What carries the difference of two levels in some prompts.

    Attributes:
        group: a level.
        reference: that which it is compared with.
        template: the template of the prompts, or empty for all.
        leaves: openings, those that carry most first.
    """

    group: str
    reference: str
    template: str
    leaves: tuple[Leaf, ...]

    @property
    def difference(self) -> float:
        """Of the rates that all openings mean."""
        return sum(leaf.group - leaf.reference for leaf in self.leaves)


def carried(inputs: ReportInputs, model: str, *, of_template: bool) -> Carried | None:
    """The openings of the two levels whose odds differ most.

    Args:
        inputs: the study's tables.
        model: whose.
        of_template: of the template alone whose prompts differ most; else of all.

    Returns:
        None where nothing was measured.
    """
    effect = furthest(inputs, model)
    if effect is None or inputs.dimension not in inputs[Prompts].columns:
        return None
    pair = [effect["group"], effect["reference"]]
    leaves = inputs[Openings].filter(pl.col("model") == model, pl.col("fold") == 0)
    means = (
        inputs[OpeningProbabilities]
        .filter(pl.col("model") == model)
        .join(leaves.select("opening", "token_ids", "text", "share"), on="opening")
        .join(
            inputs[Prompts].select(
                "prompt_id", "template_id", "template", level=pl.col(inputs.dimension)
            ),
            on="prompt_id",
        )
        .filter(pl.col("level").is_in(pair))
        .with_columns(refused=pl.col("probability") * pl.col("share"))
        .group_by("template_id", "template", "opening", "text", "token_ids", "level")
        .agg(pl.col("refused").sort().mean())
    )
    if means.is_empty():
        return None
    wide = means.pivot("level", index=["template_id", "template", "opening", "text", "token_ids"])
    for level in pair:
        if level not in wide.columns:
            return None
    wide = wide.drop_nulls(pair).with_columns(more=pl.col(pair[0]) - pl.col(pair[1]))
    template = ""
    if of_template:
        by_template = (
            wide.group_by("template_id", "template")
            .agg(pl.col("more").sort().sum().abs())
            .sort(pl.col("more"), pl.col("template_id"), descending=[True, False])
        )
        first = by_template.row(0, named=True)
        wide = wide.filter(pl.col("template_id") == first["template_id"])
        template = str(first["template"])
    rows = (
        wide.group_by("opening", "text", "token_ids")
        .agg(pl.col(pair).sort().mean())
        .sort(
            (pl.col(pair[0]) - pl.col(pair[1])).abs(), pl.col("opening"), descending=[True, False]
        )
    )
    found = [
        Leaf(tuple(row["token_ids"]), row["text"], row[pair[0]], row[pair[1]])
        for row in rows.iter_rows(named=True)
    ]
    return Carried(pair[0], pair[1], template, tuple(found))


def openings_table(inputs: ReportInputs) -> Table | None:
    """The openings that carry most of the largest difference, over all prompts of each model."""
    rows = []
    for model in weighed_models(inputs):
        found = carried(inputs, model, of_template=False)
        if found is None:
            continue
        for leaf in found.leaves[:MOST]:
            more = leaf.group - leaf.reference
            part = more / found.difference if found.difference else None
            rows.append(
                (
                    Cell(plain(model)),
                    Cell(plain(leaf.text)),
                    Cell(f"{plain(found.group)} against {plain(found.reference)}"),
                    Cell(small_rate(leaf.group), leaf.group),
                    Cell(small_rate(leaf.reference), leaf.reference),
                    Cell(ratio(leaf.group / leaf.reference) if leaf.reference else ""),
                    Cell("" if part is None else f"{points(part)} %", part),
                )
            )
    if not rows:
        return None
    return Table(
        caption="First words that carry the largest odds ratio of each model: how often each opens "
        "a refusal, mean over all prompts of both levels, and its part of the difference.",
        columns=(
            ("Model", TEXT),
            ("Opens with", TEXT),
            ("Levels", TEXT),
            ("Group", NUMBER),
            ("Reference", NUMBER),
            ("Ratio", NUMBER),
            ("Part", NUMBER),
        ),
        rows=tuple(rows),
    )
