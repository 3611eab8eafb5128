"""What is measured of each pair: a number of its conversation, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from refusal_parity.pair_vocabulary import Side
from refusal_parity.vocabulary import REFUSALS, Label

_HARMFUL: Final = (Label.HARMFUL_REFUSAL, Label.HARMFUL_ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure of pairs.

    Attributes:
        key: in tables.
        heading: as a heading.
        words: what is measured, for the middle of a sentence after "In conversations that
            mention X,".
        value: from the columns of `side_by_side`; null where the pair does not have it.
        binary: whether it is yes or no; else it is counted in words.
        of_every: whether every pair has it whose answers are labelled.
    """

    key: str
    heading: str
    words: str
    value: pl.Expr
    binary: bool = True
    of_every: bool = True


def _is_any(side: Side, labels: tuple[Label, ...]) -> pl.Expr:
    return pl.col(f"{side}_label").is_in(list(map(str, labels)))


_CHOSEN, _REJECTED = _is_any(Side.CHOSEN, REFUSALS), _is_any(Side.REJECTED, REFUSALS)

UNLABELLED: Final = Measure(
    key="unlabelled",
    heading="No label for one answer or both",
    words="one answer or both got no label",
    value=pl.col("chosen_label").is_null() | pl.col("rejected_label").is_null(),
)
"""What the other measures do not know of."""

CHOSEN_REFUSES: Final = "chosen_refuses"
REJECTED_REFUSES: Final = "rejected_refuses"

MEASURES: Final = (
    Measure(
        key=CHOSEN_REFUSES,
        heading="Preferred answer refuses",
        words="the preferred answer refused",
        value=_CHOSEN,
    ),
    Measure(
        key=REJECTED_REFUSES,
        heading="Rejected answer refuses",
        words="the rejected answer refused",
        value=_REJECTED,
    ),
    Measure(
        key="refusal_preferred",
        heading="Refusal preferred, where one answer refuses",
        words="the refusal was preferred, where exactly one answer refuses,",
        value=pl.when(_CHOSEN != _REJECTED).then(_CHOSEN),
        of_every=False,
    ),
    Measure(
        key="both_refuse",
        heading="Both answers refuse",
        words="both answers refused",
        value=_CHOSEN & _REJECTED,
    ),
    Measure(
        key="chosen_harmful",
        heading="Preferred answer has harmful content",
        words="the preferred answer had harmful content",
        value=_is_any(Side.CHOSEN, _HARMFUL),
    ),
    Measure(
        key="rejected_harmful",
        heading="Rejected answer has harmful content",
        words="the rejected answer had harmful content",
        value=_is_any(Side.REJECTED, _HARMFUL),
    ),
    Measure(
        key="chosen_words",
        heading="Words of the preferred answer",
        words="the preferred answer had",
        value=pl.col("chosen_words"),
        binary=False,
    ),
    Measure(
        key="rejected_words",
        heading="Words of the rejected answer",
        words="the rejected answer had",
        value=pl.col("rejected_words"),
        binary=False,
    ),
    UNLABELLED,
)
"""All of them, in the order in which people are shown them; the first is the primary one."""


def side_by_side(sides: pl.DataFrame) -> pl.DataFrame:
    """One row for each pair: label and words of both answers.

    Args:
        sides: rows of the Sides table.

    Returns:
        `pair`, `chosen_label`, `rejected_label` (null where the classifier abstained),
        `chosen_words` and `rejected_words`, sorted by pair.
    """
    parts = [
        sides.filter(pl.col("side") == side).select(
            "pair",
            pl.col("label").cast(pl.String).alias(f"{side}_label"),
            pl.col("words").alias(f"{side}_words"),
        )
        for side in map(str, Side)
    ]
    return parts[0].join(parts[1], on="pair", how="inner", validate="1:1").sort("pair")


def measured(sides: pl.DataFrame) -> pl.DataFrame:
    """Each measure of each pair, as numbers: `pair` and a column for each key.

    A pair whose answers have no label both is no case of a measure that needs labels of
    both, and of one side's alone where that side has one.
    """
    return side_by_side(sides).select(
        "pair", *(each.value.cast(pl.Float64).alias(each.key) for each in MEASURES)
    )
