"""Every table's columns, in one place; tables are read and written through it alone.

Rows are checked on every read and write: a missing column, a foreign type, a
null or a duplicate key is an error that names the file and the column.
"""

from __future__ import annotations

# People are shown the tables in this order.
# isort: off
from refusal_parity.tables.responses import (
    PROBABILITY_COLUMNS,
    Gold,
    KnownLabels,
    Labels,
    Prompts,
    Responses,
    StoredResponses,
)
from refusal_parity.tables.guards import GuardStops
from refusal_parity.tables.openings import (
    DrawnOpenings,
    LeafLabels,
    LeafResponses,
    NextTokens,
    OpeningProbabilities,
    Openings,
    Pilots,
    Propensity,
    Weighed,
    WeighedResponses,
)
from refusal_parity.tables.propensity import (
    PropensityChecks,
    PropensityEffects,
    PropensityLevels,
)
from refusal_parity.tables.stimuli import Stimuli
from refusal_parity.tables.training import Lessons, Training
from refusal_parity.tables.statistics import (
    Comparison,
    Disparity,
    Influence,
    Lengths,
    MixedModels,
    Overview,
    Quality,
    Rates,
)
from refusal_parity.tables.design import SelfCheck, StudyDesign
from refusal_parity.tables.pooled import Pooled
from refusal_parity.tables.interactions import Interactions
from refusal_parity.tables.template_effects import TemplateEffects
from refusal_parity.tables.safeguards import SafeguardRates, Safeguards
from refusal_parity.tables.left_out import Bounds, CutOff, Exclusions, Losses
from refusal_parity.tables.findings import Findings
from refusal_parity.tables.precision import Precision
from refusal_parity.tables.audit import (
    Agreement,
    AuditSample,
    Confusion,
    HumanLabels,
    Judgements,
    LeafHumanLabels,
    LeafSample,
    LeafVoteProblems,
    LeafVotes,
    VoteProblems,
    Votes,
)
from refusal_parity.tables.preference import (
    Conversations,
    GroupDifferences,
    GroupLedger,
    GroupLosses,
    GroupMeasures,
    Groups,
    Mentions,
    PairJudgements,
    PairLedger,
    Pairs,
    ShownPairs,
    Sides,
)
from refusal_parity.tables.cluster import ClusterJobs

# isort: on
from refusal_parity.plugins import declare_plugins
from refusal_parity.tables.exporting import write_csv, write_csv_parts
from refusal_parity.tables.files import (
    conform,
    empty,
    filled,
    read_metadata,
    read_table,
    read_tables,
    write_blocks,
    write_table,
)
from refusal_parity.tables.registry import TABLES, TableSpec, spec_of, table, tables_of
from refusal_parity.tables.streams import Scanned, read_parts, scan_tables, write_parts

declare_plugins("table")

__all__ = [
    "PROBABILITY_COLUMNS",
    "TABLES",
    "Agreement",
    "AuditSample",
    "Bounds",
    "ClusterJobs",
    "Comparison",
    "Confusion",
    "Conversations",
    "CutOff",
    "Disparity",
    "DrawnOpenings",
    "Exclusions",
    "Findings",
    "Gold",
    "GroupDifferences",
    "GroupLedger",
    "GroupLosses",
    "GroupMeasures",
    "Groups",
    "GuardStops",
    "HumanLabels",
    "Influence",
    "Interactions",
    "Judgements",
    "KnownLabels",
    "Labels",
    "LeafHumanLabels",
    "LeafLabels",
    "LeafResponses",
    "LeafSample",
    "LeafVoteProblems",
    "LeafVotes",
    "Lengths",
    "Lessons",
    "Losses",
    "Mentions",
    "MixedModels",
    "NextTokens",
    "OpeningProbabilities",
    "Openings",
    "Overview",
    "PairJudgements",
    "PairLedger",
    "Pairs",
    "Pilots",
    "Pooled",
    "Precision",
    "Prompts",
    "Propensity",
    "PropensityChecks",
    "PropensityEffects",
    "PropensityLevels",
    "Quality",
    "Rates",
    "Responses",
    "SafeguardRates",
    "Safeguards",
    "Scanned",
    "SelfCheck",
    "ShownPairs",
    "Sides",
    "Stimuli",
    "StoredResponses",
    "StudyDesign",
    "TableSpec",
    "TemplateEffects",
    "Training",
    "VoteProblems",
    "Votes",
    "Weighed",
    "WeighedResponses",
    "conform",
    "empty",
    "filled",
    "read_metadata",
    "read_parts",
    "read_table",
    "read_tables",
    "scan_tables",
    "spec_of",
    "table",
    "tables_of",
    "write_blocks",
    "write_csv",
    "write_csv_parts",
    "write_parts",
    "write_table",
]
