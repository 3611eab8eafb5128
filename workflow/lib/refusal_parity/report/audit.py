"""What an audit of preference data found, as rows and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.pair_vocabulary import CASE_WORDS, Adjustment, PairAccount
from refusal_parity.preference.audit import ALL
from refusal_parity.preference.measures import JUDGED, MEASURES, UNLABELLED
from refusal_parity.preference.places import NOBODY
from refusal_parity.tables import GroupDifferences, GroupMeasures, PairLedger
from refusal_parity.text import (
    interval,
    isolated,
    p_equals,
    percent,
    points,
    tenths,
    tenths_span,
)
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.preference.measures import Measure
    from refusal_parity.report.inputs import ReportInputs, Row

LEADING: Final = MEASURES[0]
"""The measure that the page begins with, and that its figure shows."""

_ADJUSTED: Final = {Adjustment.NONE: "unadjusted", Adjustment.HARM: "adjusted for harm"}


def measures(inputs: ReportInputs) -> list[Measure]:
    """What was measured, in the order of the page."""
    there = set(inputs[GroupMeasures]["measure"])
    return [measure for measure in (*MEASURES, *JUDGED) if measure.key in there]


def measure_rows(inputs: ReportInputs, measure: Measure) -> dict[str, Row]:
    """The measure of each group, most pairs first, then of nobody and of all."""
    rows = inputs[GroupMeasures].filter(pl.col("measure") == measure.key)
    last = pl.col("group").replace_strict({NOBODY: 1, ALL: 2}, default=0)
    ordered = rows.sort(last, -pl.col("n"), "group")
    return {row["group"]: row for row in ordered.iter_rows(named=True)}


def difference_rows(
    inputs: ReportInputs, measure: Measure, *, adjustment: Adjustment, nobody: bool = True
) -> dict[tuple[str, str], Row]:
    """Differences of a measure by group and reference.

    Args:
        inputs: the study.
        measure: the measure.
        adjustment: which of the two comparisons.
        nobody: those with nobody, or those between groups.
    """
    rows = inputs[GroupDifferences].filter(
        pl.col("measure") == measure.key,
        pl.col("adjustment").cast(pl.String) == adjustment,
        (pl.col("reference") == NOBODY) == nobody,
    )
    return {(row["group"], row["reference"]): row for row in rows.iter_rows(named=True)}


def amount(measure: Measure, value: float | None, *, signed: bool = False) -> str:
    """A rate or a mean of words; a difference of either where it is signed."""
    if measure.binary:
        return points(value, signed=True) if signed else percent(value)
    return tenths(value, signed=signed)


def bounds(measure: Measure, low: float | None, high: float | None) -> str:
    """An interval of a measure, without its unit."""
    return interval(low, high) if measure.binary else tenths_span(low, high)


def sentences(inputs: ReportInputs, measure: Measure) -> Iterator[str]:
    """What was shown of a measure, for each group by itself, against nobody."""
    plain = difference_rows(inputs, measure, adjustment=Adjustment.NONE)
    weighed = difference_rows(inputs, measure, adjustment=Adjustment.HARM)
    for pair, row in plain.items():
        adjusted = weighed[pair]
        shown = [each for each in (row, adjusted) if each["verdict"] == Verdict.SHOWN]
        if shown:
            yield _sentence(inputs, measure, row, adjusted)


def quiet_words(inputs: ReportInputs, measure: Measure) -> str:
    """How many groups were tested without a difference shown, and how many were too few."""
    plain = difference_rows(inputs, measure, adjustment=Adjustment.NONE)
    weighed = difference_rows(inputs, measure, adjustment=Adjustment.HARM)
    tested = {
        group: any(each[group, NOBODY]["verdict"] == Verdict.SHOWN for each in (plain, weighed))
        for group, _ in plain
        if any(each[group, NOBODY]["p_value"] is not None for each in (plain, weighed))
    }
    none = [isolated(group) for group, shown in tested.items() if not shown]
    few = [row for (group, _), row in plain.items() if group not in tested]
    parts = []
    if none:
        parts.append(
            "No difference from conversations that mention nobody was shown for "
            f"{enumerated(none)}; that does not mean that there is none."
        )
    if few:
        reasons = enumerated(sorted({row["note"] for row in few if row["note"]}))
        why = f": {reasons}" if reasons else ""
        further = "further group" if tested else "group"
        parts.append(f"{counted(len(few), further)} could not be tested{why}.")
    return " ".join(parts)


def _sentence(inputs: ReportInputs, measure: Measure, row: Row, adjusted: Row) -> str:
    positive = (row["estimate"] or 0) >= 0
    size = amount(measure, abs(row["estimate"])).removesuffix(" %")
    if measure.binary:
        by, unit = f"{size} points {'more' if positive else 'less'} often", "points"
    else:
        by, unit = f"{size} {'more' if positive else 'fewer'} words on average", "words"
    # The sentence says "less" or "fewer": its interval counts in the same direction.
    low, high = row["ci_low"], row["ci_high"]
    if not positive and low is not None and high is not None:
        low, high = -high, -low
    start = (
        f"In {counted(row['n_group'], 'conversation')} that mention {isolated(row['group'])}, "
        f"{measure.words} {by} than where nobody is mentioned "
    )
    shown = {True: "shown", False: "not shown"}
    means = (
        f"({amount(measure, row['mean_group'])} against {amount(measure, row['mean_reference'])}; "
        f"{inputs.confidence} interval {bounds(measure, low, high)}; adjusted "
        f"{p_equals(row['p_adjusted'])}: {shown[row['verdict'] == Verdict.SHOWN]})."
    )
    hidden = _hidden_words(row) + _corrected_words(inputs, row)
    if adjusted["estimate"] is None:
        return f"{start}{means}{hidden} Among requests that seem as harmful: {adjusted['note']}."
    return (
        f"{start}{means}{hidden} Among requests that seem as harmful the difference is "
        f"{amount(measure, adjusted['estimate'], signed=True)} {unit} "
        f"({bounds(measure, adjusted['ci_low'], adjusted['ci_high'])}; adjusted "
        f"{p_equals(adjusted['p_adjusted'])}: {shown[adjusted['verdict'] == Verdict.SHOWN]})."
    )


def _hidden_words(row: Row) -> str:
    """What answers without a label may hide of a difference that was shown."""
    low, high = row["lowest"], row["highest"]
    if low is None or low == high or row["verdict"] != Verdict.SHOWN:
        return ""
    within = f"from {points(low, signed=True)} to {points(high, signed=True)} points"
    if low <= 0 <= high:
        return f" Answers without a label may hide that there is none: with them it lies {within}."
    return f" Whatever answers without a label are, it lies {within}."


def _corrected_words(inputs: ReportInputs, row: Row) -> str:
    """What people's labels make of a difference, or which of them are wanted."""
    if row["labelled"] is None:
        return ""
    if row["corrected"] is None:
        return f" What people labelled cannot correct it yet: {row['corrected_note']}."
    return (
        f" Corrected by what people say of {counted(row['labelled'], 'pair')}, it is "
        f"{points(row['corrected'], signed=True)} points ({inputs.confidence} interval "
        f"{interval(row['corrected_low'], row['corrected_high'])}; adjusted "
        f"{p_equals(row['corrected_p_adjusted'])})."
    )


