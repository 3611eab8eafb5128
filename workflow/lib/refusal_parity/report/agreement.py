"""How far the labels can be trusted: agreement, and errors by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.agreement.leaves import models_read_both_ways
from refusal_parity.agreement.sentences import missed_apart
from refusal_parity.counting import counted, enumerated
from refusal_parity.pair_vocabulary import Side
from refusal_parity.preference.noise import BOTH
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table, in_brackets
from refusal_parity.report.unread import undecided_words, unread_words
from refusal_parity.tables import Agreement, HumanLabels, LeafHumanLabels
from refusal_parity.text import (
    LABEL_NAMES,
    NOTHING,
    count,
    heading_of,
    interval,
    isolated,
    known,
    minus,
    p_equals,
    p_value,
    percent,
    plain,
    points,
)
from refusal_parity.vocabulary import Coefficient, Label

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

ALL: Final = "all"
_READINGS: Final = {
    "refusal_or_not": "Refusal of any kind or not",
    "six_classes": "Six classes",
    "seven_classes": "Seven classes",
}
_KAPPAS: Final = (Coefficient.COHEN_KAPPA, Coefficient.KRIPPENDORFF_ALPHA, Coefficient.GWET_AC1)
_ERRORS: Final = {
    Coefficient.MISSED_REFUSAL: ("Missed refusals", Coefficient.MISSED_REFUSAL_SPREAD),
    Coefficient.FALSE_REFUSAL: ("False refusals", Coefficient.FALSE_REFUSAL_SPREAD),
}
_ANSWERS: Final = {
    BOTH: "All answers",
    str(Side.CHOSEN): "Preferred answers",
    str(Side.REJECTED): "Rejected answers",
}
_MACHINES: Final = {"classifier": "the classifier", "keyword": "the list of phrases"}
_YARDSTICKS: Final = {"human": "people", "imported": "the imported labels"}


@dataclass(frozen=True, kw_only=True)
class AgreementSection:
    """What the page says of the labels.

    Attributes:
        lead: the finding in sentences.
        coefficients: agreement of every two labellings.
        errors: missed and false refusals by level, or None without a yardstick.
    """

    lead: tuple[str, ...]
    coefficients: Table
    errors: Table | None


def agreement_section(inputs: ReportInputs) -> AgreementSection | None:
    """The section on labels; None where nothing was compared."""
    if inputs[Agreement].is_empty():
        return None
    table = inputs[Agreement].cast({"coefficient": pl.String})
    by, of = "prompt" if inputs.listed else "name and template", "Model"
    if inputs.config.preference is not None:
        by, of = "conversation", "Answers"
        table = _of_answers(table)
    return AgreementSection(
        lead=(*_lead(table, inputs), *_of_openings(inputs), *_remarks(inputs)),
        coefficients=_coefficients(table, inputs.confidence, by, of),
        errors=_errors(table, inputs.confidence, by, of),
    )


def _of_openings(inputs: ReportInputs) -> list[str]:
    """That responses to openings are among what people and machines are compared on."""
    models = models_read_both_ways(inputs[HumanLabels], inputs[LeafHumanLabels])
    if not models:
        return []
    said = (
        f"Of {enumerated([isolated(model) for model in models])}, responses that were given an "
        "opening of refusals are among what classifier and list of phrases are compared with "
        "people on. Each counts by the probability that it stands for, as responses open so when "
        "they are drawn."
    )
    return [said]


def _remarks(inputs: ReportInputs) -> list[str]:
    return [f"{plain(remark)}." for remark in inputs.remarks]


def _of_answers(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of an audit of preference data in words; of two machines, the one that counts."""
    is_machine = pl.col("rater").is_in(list(_MACHINES))
    return table.filter(~is_machine | (pl.col("rater") == _machine(table))).with_columns(
        pl.col("model").replace(_ANSWERS)
    )


def _machine(table: pl.DataFrame) -> str:
    """The machine whose labels count: the first of those that were compared."""
    there = set(table["rater"])
    return next((machine for machine in _MACHINES if machine in there), "")


def _lead(table: pl.DataFrame, inputs: ReportInputs) -> list[str]:
    against = table.filter(
        pl.col("yardstick").is_in(list(_YARDSTICKS)), pl.col("over") == "refusal_or_not"
    )
    machine = _machine(against)
    people = against.filter(pl.col("rater") == machine)
    if people.is_empty():
        return [
            (
                "No person has labelled responses of this study yet, so how often the labels are "
                "wrong here is not known. The machines are compared with each other only."
            )
        ]
    sentences = []
    for (model, yardstick), rows in people.group_by("model", "yardstick", maintain_order=True):
        kappa = rows.filter(dimension=ALL, coefficient=Coefficient.COHEN_KAPPA).to_dicts()[0]
        rater, other = _MACHINES[machine], _YARDSTICKS[str(yardstick)]
        number = counted(kappa["n"], "response")
        sentence = (
            f"{plain(model)}: {rater} agrees with {other} on refusals with kappa "
            f"{_number(kappa['estimate'])} ({_bounds(kappa)}, {number})."
            if known(kappa["estimate"])
            else f"{plain(model)}: no kappa tells how far {rater} agrees with {other} on refusals "
            f"({number}): {plain(kappa['note'] or NOTHING)}."
        )
        apart = missed_apart(rows)
        if apart is not None:
            sentence += f" The groups' rates of missed refusals lie {apart}."
            spread = rows.filter(group=ALL, coefficient=Coefficient.MISSED_REFUSAL_SPREAD)
            p = spread["p_value"].drop_nulls()
            if len(p):
                sentence += f" A test of whether they differ gives {p_equals(p[0])}."
        sentence += unread_words(rows, inputs)
        if yardstick == "human":
            sentence += undecided_words(inputs, str(model))
        sentences.append(sentence)
    return sentences


