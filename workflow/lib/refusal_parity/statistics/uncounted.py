"""Why there is no number of some responses: what befell all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.quantities import Mean
from refusal_parity.text import reason_words
from refusal_parity.vocabulary import Exclusion

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from refusal_parity.outcomes import Outcome

LABELLED: Final = "labelled"
UNSTATED: Final = "no reason stated"

NO_RESPONSE: Final = "no response"
"""Where nothing was given, or asked for."""

UNCOUNTED: Final = "no response that counts"
"""Where something was."""


def reason() -> pl.Expr:
    """Where a row of `observe` went: labelled, refused by the service, or why it was left out."""
    return (
        pl.when("filtered")
        .then(pl.lit(str(Exclusion.FILTERED)))
        .when(pl.col("label").is_not_null())
        .then(pl.lit(LABELLED))
        .otherwise(pl.col("exclusion").fill_null(UNSTATED))
    )


def nothing_of(reasons: Iterable[str]) -> str:
    """What a level has of which no response counts, by the reasons of its rows.

    The words have no comma and no semicolon, which part reasons of several levels.

    Args:
        reasons: of the ledger.

    Returns:
        `no response`, or `no response that counts (all cut off or failed)`.
    """
    found = sorted(set(reasons))
    if not set(found) - {Exclusion.NO_RESPONSE}:
        return NO_RESPONSE
    words = " or ".join(
        "without a label" if each == UNSTATED else reason_words(each) for each in found
    )
    return f"{UNCOUNTED} (all {words})"


def why_nothing(observations: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Of each combination of keys of whose responses none counts, why.

    Args:
        observations: rows of `observe`.
        keys: columns to look by.

    Returns:
        The keys and `nothing`, as from `nothing_of`.
    """
    lost = (
        observations.group_by(keys)
        .agg(pl.col("label").count().alias("n"), reason().unique().alias("reasons"))
        .filter(pl.col("n") == 0)
    )
    said = [nothing_of(reasons) for reasons in lost["reasons"].to_list()]
    return lost.select(*keys, nothing=pl.Series(said, dtype=pl.String))


def absent_levels(
    observations: pl.DataFrame,
    dimension: str,
    levels: Iterable[str],
    present: Container[str],
    outcome: Outcome,
) -> dict[str, str]:
    """A clause for each level that has nothing of an outcome: `south has no response`.

    Args:
        observations: rows of `observe`, of one model.
        dimension: whose levels they are.
        levels: all of them.
        present: those that have something.
        outcome: what is counted, or taken the mean of.
    """
    lost = [level for level in levels if level not in present]
    if not lost:
        return {}
    # Openings are weighed whether or not any response counts.
    of_openings = outcome.is_log_odds or outcome.is_weighed
    rows = observations.drop_nulls(dimension)
    why = {} if of_openings else dict(why_nothing(rows, [dimension]).iter_rows())
    there = set(rows[dimension])
    return {
        level: f"{level} has {why.get(level, _lacking(outcome) if level in there else NO_RESPONSE)}"
        for level in lost
    }


def _lacking(outcome: Outcome) -> str:
    """What a level has none of although responses of it count."""
    quantity = outcome.quantity
    if isinstance(quantity, Mean):
        return f"no {quantity.over}"
    if outcome.is_log_odds:
        return "no prompt with a measured propensity"
    return "no prompt with weighed responses" if outcome.is_weighed else UNCOUNTED
