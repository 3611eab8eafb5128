"""What each conversation is like before its answers: its cluster and its harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.preference.near_duplicates import near_equal
from refusal_parity.tables import Conversations, conform

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

    from refusal_parity.preference.harm import HarmModel

STRATA: Final = 5


def describe_conversations(
    parts: Iterable[pl.DataFrame], harm: HarmModel
) -> dy.DataFrame[Conversations]:
    """Clusters of near-equal first requests, and how harmful the requests seem.

    Args:
        parts: rows of the Pairs table, some at a time.
        harm: the estimate.
    """
    pairs: list[int] = []
    openings: list[str] = []
    found: list[np.ndarray] = []
    for part in parts:
        analysed = part.filter(pl.col("exclusion").is_null())
        requests = analysed["requests"].to_list()
        pairs += analysed["pair"].to_list()
        openings += [each[0] for each in requests]
        found.append(harm.of_conversations(requests))
    estimates = np.concatenate([np.zeros(0), *found])
    cuts = np.quantile(estimates, np.arange(1, STRATA) / STRATA) if len(pairs) else np.zeros(0)
    frame = pl.DataFrame(
        {
            "pair": pairs,
            "cluster": near_equal(openings),
            "harm": estimates,
            "stratum": np.searchsorted(cuts, estimates, side="right"),
        }
    )
    return conform(frame, Conversations, where="conversations")
