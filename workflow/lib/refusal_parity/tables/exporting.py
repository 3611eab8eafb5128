"""The tables that people are given, and how they are written for any spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.files import new_file
from refusal_parity.spreadsheets import guarded
from refusal_parity.tables.audit import Agreement, Confusion, HumanLabels
from refusal_parity.tables.files import conform
from refusal_parity.tables.responses import (
    ClusterJobs,
    Labels,
    Prompts,
    Responses,
)
from refusal_parity.tables.statistics import (
    Comparison,
    Disparity,
    Exclusions,
    Influence,
    Lengths,
    MixedModels,
    Overview,
    Rates,
    SelfCheck,
    StudyDesign,
)

if TYPE_CHECKING:
    from pathlib import Path

    import dataframely as dy


@dataclass(frozen=True, kw_only=True)
class ExportedTable:
    """A table that lies beside the report, once as Parquet and once as CSV.

    Attributes:
        schema: the table.
        per_model: whether each model has a file of it, or the study has one.
        folder: where the study's one file lies, below its results.
    """

    schema: type[dy.Schema]
    per_model: bool = True
    folder: str = ""

    @property
    def meaning(self) -> str:
        """What the table holds, in one sentence."""
        return (self.schema.__doc__ or "").strip().splitlines()[0]


EXPORTED: Final = {
    "prompts": ExportedTable(schema=Prompts, per_model=False),
    "responses": ExportedTable(schema=Responses),
    "labels": ExportedTable(schema=Labels),
    "rates": ExportedTable(schema=Rates),
    "exclusions": ExportedTable(schema=Exclusions),
    "disparity": ExportedTable(schema=Disparity),
    "influence": ExportedTable(schema=Influence),
    "lengths": ExportedTable(schema=Lengths),
    "mixed_models": ExportedTable(schema=MixedModels),
    "overview": ExportedTable(schema=Overview, per_model=False),
    "comparison": ExportedTable(schema=Comparison, per_model=False),
    "agreement": ExportedTable(schema=Agreement, per_model=False, folder="audit/"),
    "confusion": ExportedTable(schema=Confusion, per_model=False, folder="audit/"),
    "selfcheck": ExportedTable(schema=SelfCheck, per_model=False),
    "design": ExportedTable(schema=StudyDesign, per_model=False),
    "human": ExportedTable(schema=HumanLabels, per_model=False, folder="audit/"),
    "jobs": ExportedTable(schema=ClusterJobs, per_model=False),
}
"""Tables by the name of their files."""


def write_csv(frame: pl.DataFrame, schema: type[dy.Schema], path: Path) -> None:
    """Write a checked table as CSV that spreadsheets read as UTF-8 and run nothing of.

    An apostrophe stands before each text that a spreadsheet would take for a
    formula; null is an empty cell.

    Raises:
        InputError: the rows do not fit, or the folder cannot be written.
    """
    checked = conform(frame, schema, where=str(path))
    with new_file(path) as temporary:
        checked.with_columns(guarded(pl.col(pl.String))).write_csv(temporary, include_bom=True)
