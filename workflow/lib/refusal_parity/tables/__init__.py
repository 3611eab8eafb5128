"""Every table's columns, in one place; tables are read and written through it alone.

Rows are checked on every read and write: a missing column, a foreign type, a
null or a duplicate key is an error that names the file and the column.
"""

from __future__ import annotations

from refusal_parity.tables.exporting import EXPORTED, ExportedTable, write_csv
from refusal_parity.tables.files import (
    conform,
    empty,
    read_metadata,
    read_table,
    read_tables,
    write_blocks,
    write_table,
)
from refusal_parity.tables.schemas import (
    Comparison,
    Disparity,
    Exclusions,
    Gold,
    HumanLabels,
    Influence,
    Labels,
    Lengths,
    MixedModels,
    Overview,
    Prompts,
    Rates,
    Responses,
    SelfCheck,
    StudyDesign,
)

__all__ = [
    "EXPORTED",
    "Comparison",
    "Disparity",
    "Exclusions",
    "ExportedTable",
    "Gold",
    "HumanLabels",
    "Influence",
    "Labels",
    "Lengths",
    "MixedModels",
    "Overview",
    "Prompts",
    "Rates",
    "Responses",
    "SelfCheck",
    "StudyDesign",
    "conform",
    "empty",
    "read_metadata",
    "read_table",
    "read_tables",
    "write_blocks",
    "write_csv",
    "write_table",
]
