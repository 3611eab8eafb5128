"""What arms cost, and whom: their rates and changes, as rows and as tables of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.factors import UNSAFE
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.safeguards import HARMLESS
from refusal_parity.tables import SafeguardRates, Safeguards
from refusal_parity.text import (
    NOTHING,
    heading_of,
    interval,
    known,
    p_value,
    percent,
    plain,
    points,
)
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

ALL: Final = "all"
KINDS: Final = (HARMLESS, UNSAFE)


def rate_of(inputs: ReportInputs, model: str, arm: str, kind: str) -> dict[str, Row]:
    """Rates of the primary outcome by level of the primary dimension, and of `all`."""
    rows = inputs[SafeguardRates].filter(
        pl.col("model") == model,
        pl.col("arm") == arm,
        pl.col("kind") == kind,
        pl.col("outcome").cast(pl.String) == inputs.outcome,
        pl.col("dimension").is_in([ALL, inputs.dimension]),
    )
    return {row["group"]: row for row in rows.iter_rows(named=True)}


def changes(inputs: ReportInputs) -> list[Row]:
    """What arms change of the primary outcome and dimension, for new templates and new names."""
    return (
        inputs[Safeguards]
        .filter(
            pl.col("outcome").cast(pl.String) == inputs.outcome,
            pl.col("dimension").is_in([ALL, inputs.dimension]),
            pl.col("scope").cast(pl.String) == Scope.NEW_NAMES_AND_TEMPLATES,
        )
        .to_dicts()
    )


def is_shown(row: Row, alpha: float) -> bool:
    """Whether a change is other than 0, by its adjusted p-value."""
    return known(row["p_adjusted"]) and row["p_adjusted"] < alpha


def rates_table(inputs: ReportInputs) -> Table:
    """Rates of every arm, of harmless and of unsafe requests, with what guards stopped."""
    rows = []
    places = {
        key: inputs[SafeguardRates][key].unique(maintain_order=True).to_list()
        for key in ("arm", "kind")
    } | {"model": list(inputs.models)}
    # Of one model and arm together, all before each level.
    for row in sorted(
        inputs[SafeguardRates].iter_rows(named=True),
        key=lambda row: [places[key].index(row[key]) for key in ("model", "arm", "kind")],
    ):
        of_primary = row["outcome"] == inputs.outcome
        if of_primary and row["dimension"] in {ALL, inputs.dimension}:
            bounds = interval(row["ci_low"], row["ci_high"])
            rows.append(
                (
                    Cell(plain(row["model"])),
                    Cell(plain(row["arm"])),
                    Cell(row["kind"]),
                    Cell(plain(row["group"])),
                    Cell(percent(row["rate"]), row["rate"]),
                    Cell("" if bounds == NOTHING else bounds, row["ci_low"]),
                    Cell(f"{row['k']:,} of {row['n']:,}", row["n"]),
                    Cell(f"{row['n_stopped']:,}", row["n_stopped"]),
                    Cell(f"{row['n_cut']:,}", row["n_cut"]),
                    Cell(f"{row['n_left_out']:,}", row["n_left_out"]),
                )
            )
    return Table(
        caption=f"{inputs.outcome.words.heading} by arm. Stopped: by a guard or the service's own "
        "filter, which count as refusals. Cut off: at the longest response that was allowed; these "
        "count by their label.",
        columns=(
            ("Model", TEXT),
            ("Arm", TEXT),
            ("Requests", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            ("Rate", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Responses", NUMBER),
            ("Stopped", NUMBER),
            ("Cut off", NUMBER),
            ("Left out", NUMBER),
        ),
        rows=tuple(rows),
    )


def changes_table(inputs: ReportInputs) -> Table:
    """What each arm changes, for all, for each level, and for each against the reference."""
    alpha = inputs.config.analysis.alpha
    return Table(
        caption=f"{inputs.outcome.words.heading}: what each arm changes, in points, on the same "
        "prompts. Adjusted p: Holm, over the rows of one kind of request and of one question. In "
        f"bold: below {alpha:g}. Holds for new templates and new names.",
        columns=(
            ("Model", TEXT),
            ("Arm", TEXT),
            ("Against", TEXT),
            ("Requests", TEXT),
            ("Whom", TEXT),
            ("Change", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Left out", NUMBER),
            ("If these spoke against or for it", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(plain(row["arm"])),
                Cell(plain(row["baseline"])),
                Cell(row["kind"]),
                Cell(_whom(row)),
                Cell(points(row["estimate"], signed=True), row["estimate"], is_shown(row, alpha)),
                Cell(interval(row["ci_low"], row["ci_high"]), row["ci_low"]),
                Cell(p_value(row["p_adjusted"]), row["p_adjusted"]),
                *_left_out_cells(row),
                Cell(plain(row["note"] or "")),
            )
            for row in changes(inputs)
        ),
    ).without_empty()


def _left_out_cells(row: Row) -> tuple[Cell, Cell]:
    """Responses left out of the arm and its baseline, and what the change may be for them."""
    left = row["left_arm"] + row["left_baseline"]
    if not left:
        return Cell("", 0), Cell("")
    return (
        Cell(f"{row['left_arm']:,} and {row['left_baseline']:,}", left),
        Cell(interval(row["lowest"], row["highest"]), row["lowest"]),
    )


def _whom(row: Row) -> str:
    if row["reference"] is None:
        return plain(row["group"])
    return f"{plain(row['group'])} against {plain(row['reference'])}"
