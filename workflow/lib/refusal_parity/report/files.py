"""The files beside the report: its tables, all models together, and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.tables import (
    tables_of,
    write_csv,
    write_csv_parts,
    write_parts,
    write_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report.inputs import ReportInputs

FOLDER: Final = "tables"
"""Folder of the tables, beside the report."""

ROWS: Final = 20_000
"""Rows of a table with one for each response that are held at a time."""

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
        if spec.schema not in inputs.tables:
            continue
        parquet, csv = folder / f"{key}.parquet", folder / f"{key}.csv"
        if spec.long:
            provenance = inputs.provenance if key == "responses" else None
            write_parts(inputs.parts(spec.schema, ROWS), spec.schema, parquet, metadata=provenance)
            write_csv_parts(inputs.parts(spec.schema, ROWS), spec.schema, csv)
        else:
            write_table(inputs[spec.schema], spec.schema, parquet)
            write_csv(inputs[spec.schema], spec.schema, csv)
