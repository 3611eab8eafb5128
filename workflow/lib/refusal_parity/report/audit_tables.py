"""The tables of an audit of preference data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from refusal_parity.counting import agreed, counted
from refusal_parity.pair_vocabulary import CASE_WORDS, Adjustment, PairAccount
from refusal_parity.preference.places import NOBODY
from refusal_parity.report.audit import (
    LEADING,
    amount,
    bounds,
    difference_rows,
    measure_rows,
    measures,
)
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import Groups, PairLedger
from refusal_parity.text import NOTHING, count, interval, p_value, plain
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.preference.measures import Measure
    from refusal_parity.report.inputs import ReportInputs, Row

_ACCOUNTS = {
    PairAccount.ANALYSED: "analysed",
    PairAccount.LEFT_OUT: "left out",
    PairAccount.REMARK: "a remark",
}

_CORRECTED: Final = (
    " Corrected: by what people say of a probability sample of the answers; a dash where too few "
    "are labelled."
)


def measure_table(inputs: ReportInputs, measure: Measure) -> Table:
    """One measure: every group, what it differs from nobody by, as it is and adjusted."""
    unit = "per cent, differences in points" if measure.binary else "words"
    found = [difference_rows(inputs, measure, adjustment=each) for each in Adjustment]
    measured = measure_rows(inputs, measure)
    by_people = any(row["labelled"] is not None for row in measured.values())
    rows = []
    for group, row in measured.items():
        cells = [
            Cell(plain(group)),
            Cell(count(row["n"]), row["n"]),
            Cell(count(row["clusters"]), row["clusters"]),
            Cell(_with_bounds(measure, row), row["mean"]),
            Cell(interval(row["lowest"], row["highest"])),
        ]
        for each in found:
            found_row = each.get((group, NOBODY))
            cells += _difference(measure, found_row)
            cells.append(_extremes(found_row))
        cells += _by_people(measure, row, found[0].get((group, NOBODY)))
        rows.append(tuple(cells))
    return Table(
        caption=f"{measure.heading}. In {unit}, with the {inputs.confidence} interval in brackets; "
        "against conversations that mention nobody, as they are and among requests that seem as "
        "harmful. In bold: shown to differ. Openings: those that are not nearly equal. Whatever "
        "was not labelled: the rate if no pair without a label had the outcome, and if all had "
        "it; the difference if they made it smallest, and if they made it largest."
        + (_CORRECTED if by_people else ""),
        columns=(
            ("Mentions", TEXT),
            ("Pairs", NUMBER),
            ("Openings", NUMBER),
            ("Mean" if not measure.binary else "Rate", NUMBER),
            ("Whatever was not labelled", NUMBER),
            ("Difference", NUMBER),
            ("Adjusted p", NUMBER),
            ("Difference, whatever was not labelled", NUMBER),
            ("Difference, as harmful", NUMBER),
            ("Adjusted p, as harmful", NUMBER),
            ("Difference, as harmful, whatever was not labelled", NUMBER),
            ("Labelled by people", NUMBER),
            ("Corrected", NUMBER),
            ("Difference, corrected", NUMBER),
            ("Adjusted p, corrected", NUMBER),
        ),
        rows=tuple(rows),
    ).without_empty()


def between_table(inputs: ReportInputs, adjustment: Adjustment) -> Table | None:
    """Groups of one category against each other, where both have enough openings."""
    rows = [
        (
            Cell(measure.heading),
            Cell(f"{plain(row['group'])} against {plain(row['reference'])}"),
            Cell(f"{count(row['n_group'])} against {count(row['n_reference'])}"),
            Cell(amount(measure, row["mean_group"]), row["mean_group"]),
            Cell(amount(measure, row["mean_reference"]), row["mean_reference"]),
            *_difference(measure, row),
        )
        for measure, row in _between(inputs, adjustment)
        if row["p_value"] is not None
    ]
    if not rows:
        return None
    return Table(
        caption=f"Groups of one category against each other, {_HOW[adjustment]}. Conversations "
        "that mention both are left out. In bold: shown to differ."
        + untested_words(inputs, adjustment),
        columns=(
            ("Measure", TEXT),
            ("Groups", TEXT),
            ("Pairs", TEXT),
            ("First", NUMBER),
            ("Second", NUMBER),
            ("Difference", NUMBER),
            ("Adjusted p", NUMBER),
        ),
        rows=tuple(rows),
    )


def untested_words(inputs: ReportInputs, adjustment: Adjustment) -> str:
    """How many comparisons of groups with each other could not be tested, and why."""
    rows = _between(inputs, adjustment)
    notes = [row["note"] or "no reason given" for _, row in rows if row["p_value"] is None]
    if not notes:
        return ""
    reasons = ", ".join(
        f"{plain(note)} ({count(number)})" for note, number in Counter(notes).most_common()
    )
    return (
        f" Of {counted(len(rows), 'comparison')}, {_HOW[adjustment]}, {count(len(notes))} could "
        f"not be tested and {agreed(len(notes), 'is', 'are')} not listed: {reasons}."
    )


_HOW: Final = {
    Adjustment.NONE: "as they are",
    Adjustment.HARM: "among requests that seem as harmful",
}


def _between(inputs: ReportInputs, adjustment: Adjustment) -> list[tuple[Measure, Row]]:
    """Comparisons of groups of one category, with their measure."""
    return [
        (measure, row)
        for measure in measures(inputs)
        for row in difference_rows(inputs, measure, adjustment=adjustment, nobody=False).values()
    ]


def groups_table(inputs: ReportInputs) -> Table:
    """Who is mentioned, and how far the lexicon's words can be trusted."""
    return Table(
        caption="Who is mentioned. Pairs that are analysed; mentions of the lexicon's own sample "
        "that people read, and how many of them mean the group. A dash: none were read.",
        columns=(
            ("Group", TEXT),
            ("Category", TEXT),
            ("Pairs", NUMBER),
            ("With slurs", NUMBER),
            ("In an answer", NUMBER),
            ("Mentions that mean it", NUMBER),
        ),
        rows=tuple(
            (
                Cell(plain(row["group"])),
                Cell(plain(row["category"])),
                Cell(count(row["conversations"]), row["conversations"]),
                Cell(count(row["with_slurs"]), row["with_slurs"]),
                Cell(count(row["in_answers"]), row["in_answers"]),
                Cell(f"{row['right']} of {row['checked']}", row["right"] / row["checked"])
                if row["checked"]
                else Cell(NOTHING),
            )
            for row in inputs[Groups].iter_rows(named=True)
        ),
    )


