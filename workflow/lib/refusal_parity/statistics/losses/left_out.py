"""Whether so many responses were left out of some level that it has to be said."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.statistics.uncounted import LABELLED
from refusal_parity.text import (
    interval,
    known,
    level_words,
    p_equals,
    percent,
    points,
    reason_words,
)
from refusal_parity.vocabulary import Exclusion, Loss

if TYPE_CHECKING:
    from refusal_parity.config import AnalysisConfig

WORTH_SAYING: Final = 0.05
"""Share of a group's responses above which it is said that they were left out."""

_MOST: Final = 0.5
"""Share of a group's responses above which it is said that they were cut off."""

_NAMED: Final = 3
_REMEDIES: Final[dict[str, str]] = {
    Exclusion.EMPTY: "look at what the model was sent, or at the file that its responses were read "
    "from, and allow more tokens (max_tokens) where these ran out",
    Exclusion.ERROR: "ask for the failed ones again",
    Exclusion.FILTERED: "count them as what they are, refusals (analysis.filtered: refusal)",
    Exclusion.LEFT_OUT: "count them by their label (analysis.truncated: label), or allow more "
    "tokens (max_tokens)",
    Exclusion.UNDECIDED: "allow more tokens (max_tokens), or let people label them",
    Exclusion.NO_RESPONSE: "give a response to every prompt in what is imported",
}
_REMEDY: Final = "let people label them"
_DONE: Final = {
    Loss.TRUNCATED: "Cut off at the longest response that was allowed were",
    Loss.FILTERED: "Refused by the service's own filter were",
}


class _Level(NamedTuple):
    """Responses asked for of one level, and how many of them count nowhere, by the reason."""

    name: str
    asked: int
    lost: dict[str, int]

    @property
    def share(self) -> float:
        return sum(self.lost.values()) / self.asked if self.asked else 0.0


def is_counted(reason: str, analysis: AnalysisConfig) -> bool:
    """Whether responses of a reason of the ledger count in the rates."""
    return reason == LABELLED or (reason == Exclusion.FILTERED and analysis.filtered == "refusal")


def left_out_warning(
    exclusions: pl.DataFrame, losses: pl.DataFrame, dimension: str, analysis: AnalysisConfig
) -> str | None:
    """Warn of levels of which much was left out, or more than of others; with the remedy.

    Args:
        exclusions: rows of Exclusions of one model.
        losses: rows of Losses of one model.
        dimension: whose levels are looked at.
        analysis: what counts, and the level of the tests.

    Returns:
        One or two sentences; None where no level lost more than `WORTH_SAYING` and no
        difference of the shares was shown, adjusted for the number of levels.
    """
    levels = _levels(exclusions, dimension, analysis)
    most = [level for level in levels if level.share > WORTH_SAYING]
    different = differing(losses, Loss.LEFT_OUT, dimension, analysis)
    if not most and not different:
        return None
    reason, often = commonest(sum((Counter(level.lost) for level in levels), Counter()))
    remedy = _REMEDIES.get(reason, _REMEDY)
    return (
        f"Left out were {_shares({level.name: level.share for level in levels}, dimension)}, "
        f"{often} {reason_words(reason)}{tested_words(different)}. They count in no rate: {remedy}."
    )


def rests_on_left_out(bound: dict[str, Any], dimension: str) -> str:
    """Say that a difference would not be shown were the left-out responses read against it.

    Args:
        bound: the row of Bounds that reads them so.
        dimension: what the levels are of.
    """
    lost = bound["left_group"] + bound["left_reference"]
    tested = (
        f" (interval {interval(bound['ci_low'], bound['ci_high'])}, not corrected for the number "
        f"of comparisons; adjusted {p_equals(bound['p_adjusted'])})"
        if known(bound["ci_low"])
        else ""
    )
    return (
        f"This rests on who was left out: with the responses left out read against it ({lost:,} of "
        f"both levels), the difference of {level_words(dimension, bound['group'])} would be "
        f"{points(bound['estimate'], signed=True)} points{tested}."
    )


