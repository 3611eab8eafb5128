"""What answers are like: caveats, moralising and readability, with the errors of each measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.outcomes import OUTCOMES
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.nested import UNIT_WELCH
from refusal_parity.statistics.validity import validity_of, why_no_finding
from refusal_parity.tables import Labels, Quality
from refusal_parity.text import count, heading_of, known, minus, plain, tenths, tenths_span
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row


def means_table(inputs: ReportInputs) -> Table | None:
    """Means of each measure by level, and differences from the reference; null without any."""
    if inputs[Quality].is_empty():
        return None
    rows = inputs[Quality].filter(pl.col("dimension").is_in(["all", inputs.dimension])).to_dicts()
    by_cr2 = "Welch's test of prompts" if inputs.listed else "the linear model, bias-reduced"
    return Table(
        caption="What full answers are like: the share in per cent that has a caveat or moralises, "
        "and the reading grade in years of school. Differences from the reference, in points or "
        f"grades, by {by_cr2}. In bold: adjusted p below {inputs.config.analysis.alpha:g}, where a "
        f"difference may be a finding.{_cut(inputs)}",
        columns=(
            ("Model", TEXT),
            ("Measure", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            ("Answers", NUMBER),
            ("Mean", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval of it", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(OUTCOMES[row["outcome"]].words.heading),
                Cell(plain(row["group"])),
                Cell(count(row["n"]), row["n"]),
                Cell(tenths(row["mean"]), row["mean"]),
                Cell(tenths_span(row["ci_low"], row["ci_high"]), row["ci_low"]),
                *_difference(inputs, row),
                Cell(plain(row["note"] or "")),
            )
            for row in rows
        ),
    ).without_empty()


def _difference(inputs: ReportInputs, row: Row) -> tuple[Cell, Cell]:
    outcome = OUTCOMES[row["outcome"]]
    configured = inputs.config.analysis.dimensions.get(inputs.dimension)
    method = UNIT_WELCH if inputs.listed else OLS_CR2_TWO_WAY
    found: Row = next(
        (
            test
            for test in inputs.tests(row["model"], outcome, inputs.dimension)
            if (test["method"], test["group"]) == (method, row["group"])
            and configured is not None
            and test["reference"] == configured.reference
        ),
        {},
    )
    estimate, p = found.get("estimate"), found.get("p_adjusted")
    may_be_shown = why_no_finding(str(outcome)) is None
    shown = may_be_shown and p is not None and p < inputs.config.analysis.alpha
    low, high = (
        found.get(f"adjusted_{side}") if may_be_shown else found.get(f"ci_{side}")
        for side in ("low", "high")
    )
    return (
        Cell(tenths(estimate, signed=True), estimate, shown),
        Cell(tenths_span(low, high), low),
    )


def sentences(inputs: ReportInputs) -> list[str]:
    """What each measure is, and whether differences in it may be findings."""
    told = []
    for key in inputs[Quality]["outcome"].cast(pl.String).unique(maintain_order=True):
        words = OUTCOMES[key].words
        why = why_no_finding(key)
        verdict = "differences may be findings" if why is None else why
        told.append(f"{words.heading}: {words.meaning}. Of this measure, {verdict}.")
    return told + judged_sentences(inputs)


def judged_sentences(inputs: ReportInputs) -> list[str]:
    """How far what is measured agrees with a judge who read the same answers, by model."""
    read = inputs[Quality].filter(pl.col("dimension") == "all", pl.col("n_judged") > 0)
    return [_judged(row) for row in read.iter_rows(named=True)]


def _judged(row: Row) -> str:
    kappa = row["judge_kappa"]
    beyond = (
        f"kappa {minus(f'{kappa:.2f}')}"
        if known(kappa)
        else "no kappa, since both say one and the same of all"
    )
    return (
        f"{plain(row['model'])}: of {count(row['n_judged'])} answers that the judge read too, "
        f"{OUTCOMES[row['outcome']].words.heading.lower()} are {tenths(row['judged_mean'])} % by "
        f"the judge and {tenths(row['measured_mean'])} % by the list; both say the same of "
        f"{tenths(100 * row['judge_agreement'])} % ({beyond})."
    )


def errors_table(inputs: ReportInputs) -> Table:
    """What each measure gets wrong, by the group of the names in answers that people read."""
    keys = inputs[Quality]["outcome"].cast(pl.String).unique(maintain_order=True)
    return Table(
        caption="Errors of the measures on answers that were written and read for this, by the "
        "group of the name in them: how many have it to their reader, how many of these the "
        "measure misses, and in how many of the others it finds what is not there.",
        columns=(
            ("Measure", TEXT),
            ("Names", TEXT),
            ("Answers", NUMBER),
            ("Have it", NUMBER),
            ("Missed", NUMBER),
            ("Found wrongly", NUMBER),
        ),
        rows=tuple(
            (
                Cell(OUTCOMES[key].words.heading),
                Cell(plain(each.group)),
                Cell(count(each.n), each.n),
                Cell(count(each.having), each.having),
                Cell(count(each.missed), each.missed),
                Cell(count(each.found_wrongly), each.found_wrongly),
            )
            for key in keys
            if (found := validity_of(key)) is not None
            for each in found.groups
        ),
    )


def _cut(inputs: ReportInputs) -> str:
    """How many full answers are in no mean, since nobody knows how they go on."""
    is_answer = pl.col("label").cast(pl.String) == str(Label.ANSWER)
    cut = int(
        inputs.scan(Labels).filter(pl.col("truncated"), is_answer).select(pl.len()).collect().item()
    )
    return (
        f" {counted(cut, 'full answer')} that {agreed(cut, 'was', 'were')} cut off "
        f"{agreed(cut, 'is', 'are')} in none of these."
        if cut
        else ""
    )
