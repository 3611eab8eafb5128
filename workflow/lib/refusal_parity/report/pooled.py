"""Pooled rates of names and templates, and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.dimensions import GROUP, Unit, of_unit
from refusal_parity.report.figure_templates import template_words
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table, few_words, in_brackets
from refusal_parity.tables import Pooled, Prompts
from refusal_parity.text import NOTHING, interval, isolated, known, percent, plain
from refusal_parity.vocabulary import PooledUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from refusal_parity.report.inputs import ReportInputs, Row

NO_GROUP: Final = "no group"


def pooled_rows(inputs: ReportInputs, model: str, unit: PooledUnit) -> list[Row]:
    """Rows of a model's names or templates with labelled responses, in the order of the prompts."""
    key = f"{unit}_id"
    keys = inputs[Prompts][key].unique(maintain_order=True)
    order = {each: at for at, each in enumerate(keys)}
    rows = inputs[Pooled].filter(
        pl.col("model") == model,
        pl.col("outcome").cast(pl.String) == str(inputs.outcome),
        pl.col("unit").cast(pl.String) == str(unit),
        pl.col("n") > 0,
    )
    return sorted(rows.to_dicts(), key=lambda row: order.get(row["key"], len(order)))


def pooled_notes(inputs: ReportInputs) -> list[str]:
    """Why there are no pooled rates, of each model that has none."""
    found = []
    for model in inputs.models:
        reasons = {row["note"] for row in pooled_rows(inputs, model, PooledUnit.NAME)}
        found += [f"{isolated(model)}: pooled rates are {why}." for why in sorted(reasons - {None})]
    return found


def names_table(inputs: ReportInputs) -> Table:
    """Each name with its pooled rate and the one seen, a row for each model."""
    facts = inputs.name_facts()
    extra = [
        column
        for column in of_unit(Unit.NAME, own=True)
        if column != GROUP.key and any(fact.get(column) is not None for fact in facts.values())
    ]
    found = _by_model(inputs, PooledUnit.NAME)
    order = {group: at for at, group in enumerate(inputs.levels(GROUP.key))}
    rows = tuple(
        (
            Cell(plain(facts.get(key, {}).get("name", key))),
            Cell(plain(_group(found[key]))),
            *(Cell(plain(facts.get(key, {}).get(column) or NOTHING)) for column in extra),
            *cells,
        )
        for key in sorted(found, key=lambda key: order.get(_group(found[key]), len(order)))
        for cells in _of_models(inputs, found[key])
    )
    return Table(
        caption=_caption(inputs, "name", "names of its group", rows),
        columns=(
            ("Name", TEXT),
            ("Group", TEXT),
            *((column.capitalize(), TEXT) for column in extra),
            *_headings(inputs),
        ),
        rows=rows,
    )


def templates_table(inputs: ReportInputs) -> Table:
    """Each template with its pooled rate over all names and the one seen, a row for each model."""
    facts = inputs.template_facts()
    rows = tuple(
        (
            Cell(template_words(key, facts)),
            Cell(plain(facts.get(key, {}).get("family", NOTHING))),
            *cells,
        )
        for key, of_models in _by_model(inputs, PooledUnit.TEMPLATE).items()
        for cells in _of_models(inputs, of_models)
    )
    return Table(
        caption=_caption(inputs, "template", "templates", rows),
        columns=(("Template", TEXT), ("Family", TEXT), *_headings(inputs)),
        rows=rows,
    )


def _caption(inputs: ReportInputs, unit: str, others: str, rows: Iterable[Iterable[Cell]]) -> str:
    brackets = in_brackets(f"; {inputs.confidence} intervals in brackets", rows)
    return (
        f"{inputs.outcome.words.heading} rate of each {unit}, pooled and as seen. Pooled rates are "
        f"drawn towards the other {others}{brackets}."
    )


def _by_model(inputs: ReportInputs, unit: PooledUnit) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for model in inputs.models:
        for row in pooled_rows(inputs, model, unit):
            found.setdefault(row["key"], {})[model] = row
    return found


def _group(of_models: dict[str, Row]) -> str:
    return next(iter(of_models.values()))["group"] or NO_GROUP


def _headings(inputs: ReportInputs) -> list[tuple[str, str]]:
    model = [("Model", TEXT)] if len(inputs.models) > 1 else []
    return [*model, ("Pooled rate", NUMBER), ("Rate as seen", NUMBER)]


def _of_models(inputs: ReportInputs, of_models: dict[str, Row]) -> Iterator[list[Cell]]:
    """Cells of a name or template, of each model that answered."""
    for model, row in of_models.items():
        words = f"{percent(row['pooled'])} ({interval(row['pooled_low'], row['pooled_high'])})"
        yield [
            *([Cell(plain(model))] if len(inputs.models) > 1 else []),
            Cell(words if known(row["pooled"]) else NOTHING, row["pooled"]),
            Cell(percent(row["rate"]) + few_words(row), row["rate"]),
        ]