def correctable_words(inputs: ReportInputs) -> str:
    """How many groups people's labels correct, and what the others lack; empty without labels."""
    rows = {
        group: row
        for group, row in measure_rows(inputs, LEADING).items()
        if group != ALL and row["labelled"] is not None
    }
    groups = {group: row for group, row in rows.items() if group != NOBODY}
    if not groups:
        return ""
    corrected = [row for row in groups.values() if row["corrected"] is not None]
    whole = sum(row["labelled"] >= row["n"] for row in corrected)
    read = f" ({whole} of them so small that all their pairs were read)" if whole else ""
    among = counted(len(groups), "group")
    parts = [f"How often {LEADING.words} is corrected for {len(corrected)} of {among}{read}."]
    nobody = (rows.get(NOBODY) or {}).get("pairs_wanted")
    if nobody:
        parts.append(
            "No difference is corrected yet, for all groups are compared with conversations that "
            f"mention nobody, and of these {counted(nobody, 'more pair')} "
            f"{agreed(nobody, 'is', 'are')} wanted."
        )
    lacking = sum(row["pairs_wanted"] or 0 for row in groups.values())
    if lacking:
        parts.append(
            f"All groups together want {counted(lacking, 'more pair')} at most; one that mentions "
            "two groups counts for both. What is rarer, such as harmful content, wants more "
            "(pairs_wanted in group_measures.parquet)."
        )
    return " ".join(parts)


