"""The tables that people are given, and how they are written for any spreadsheet."""

from __future__ import annotations

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


EXPORTED: Final[dict[str, type[dy.Schema]]] = {
    "prompts": Prompts,
    "responses": Responses,
    "labels": Labels,
    "rates": Rates,
    "exclusions": Exclusions,
    "disparity": Disparity,
    "influence": Influence,
    "lengths": Lengths,
    "mixed_models": MixedModels,
    "overview": Overview,
    "comparison": Comparison,
    "agreement": Agreement,
    "confusion": Confusion,
    "selfcheck": SelfCheck,
    "design": StudyDesign,
    "human": HumanLabels,
    "jobs": ClusterJobs,
}
"""Tables that lie beside the report, once as Parquet and once as CSV, by the names of their files;
`layout.PLACES` says where."""


def meaning(schema: type[dy.Schema]) -> str:
    """What a table holds, in one sentence."""
    return (schema.__doc__ or "").strip().splitlines()[0]


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