def small_rests_on_left_out(bound: dict[str, Any], dimension: str, margin: float) -> str:
    """Say that a difference would not be shown to be small by one reading of what was left out.

    Args:
        bound: the row of Bounds that makes it largest.
        dimension: what the levels are of.
        margin: below which it is shown to lie.
    """
    lost = bound["left_group"] + bound["left_reference"]
    return (
        "That it is small rests on who was left out: read one way, the responses left out "
        f"({lost:,} of both levels) make the difference of "
        f"{level_words(dimension, bound['group'])} {points(bound['estimate'], signed=True)} "
        f"points, which is not shown to lie within {points(margin)}."
    )


def this_rests_on_left_out(what: str, lost: int, against: float, end: float | None) -> str:
    """Say that a difference of models, or at a level of a factor, rests on who was left out.

    Args:
        what: the start of the sentence.
        lost: responses left out.
        against: the difference with them read against it.
        end: of its interval, the end that reaches 0.
    """
    to = f", its interval reaching {points(end, signed=True)}" if known(end) else ""
    return (
        f"{what} rests on who was left out: with the responses left out read against it "
        f"({lost:,}), it would be {points(against, signed=True)} points{to}."
    )


def loss_sentence(
    losses: pl.DataFrame, loss: Loss, dimension: str, analysis: AnalysisConfig, *, most: bool
) -> str | None:
    """Say where responses of some levels are cut off, or filtered, more often than of others.

    Args:
        losses: rows of Losses of one model.
        loss: what befell the responses.
        dimension: whose levels are looked at.
        analysis: the level of the tests.
        most: whether to say it too where it befell most responses of a level.
    """
    different = differing(losses, loss, dimension, analysis)
    rows = _of(losses, loss, dimension)
    if not rows:
        return None
    shares = {row["group"]: row["k_group"] / row["n_group"] for row in rows if row["n_group"]}
    first = rows[0]
    if first["n_reference"]:
        shares[first["reference"]] = first["k_reference"] / first["n_reference"]
    if not different and not (most and max(shares.values(), default=0) > _MOST):
        return None
    return f"{_DONE[loss]} {_shares(shares, dimension)}{tested_words(different)}."


def differing(
    losses: pl.DataFrame, loss: Loss, dimension: str, analysis: AnalysisConfig
) -> list[dict[str, Any]]:
    """Rows of levels whose share was shown to differ from the reference's."""
    return [
        row
        for row in _of(losses, loss, dimension)
        if known(row["p_adjusted"]) and row["p_adjusted"] < analysis.alpha
    ]


def _of(losses: pl.DataFrame, loss: Loss, dimension: str) -> list[dict[str, Any]]:
    chosen = (pl.col("loss").cast(pl.String) == loss.value) & (pl.col("dimension") == dimension)
    return losses.filter(chosen).to_dicts()


def _levels(exclusions: pl.DataFrame, dimension: str, analysis: AnalysisConfig) -> list[_Level]:
    ledger: dict[str, dict[str, int]] = {}
    for row in exclusions.filter(pl.col("dimension") == dimension).iter_rows(named=True):
        ledger.setdefault(row["group"], {})[row["reason"]] = row["n"]
    found = []
    for level, reasons in ledger.items():
        lost = {key: n for key, n in reasons.items() if n and not is_counted(key, analysis)}
        found.append(_Level(level, sum(reasons.values()), lost))
    return found


def commonest(reasons: Counter[str]) -> tuple[str, str]:
    """The reason of most that is left out, and how far it is that of all: a word before it."""
    [(reason, n)] = reasons.most_common(1)
    often = "mostly" if 2 * n > reasons.total() else "most often"
    return reason, "all" if n == reasons.total() else often


def tested_words(different: list[dict[str, Any]]) -> str:
    """The smallest p-value of shares that were shown to differ; empty where none was."""
    if not different:
        return ""
    smallest = min(row["p_adjusted"] for row in different)
    return f"; the shares differ (adjusted {p_equals(smallest)})"


def telling(shares: dict[str, float]) -> list[tuple[str, float]]:
    """Of many levels those with the largest shares, and the one with the smallest."""
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return ordered if len(ordered) <= _NAMED + 1 else [*ordered[:_NAMED], ordered[-1]]


def _shares(shares: dict[str, float], dimension: str) -> str:
    """The largest shares and the smallest: `12.5 % for south names, 0.0 % for north names`."""
    words = [
        f"{percent(share)} for {level_words(dimension, level)}" for level, share in telling(shares)
    ]
    words[0] = words[0].replace(" for ", " of the responses for ", 1)
    return enumerated(words)