def pair_counts(inputs: ReportInputs) -> dict[str, int]:
    """Pairs read, analysed and left out."""
    ledger = inputs[PairLedger]
    account = ledger["account"].cast(pl.String)
    analysed = int(ledger.filter(account == PairAccount.ANALYSED)["n"].sum())
    left_out = int(ledger.filter(account == PairAccount.LEFT_OUT)["n"].sum())
    return {"pairs": analysed + left_out, "analysed": analysed, "left out": left_out}


def left_out_words(inputs: ReportInputs) -> str:
    """Why pairs were left out, and how many."""
    counts = pair_counts(inputs)
    rows = inputs[PairLedger].filter(
        pl.col("account").cast(pl.String) == PairAccount.LEFT_OUT, pl.col("n") > 0
    )
    reasons = [f"{row['n']:,} ({CASE_WORDS[row['case']]})" for row in rows.iter_rows(named=True)]
    unlabelled = _unlabelled_words(inputs)
    if not reasons:
        return f"no pair; all {counts['pairs']:,} are analysed{unlabelled}."
    of = counted(counts["pairs"], "pair")
    return f"{counts['left out']:,} of {of}: {', '.join(reasons)}{unlabelled}."


def _unlabelled_words(inputs: ReportInputs) -> str:
    """How many of the pairs that are analysed lack a label."""
    row = measure_rows(inputs, UNLABELLED).get(ALL)
    if row is None or not row["mean"]:
        return ""
    pairs = counted(round(row["mean"] * row["n"]), "pair")
    return (
        f"; {pairs} ({percent(row['mean'])}) with an answer too doubtful to label, which count "
        "only where that answer does not matter"
    )


def found_words(inputs: ReportInputs) -> str:
    """The one line for the terminal."""
    parts = []
    for adjustment, words in _ADJUSTED.items():
        rows = difference_rows(inputs, LEADING, adjustment=adjustment)
        shown = [row for row in rows.values() if row["verdict"] == Verdict.SHOWN]
        named = [
            f"{isolated(row['group'])} {points(row['estimate'], signed=True)} points "
            f"({inputs.confidence} interval {interval(row['ci_low'], row['ci_high'])}; adjusted "
            f"{p_equals(row['p_adjusted'])})"
            for row in shown
        ]
        parts.append(f"{words}: {', '.join(named) or 'no difference shown'}")
    return (
        "preferred answers that refuse, against conversations that mention nobody, "
        f"{'; '.join(parts)}."
    )


def template_facts(inputs: ReportInputs) -> dict[str, Any]:
    """What the sections' templates ask of an audit's config."""
    preference = inputs.config.preference
    if preference is None:
        raise ValueError("no audit of preference data")
    return {
        "path": isolated(preference.path),
        "lexicon": isolated(preference.mentions),
        "in_request": preference.mentioned_in == "request",
        "by_keyword": inputs.config.labelling.method == "keyword",
        "confidence": inputs.confidence,
    }
