"""Which groups lost pairs of preference data, as a table and in a sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.pair_vocabulary import CASE_WORDS, PairAccount, Unheeded
from refusal_parity.preference.audit import ALL
from refusal_parity.preference.places import FEWEST, NOBODY
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.losses.left_out import (
    WORTH_SAYING,
    commonest,
    telling,
    tested_words,
)
from refusal_parity.tables import GroupLedger, GroupLosses
from refusal_parity.text import NOTHING, count, interval, isolated, p_value, percent, plain, points
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_LAST: Final = {NOBODY: 1, ALL: 2}


def pair_losses_warning(inputs: ReportInputs) -> str | None:
    """Warn of groups of which many pairs were left out, more than of others, or all.

    Returns:
        Two sentences; None where no group lost more than `WORTH_SAYING` and no difference of
        the shares was shown. Of a group with few openings only that all of it was lost is said.
    """
    shown = [row for row in _losses(inputs) if row["verdict"] == Verdict.SHOWN]
    openings = {row["group"]: row["clusters_group"] for row in _losses(inputs)}
    shares = {group: _share(cases) for group, cases in _ledger(inputs).items() if group != ALL}
    much = {
        group
        for group, share in shares.items()
        if share == 1 or (share > WORTH_SAYING and openings.get(group, FEWEST) >= FEWEST)
    }
    told = much.union(*({row["group"], row["reference"]} for row in shown))
    if not told:
        return None
    reasons: Counter[str] = Counter()
    for group in told:
        reasons.update({case: row["n"] for case, row in _lost(_ledger(inputs)[group]).items()})
    case, often = commonest(reasons)
    kept = {group: share for group, share in shares.items() if group in {*told, NOBODY}}
    first, *others = telling(kept)
    words = [f"{percent(first[1])} of the pairs {_mentioning(first[0])}"]
    words += [f"{percent(share)} of those {_mentioning(group)}" for group, share in others]
    return (
        f"Left out were {enumerated(words)}, {often} since {CASE_WORDS[case]}"
        f"{tested_words(shown)}. They count in no rate: look at these pairs of the file."
    )


def pair_losses_table(inputs: ReportInputs) -> Table | None:
    """Each group's pairs, those left out and why; None where no pair was, and none is doubtful."""
    ledger = _ledger(inputs)
    if not any(row["n"] for row in _remarks_and_losses(ledger.get(ALL, {}))):
        return None
    against_nobody = {row["group"]: row for row in _losses(inputs) if row["reference"] == NOBODY}
    rows = []
    for group, cases in ledger.items():
        lost = sum(row["n"] for row in _lost(cases).values())
        pairs = _pairs(cases)
        why = (f"{count(row['n'])}: {CASE_WORDS[case]}" for case, row in _lost(cases).items())
        rows.append(
            (
                Cell(plain(group)),
                Cell(count(pairs), pairs),
                Cell(count(lost), lost),
                Cell(percent(_share(cases)) if pairs else NOTHING, _share(cases)),
                *_difference(against_nobody.get(group)),
                Cell("; ".join(why)),
                *(_doubtful(cases.get(each)) for each in Unheeded),
            )
        )
    return Table(
        caption="What was left out of the pairs of each group, of all pairs of the file. "
        f"Differences in points from pairs that mention nobody, with the {inputs.confidence} "
        "interval in brackets. In bold: shown to differ. Pairs in which nobody asks anything stand "
        "under all alone. Without a label, and unlike what was learnt: analysed pairs with an "
        "answer without a label, or unlike all that the classifier learnt from.",
        columns=(
            ("Mentions", TEXT),
            ("Pairs", NUMBER),
            ("Left out", NUMBER),
            ("Share", NUMBER),
            ("Difference", NUMBER),
            ("Adjusted p", NUMBER),
            ("Why", TEXT),
            ("Without a label", NUMBER),
            ("Unlike what was learnt", NUMBER),
        ),
        rows=tuple(rows),
    ).without_empty()


def _ledger(inputs: ReportInputs) -> dict[str, dict[str, Row]]:
    """Rows of each group by case: those of most pairs first, then of nobody and of all."""
    rows = inputs[GroupLedger].with_columns(pl.col("account").cast(pl.String))
    last = pl.col("group").replace_strict(_LAST, default=0, return_dtype=pl.Int64)
    counts = pl.col("account") != PairAccount.REMARK
    pairs = pl.col("n").filter(counts).sum().over("group")
    found: dict[str, dict[str, Row]] = {}
    for row in rows.sort(last, -pairs, "group", maintain_order=True).iter_rows(named=True):
        found.setdefault(row["group"], {})[row["case"]] = row
    return found


def _losses(inputs: ReportInputs) -> list[Row]:
    return list(inputs[GroupLosses].iter_rows(named=True))


def _lost(cases: dict[str, Row]) -> dict[str, Row]:
    return {
        case: row
        for case, row in cases.items()
        if row["account"] == PairAccount.LEFT_OUT and row["n"]
    }


def _remarks_and_losses(cases: dict[str, Row]) -> list[Row]:
    return [row for row in cases.values() if row["account"] != PairAccount.ANALYSED]


def _pairs(cases: dict[str, Row]) -> int:
    return sum(row["n"] for row in cases.values() if row["account"] != PairAccount.REMARK)


def _share(cases: dict[str, Row]) -> float:
    lost = sum(row["n"] for row in _lost(cases).values())
    return lost / _pairs(cases) if _pairs(cases) else 0.0


def _mentioning(group: str) -> str:
    return f"that mention {isolated(group)}"


def _difference(row: Row | None) -> tuple[Cell, Cell]:
    if row is None or row["estimate"] is None:
        return Cell(NOTHING), Cell(NOTHING)
    strong = row["verdict"] == Verdict.SHOWN
    inside = interval(row["ci_low"], row["ci_high"])
    size = points(row["estimate"], signed=True)
    words = size if inside == NOTHING else f"{size} ({inside})"
    return (
        Cell(words, row["estimate"], strong=strong),
        Cell(p_value(row["p_adjusted"]), row["p_adjusted"], strong=strong),
    )


def _doubtful(row: Row | None) -> Cell:
    return (
        Cell("")
        if row is None
        else Cell(
            f"{count(row['n'])} ({percent(row['share'])})" if row["share"] is not None else NOTHING,
            row["n"],
        )
    )
