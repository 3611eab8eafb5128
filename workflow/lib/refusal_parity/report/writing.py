"""The whole job of the report: tables in; page, figures, tables and summary out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from refusal_parity.config.opened import read_opened
from refusal_parity.files import write_text
from refusal_parity.inference.provenance import package_versions
from refusal_parity.preregistration.files import read_preregistrations
from refusal_parity.report.figures import draw_all, save_figures
from refusal_parity.report.files import ANALYSIS_PACKAGES, export_tables
from refusal_parity.report.inputs import ReportInputs
from refusal_parity.report.page import write_report
from refusal_parity.report.summary import summary_lines
from refusal_parity.repository import git_commit
from refusal_parity.tables import TABLES, read_metadata, read_tables, scan_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from refusal_parity.config import StudyConfig


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """Where the report goes: a page, two folders beside it, and the lines for the terminal."""

    report: Path
    figures: Path
    tables: Path
    summary: Path


def read_inputs(
    config: StudyConfig,
    files: Mapping[str, Sequence[Path]],
    registered: Sequence[Path] = (),
    opened: Path | None = None,
) -> ReportInputs:
    """Read what the report is made from.

    Args:
        config: the study.
        files: the Parquet files of each of `tables.tables_of` the study; those of a
            table with one file a model stand in the order of the config. Files with a row
            for each response must stay as they are until the report is written.
        registered: its pre-registrations.
        opened: the file of the stages that were opened, where there is one.

    Raises:
        InputError: a file is missing or not such a table, or no pre-registration, or not what
            `next_stage` wrote.
    """
    return ReportInputs(
        config=config,
        tables={
            spec.schema: (scan_tables if spec.long else read_tables)(spec.schema, found)
            for key, found in files.items()
            for spec in (TABLES[key],)
        },
        provenance={
            model: read_metadata(path)
            for model, path in zip(config.models, files.get("responses", []), strict=True)
        },
        remarks=tuple(
            remark
            for path in files.get("agreement", [])
            for remark in read_metadata(path).get("remarks", ())
        ),
        versions=package_versions(ANALYSIS_PACKAGES),
        git_commit=git_commit(),
        preregistrations=tuple(read_preregistrations(registered)),
        opened=None if opened is None else read_opened(opened),
    )


def write_all(inputs: ReportInputs, made: ReportFiles) -> None:
    """Write tables, figures, page and summary; each figure is drawn once.

    Raises:
        InputError: a folder cannot be written.
    """
    export_tables(inputs, made.tables)
    drawings = save_figures(draw_all(inputs), made.figures)
    write_report(inputs, made.report, drawings=drawings)
    write_text(made.summary, "\n".join(summary_lines(inputs, made.report)) + "\n")