def ledger_table(inputs: ReportInputs) -> Table:
    """What became of every pair."""
    return Table(
        caption="What became of every pair. Those analysed and left out add up to the file; a pair "
        "may carry several remarks.",
        columns=(("Case", TEXT), ("Counts as", TEXT), ("Pairs", NUMBER)),
        rows=tuple(
            (
                Cell("two answers to one conversation" if case is None else CASE_WORDS[case]),
                Cell(_ACCOUNTS[PairAccount(account)]),
                Cell(count(n), n),
            )
            for case, account, n in inputs[PairLedger].select("case", "account", "n").iter_rows()
        ),
    )


def correctable_table(inputs: ReportInputs) -> Table | None:
    """How many pairs of each group people labelled and have yet to; None where nobody did."""
    found = measure_rows(inputs, LEADING)
    if all(row["labelled"] is None for row in found.values()):
        return None
    return Table(
        caption=f"{LEADING.heading}: for which groups people labelled enough. Labelled: pairs that "
        "people read. Still wanted: so many more, by the share of them in which the answer refuses "
        "so far; for a group that few pairs mention, all that are left.",
        columns=(
            ("Mentions", TEXT),
            ("Pairs", NUMBER),
            ("Labelled", NUMBER),
            ("Still wanted", NUMBER),
        ),
        rows=tuple(
            (
                Cell(plain(group)),
                Cell(count(row["n"]), row["n"]),
                Cell(count(row["labelled"] or 0), row["labelled"] or 0),
                Cell(count(row["pairs_wanted"] or 0), row["pairs_wanted"] or 0),
            )
            for group, row in found.items()
        ),
    )


def _with_bounds(measure: Measure, row: Row) -> str:
    inside = bounds(measure, row["ci_low"], row["ci_high"])
    return amount(measure, row["mean"]) + (f" ({inside})" if inside != NOTHING else "")


def _by_people(measure: Measure, row: Row, difference: Row | None) -> list[Cell]:
    """Rate and difference as people's labels correct them; empty where nobody labelled."""
    if row["labelled"] is None:
        return [Cell("")] * 4
    inside = interval(row["corrected_low"], row["corrected_high"])
    rate = Cell(NOTHING)
    if row["corrected"] is not None:
        size = amount(measure, row["corrected"])
        rate = Cell(size if inside == NOTHING else f"{size} ({inside})", row["corrected"])
    cells = [Cell(count(row["labelled"]), row["labelled"]), rate]
    if difference is None or difference["corrected"] is None:
        return [*cells, Cell(NOTHING), Cell(NOTHING)]
    inside = interval(difference["corrected_low"], difference["corrected_high"])
    size = amount(measure, difference["corrected"], signed=True)
    p = difference["corrected_p_adjusted"]
    return [*cells, Cell(f"{size} ({inside})", difference["corrected"]), Cell(p_value(p), p)]


def _extremes(row: Row | None) -> Cell:
    if row is None or row["lowest"] is None:
        return Cell(NOTHING)
    return Cell(interval(row["lowest"], row["highest"]), row["lowest"])


def _difference(measure: Measure, row: Row | None) -> list[Cell]:
    if row is None or row["estimate"] is None:
        return [Cell(NOTHING), Cell(NOTHING)]
    shown = row["verdict"] == Verdict.SHOWN
    inside = bounds(measure, row["ci_low"], row["ci_high"])
    size = amount(measure, row["estimate"], signed=True)
    words = size + (f" ({inside})" if inside != NOTHING else "")
    return [
        Cell(words, row["estimate"], strong=shown),
        Cell(p_value(row["p_adjusted"]), row["p_adjusted"], strong=shown),
    ]
