"""The files beside the report: its tables, all models together, and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.tables import tables_of, write_csv, write_table

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report.inputs import ReportInputs

FOLDER: Final = "tables"
"""Folder of the tables, beside the report."""


ANALYSIS_PACKAGES: Final = (
    "polars",
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
)


def export_tables(inputs: ReportInputs, folder: Path) -> None:
    """Write the tables that the report was made from, as Parquet and as CSV.

    Args:
        inputs: the study's tables; those that it does not have are left out.
        folder: where to; it is made.

    Raises:
        InputError: a table is not what its schema says, or the folder cannot be written.
    """
    for key, spec in tables_of(inputs.config).items():
        rows = inputs.tables.get(spec.schema)
        if rows is not None:
            provenance = inputs.provenance if key == "responses" else None
            write_table(rows, spec.schema, folder / f"{key}.parquet", metadata=provenance)
            write_csv(rows, spec.schema, folder / f"{key}.csv")
