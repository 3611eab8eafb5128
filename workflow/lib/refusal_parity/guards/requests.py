"""What a guard reads: the request as its sender wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.config.arms import NO_GUARD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.config.arms import Arm


def guarded(prompts: pl.DataFrame) -> pl.Expr:
    """Whether a guard reads a prompt first; of a study without guards, false.

    Args:
        prompts: a table of `Prompts`.
    """
    if "guard" not in prompts.columns:
        return pl.lit(value=False)
    return pl.col("guard") != NO_GUARD


def open_prompts(prompts: pl.DataFrame) -> pl.DataFrame:
    """The prompts that a model is asked: those that no guard reads first."""
    return prompts.filter(~guarded(prompts))


def guarded_requests(prompts: pl.DataFrame, arms: Mapping[str, Arm], guard: str) -> pl.DataFrame:
    """The requests that a guard reads, without a wrapper, which the service puts around them.

    Args:
        prompts: a table of `Prompts`.
        arms: of the study.
        guard: its key.

    Returns:
        The rows of its prompts, with the column `request`.
    """
    around = {key: arm.around for key, arm in arms.items()}
    before = {key: len(texts[0]) for key, texts in around.items()}
    behind = {key: len(texts[1]) for key, texts in around.items()}
    start, end = (
        pl.col("arm").replace_strict(lengths, return_dtype=pl.Int64) for lengths in (before, behind)
    )
    return prompts.filter(guarded(prompts) & (pl.col("guard") == guard)).with_columns(
        request=pl.col("prompt").str.slice(
            start, pl.col("prompt").str.len_chars().cast(pl.Int64) - start - end
        )
    )
