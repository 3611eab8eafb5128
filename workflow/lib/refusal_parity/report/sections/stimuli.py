"""How alike the names of the groups are in everything but their group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.report.sections.section import Section
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.report.unlike import named, unlike
from refusal_parity.statistics.balance import ALL, CONSTANT, IMBALANCE
from refusal_parity.tables import Stimuli
from refusal_parity.text import NOTHING, count, plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    rows = inputs[Stimuli].filter(dimension=inputs.dimension)
    if rows.is_empty():
        return None
    untold = rows.filter(pl.col("std_difference").is_null(), pl.col("note").ne_missing(CONSTANT))
    counted = set(rows.filter(property="tokens")["model"])
    return {
        "table": _table(rows.to_dicts(), inputs),
        "bound": f"{IMBALANCE:g}",
        "unlike": [
            (plain(str(group)), [named(row) for row in found.to_dicts()])
            for (group,), found in unlike(inputs, inputs.dimension).group_by(
                "group", maintain_order=True
            )
        ],
        "untold": [
            plain(f"{row['property']} of {row['group']}: {row['note']}")
            for row in untold.to_dicts()
        ],
        "uncounted": [plain(model) for model in inputs.models if model not in counted],
        "reference": plain(rows["reference"][0]),
    }


def _table(rows: list[Row], inputs: ReportInputs) -> Table:
    units = "prompts" if inputs.listed else "names"
    beyond = "the mean prompt" if inputs.listed else "what other names take in the same prompt"
    return Table(
        caption=f"{units.capitalize()} of each {plain(inputs.dimension)} beside those of the "
        f"reference. Means over the {units} of which it is known; the standardised difference is "
        f"in standard deviations, in bold above {IMBALANCE:g}. Tokens count beyond {beyond}.",
        columns=(
            ("Property", TEXT),
            ("Model", TEXT),
            ("Level", TEXT),
            (units.capitalize(), NUMBER),
            ("Mean", NUMBER),
            ("Reference", TEXT),
            (f"Its {units}", NUMBER),
            ("Its mean", NUMBER),
            ("Standardised difference", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["property"])),
                Cell("" if row["model"] == ALL else plain(row["model"])),
                Cell(plain(row["group"])),
                Cell(count(row["n_names"]), row["n_names"]),
                _number(row["mean"]),
                Cell(plain(row["reference"])),
                Cell(count(row["n_reference"]), row["n_reference"]),
                _number(row["mean_reference"]),
                _number(row["std_difference"], bound=IMBALANCE),
                Cell(plain(row["note"] or "")),
            )
            for row in rows
        ),
    ).without_empty()


def _number(value: float | None, *, bound: float | None = None) -> Cell:
    if value is None:
        return Cell(NOTHING)
    # Two digits, and no minus before a number that is shown as 0.
    text = f"{round(value, 2) + 0.0:.2f}".replace("-", "\u2212")
    return Cell(text, value, strong=bound is not None and abs(value) > bound)


SECTION: Final = Section(
    key="stimuli", entry="How alike groups are", heading="How alike groups are", context=_context
)
