"""The tables to take away, and what each column means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import making
from refusal_parity.report.files import FOLDER
from refusal_parity.report.sections.section import Figures, Section
from refusal_parity.tables import EXPORTED, meaning

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs, _: Figures) -> dict[str, Any]:
    return {
        "folder": FOLDER,
        "tables": [
            (key, meaning(schema), making.columns_table(schema))
            for key, schema in EXPORTED.items()
            if getattr(inputs, key) is not None
        ],
    }


SECTION: Final = Section(
    key="downloads",
    entry="Tables and columns",
    heading="Tables and their columns",
    context=_context,
)
