"""What is measured of each pair: a number of its conversation, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from refusal_parity.pair_vocabulary import PairVerdict, Side
from refusal_parity.vocabulary import REFUSALS, Label

HARMFUL: Final = (Label.HARMFUL_REFUSAL, Label.HARMFUL_ANSWER)
"""The labels of answers with harmful content."""


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
        by_judge: whether a judge decides it, not labels.
    """

    key: str
    heading: str
    words: str
    value: pl.Expr
    binary: bool = True
    of_every: bool = True
    by_judge: bool = False


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
REFUSAL_PREFERRED: Final = "refusal_preferred"
BOTH_REFUSE: Final = "both_refuse"
CHOSEN_HARMFUL: Final = "chosen_harmful"
REJECTED_HARMFUL: Final = "rejected_harmful"

MEASURES: Final[tuple[Measure, ...]] = (
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
        key=REFUSAL_PREFERRED,
        heading="Refusal preferred, where one answer refuses",
        words="the refusal was preferred, where exactly one answer refuses,",
        value=pl.when(_CHOSEN != _REJECTED).then(_CHOSEN),
        of_every=False,
    ),
    Measure(
        key=BOTH_REFUSE,
        heading="Both answers refuse",
        words="both answers refused",
        value=_CHOSEN & _REJECTED,
    ),
    Measure(
        key=CHOSEN_HARMFUL,
        heading="Preferred answer has harmful content",
        words="the preferred answer had harmful content",
        value=_is_any(Side.CHOSEN, HARMFUL),
    ),
    Measure(
        key=REJECTED_HARMFUL,
        heading="Rejected answer has harmful content",
        words="the rejected answer had harmful content",
        value=_is_any(Side.REJECTED, HARMFUL),
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


_VERDICT: Final = pl.col("verdict")
_NAMES_ONE: Final = [str(PairVerdict.AGREES), str(PairVerdict.DISAGREES)]

JUDGED: Final[tuple[Measure, ...]] = (
    Measure(
        key="judge_disagrees",
        heading="A judge prefers the rejected answer",
        words="a judge, where it named one answer in both orders, preferred the rejected one",
        value=pl.when(_VERDICT.is_in(_NAMES_ONE)).then(_VERDICT.eq(str(PairVerdict.DISAGREES))),
        of_every=False,
        by_judge=True,
    ),
    Measure(
        key="judge_undecided",
        heading="A judge names no better answer in both orders",
        words="a judge, asked in both orders, named no better answer",
        value=~_VERDICT.is_in(_NAMES_ONE),
        by_judge=True,
    ),
)
"""Of pairs that a judge was asked about."""


def measured(sides: pl.DataFrame, judgements: pl.DataFrame | None = None) -> pl.DataFrame:
    """Each measure of each pair, as numbers: `pair` and a column for each key.

    A pair whose answers have no label both is no case of a measure that needs labels of
    both, and of one side's alone where that side has one.

    Args:
        sides: rows of the Sides table.
        judgements: rows of the PairJudgements table, if there is a judge.
    """
    rows, measures = side_by_side(sides), MEASURES
    if judgements is not None:
        said = judgements.select("pair", pl.col("verdict").cast(pl.String))
        rows = rows.join(said, on="pair", how="left", maintain_order="left")
        measures = (*MEASURES, *JUDGED)
    return rows.select("pair", *(each.value.cast(pl.Float64).alias(each.key) for each in measures))
