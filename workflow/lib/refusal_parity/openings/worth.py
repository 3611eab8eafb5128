"""Whether weighing pays where refusals are common: what noise it leaves, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.openings.propensity import ALL, leaves_of
from refusal_parity.openings.strata import CONTINUED
from refusal_parity.openings.tree import leaf_of
from refusal_parity.text import percent

if TYPE_CHECKING:
    from refusal_parity.openings.pilot import Pilot
    from refusal_parity.openings.tree import Leaf

RARE: Final = 0.05
"""Rate up to which refusals count as rare.

Of more frequent ones the noise of drawing is a small part of what a difference is uncertain by, and
ordinary draws show how prompts differ.
"""

REQUEST: Final = 4.0
"""Tokens of a response in whose time the engine answers a request for one token."""

LOSS: Final = 0.1
"""By how much more variance weighing may leave than the draws that take as long."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What weighing is worth to a model, by responses that each tree did not learn from.

    Attributes:
        rate: of refusals among the labelled responses.
        outside: share of the refusals that open outside.
        draws: ordinary responses that take as long as weighing a prompt.
        gain: variance of a prompt's rate by so many draws more, over what weighing leaves.
    """

    rate: float
    outside: float
    draws: float
    gain: float

    def why_drawn(self) -> str | None:
        """Why responses are drawn in place of weighing them; null where they are weighed."""
        if self.rate <= RARE or self.gain >= 1 / (1 + LOSS):
            return None
        return (
            f"refusals are common ({percent(self.rate)}) and {percent(self.outside)} of them open "
            "otherwise than those to other templates, so that ordinary responses drawn in the "
            f"time of weighing ({self.draws:.2g} more a prompt) would say more: responses are "
            "drawn alone"
        )


def worth(
    pilot: Pilot, openings: pl.DataFrame, *, samples: int, tokens: float, continued: bool
) -> Worth | None:
    """What weighing is worth.

    With n draws of a prompt, variance v of a label within prompts, v' of whether a response
    refuses and opens outside the tree, and s (1 - s) of a label in a leaf where s of the responses
    refuse, weighing leaves (v' + mean of s (1 - s)) / n or less, as responses to openings lessen
    its second part alone. n + c draws leave v / (n + c), c being what weighing a prompt takes.

    Args:
        pilot: labelled responses.
        openings: table of `Openings` with a tree for each fold of the pilot's own templates.
        samples: ordinary draws of a prompt in the study.
        tokens: of a response, on average.
        continued: whether responses are given openings.

    Returns:
        Null where nothing refuses.
    """
    trees = leaves_of(openings)
    by_fold = {
        fold: {leaf.tokens: leaf for leaf in leaves} for fold, leaves in trees.items() if fold
    }
    rows = pilot.rows
    found = [
        _opened(tuple(tokens_of), by_fold.get(fold, {}))
        for tokens_of, fold in rows.select("tokens", "fold").iter_rows()
    ]
    rows = rows.with_columns(
        inside=pl.Series([leaf is not None for leaf in found], dtype=pl.Boolean),
        settled=pl.Series([leaf.share * (1 - leaf.share) if leaf else 0.0 for leaf in found]),
    ).with_columns(outside=pl.col("refuses") & ~pl.col("inside"))
    refusals = int(rows["refuses"].sum())
    if not refusals:
        return None
    beginnings = {leaf.tokens[:at] for leaf in trees.get(ALL, []) for at in range(len(leaf.tokens))}
    requests = len(beginnings) * REQUEST / tokens
    draws = requests + (CONTINUED if continued else 0.0)
    left = (_within(rows, "outside") + float(rows["settled"].sum()) / len(rows)) / samples
    drawn = _within(rows, "refuses") / (samples + draws)
    return Worth(
        rate=refusals / len(rows),
        outside=int(rows["outside"].sum()) / refusals,
        draws=draws,
        gain=drawn / left if left else float("inf"),
    )


def tokens_of(responses: pl.DataFrame) -> float:
    """Tokens of a response, on average; 1 where nobody counted any.

    Args:
        responses: a table of `Responses`.
    """
    known = responses["response_tokens"].drop_nulls()
    return max(float(known.sum()) / len(known), 1.0) if len(known) else 1.0


def _opened(tokens: tuple[int, ...], leaves: dict[tuple[int, ...], Leaf]) -> Leaf | None:
    found = leaf_of(tokens, frozenset(leaves))
    return None if found is None else leaves[found]


def _within(rows: pl.DataFrame, column: str) -> float:
    """Variance of a mark between responses to one prompt; of all, where none has several."""
    each = (
        rows.group_by("prompt_id").agg(n=pl.len(), k=pl.col(column).sum()).filter(pl.col("n") > 1)
    )
    if each.is_empty():
        share = int(rows[column].sum()) / len(rows)
        return share * (1 - share)
    n, k = pl.col("n"), pl.col("k")
    spread, spare = each.select((k * (n - k) / n).sum().alias("s"), (n - 1).sum().alias("d")).row(0)
    return float(spread / spare)
