"""The tables to take away, and what each column means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import making
from refusal_parity.report.files import FOLDER
from refusal_parity.report.sections.section import Section
from refusal_parity.tables import tables_of

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "folder": FOLDER,
        "tables": [
            (key, spec.meaning, making.columns_table(spec.schema))
            for key, spec in tables_of(inputs.config).items()
            if spec.schema in inputs.tables
        ],
    }


SECTION: Final = Section(
    key="downloads",
    entry="Tables and columns",
    heading="Tables and their columns",
    context=_context,
)
