"""Every table's columns, in one place; tables are read and written through it alone.

Rows are checked on every read and write: a missing column, a foreign type, a
null or a duplicate key is an error that names the file and the column.
"""

from __future__ import annotations

from refusal_parity.tables.audit import (
    Agreement,
    AuditSample,
    Confusion,
    HumanLabels,
    Judgements,
    VoteProblems,
    Votes,
)
from refusal_parity.tables.exporting import EXPORTED, meaning, write_csv
from refusal_parity.tables.files import (
    conform,
    empty,
    read_metadata,
    read_table,
    read_tables,
    write_blocks,
    write_table,
)
from refusal_parity.tables.responses import (
    PROBABILITY_COLUMNS,
    ClusterJobs,
    Gold,
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
from refusal_parity.tables.streams import read_parts, write_parts

__all__ = [
    "EXPORTED",
    "PROBABILITY_COLUMNS",
    "Agreement",
    "AuditSample",
    "ClusterJobs",
    "Comparison",
    "Confusion",
    "Disparity",
    "Exclusions",
    "Gold",
    "HumanLabels",
    "Influence",
    "Judgements",
    "Labels",
    "Lengths",
    "MixedModels",
    "Overview",
    "Prompts",
    "Rates",
    "Responses",
    "SelfCheck",
    "StudyDesign",
    "VoteProblems",
    "Votes",
    "conform",
    "empty",
    "meaning",
    "read_metadata",
    "read_parts",
    "read_table",
    "read_tables",
    "write_blocks",
    "write_csv",
    "write_parts",
    "write_table",
]