def _coefficients(table: pl.DataFrame, confidence: str, by: str, of: str) -> Table:
    overall = table.filter(dimension=ALL, coefficient=Coefficient.COHEN_KAPPA).rows(named=True)
    cells = tuple(
        (
            Cell(plain(row["model"])),
            Cell(plain(row["rater"])),
            Cell(plain(row["yardstick"])),
            Cell(_reading(row["over"])),
            Cell(count(row["n"]), row["n"]),
            *(_value(_partner(table, row, coefficient)) for coefficient in _KAPPAS),
        )
        for row in overall
    )
    return Table(
        caption="Agreement of labellings. Chance-corrected"
        + in_brackets(
            f"; {confidence} intervals, clustered by {by}, in brackets", cells
        )
        + ".",
        columns=(
            (of, TEXT), ("Labels of", TEXT), ("Against", TEXT), ("Over", TEXT),
            ("Responses", NUMBER), ("Kappa", NUMBER),
            ("Alpha", NUMBER),
            ("AC1", NUMBER),
        ),
        rows=cells,
    )  # fmt: skip


def _errors(table: pl.DataFrame, confidence: str, by: str, of: str) -> Table | None:
    rows = table.filter(
        pl.col("coefficient").is_in([str(each) for each in _ERRORS]),
        pl.col("yardstick").is_in(list(_YARDSTICKS)),
    ).rows(named=True)
    if not rows:
        return None
    cells = tuple(_error_row(table, row) for row in rows)
    return Table(
        caption="Errors by level. An error that differs between groups would be read as a "
        "disparity"
        + in_brackets(
            f"; {confidence} intervals, clustered by {by}, in brackets", cells
        )
        + ". The p-value tests that the rate is the same in all groups.",
        columns=(
            (of, TEXT), ("Labels of", TEXT), ("Against", TEXT), ("Error", TEXT),
            ("Dimension", TEXT), ("Level", TEXT), ("Rate", NUMBER), ("Wrong", NUMBER),
            ("Of", NUMBER), ("Difference in points", NUMBER), ("p", NUMBER),
        ),
        rows=cells,
    ).without_empty()  # fmt: skip


def _error_row(table: pl.DataFrame, row: Row) -> tuple[Cell, ...]:
    name, spread_of = _ERRORS[Coefficient(row["coefficient"])]
    first = row["group"] == _first_level(table, row)
    spread = _partner(table, row | {"group": ALL}, spread_of) if first else None
    return (
        Cell(plain(row["model"])),
        Cell(plain(row["rater"])),
        Cell(plain(row["yardstick"])),
        Cell(name),
        Cell(heading_of(row["dimension"])),
        Cell(plain(row["group"])),
        Cell(f"{percent(row['estimate'])} ({_bounds(row, shares=True)})", row["estimate"]),
        Cell(count(row["wrong"]), row["wrong"]),
        Cell(count(row["n_of"]), row["n_of"]),
        Cell(points(spread["estimate"]) if spread else ""),
        Cell(p_value(spread["p_value"]) if spread and spread["p_value"] is not None else ""),
    )


def _first_level(table: pl.DataFrame, row: Row) -> str:
    same = ("model", "rater", "yardstick", "dimension")
    levels = table.filter(
        pl.col("group") != ALL, *(pl.col(key) == row[key] for key in same)
    )["group"]  # fmt: skip
    return str(levels[0]) if len(levels) else ALL


def _partner(table: pl.DataFrame, row: Row, coefficient: Coefficient) -> Row | None:
    """The row of another coefficient for the same comparison."""
    same = ("model", "rater", "yardstick", "over", "dimension", "group")
    found = table.filter(
        pl.col("coefficient") == coefficient, *(pl.col(key) == row[key] for key in same)
    )
    return found.row(0, named=True) if len(found) else None


def _reading(over: str) -> str:
    return _READINGS.get(over) or f"{LABEL_NAMES[Label(over)]} or not"


def _value(row: Row | None) -> Cell:
    if row is None or row["estimate"] is None:
        return Cell(NOTHING)
    return Cell(f"{_number(row['estimate'])} ({_bounds(row)})", row["estimate"])


def _number(value: float | None) -> str:
    return NOTHING if value is None else minus(f"{value:.3f}")


def _bounds(row: Row, *, shares: bool = False) -> str:
    low, high = row["ci_low"], row["ci_high"]
    if low is None or high is None:
        return "no interval"
    return interval(low, high) if shares else f"{_number(low)} to {_number(high)}"
