"""The leaves that a prompt's response may open with: how probable each is, and what is drawn."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTINUED: Final = 0.5
"""Responses a prompt, on average, that are given their opening.

What an opening settles needs few: each such response speaks for a probability of a percent or
less, where an ordinary draw is one of three.
"""


def strata(
    openings: pl.DataFrame,
    probabilities: pl.DataFrame,
    propensity: pl.DataFrame,
    *,
    longest: int,
    continued: float = CONTINUED,
) -> pl.DataFrame:
    """The leaves of each prompt that has draws, and how many responses are drawn on from each.

    In proportion to q sd, where q is the leaf's probability and sd the standard deviation of a
    label in it (Neyman 1934), both known without the prompt's own draws. Of n ordinary draws and
    `expected` responses with the opening given, n q + expected open so on average, and each
    stands for q / (n q + expected): the balance heuristic of Veach and Guibas (1995).

    Args:
        openings: a table of `Openings`, of one model.
        probabilities: of `OpeningProbabilities`.
        propensity: of `Propensity`.
        longest: tokens of a response at most; an opening that takes all of them is not drawn on.
        continued: responses a prompt, on average, that are given their opening; 0 for a model
            that cannot be given any.

    Returns:
        prompt_id, opening, token_ids, chance (q), share (of refusals, by other templates),
        spread (variance of a label, of Jeffreys' posterior), drawn (ordinary draws of the prompt),
        opened and opened_refusals (of them, those that open so), expected, and weight; sorted
        by prompt and opening. A leaf without any probability is none.
    """
    tree = openings.filter(pl.col("fold") > 0).select(
        "fold", "opening", "token_ids", "depth", "share", "responses", "refusals"
    )
    known = probabilities.select(
        "prompt_id",
        "opening",
        chance="probability_sampled",
        opened="drawn",
        opened_refusals="drawn_refusals",
    )
    mean = (pl.col("refusals") + 0.5) / (pl.col("responses") + 1)
    rows = (
        propensity.filter(pl.col("drawn") > 0)
        .select("prompt_id", "fold", "drawn")
        .join(tree, on="fold")
        .join(known.filter(pl.col("chance") > 0), on=["prompt_id", "opening"])
        .with_columns(spread=mean * (1 - mean))
        .sort("prompt_id", "opening")
    )
    size = pl.when(pl.col("depth") < longest).then(pl.col("chance") * pl.col("spread").sqrt())
    rows = rows.with_columns(size=size.fill_null(0.0))
    whole = math.fsum(rows["size"])
    each = continued * rows["prompt_id"].n_unique() / whole if whole else 0.0
    hoped = pl.col("drawn") * pl.col("chance") + pl.col("expected")
    return rows.with_columns(expected=pl.col("size") * each).select(
        *("prompt_id", "opening", "token_ids", "chance", "share", "spread", "drawn"),
        *("opened", "opened_refusals", "expected"),
        weight=pl.col("chance") / hoped,
    )


def numbers(rows: pl.DataFrame, seed: int) -> pl.Series:
    """How many responses are drawn on from each leaf: `expected`, rounded up or down by chance.

    Args:
        rows: of `strata`.
        seed: of the study's sampling.
    """
    return pl.Series("number", list(_numbers(rows, seed)), dtype=pl.Int64)


def _numbers(rows: pl.DataFrame, seed: int) -> Iterator[int]:
    for prompt_id, opening, expected in rows.select("prompt_id", "opening", "expected").iter_rows():
        digest = hashlib.sha256(f"{seed}|{prompt_id}|{opening}".encode()).digest()
        yield math.floor(expected + int.from_bytes(digest[:6], "big") / 2**48)
