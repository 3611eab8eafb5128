"""The ledger of exclusions: where every response went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import results
from refusal_parity.report.inputs import ALL
from refusal_parity.report.sections.section import Figures, Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs, _: Figures) -> dict[str, Any]:
    ledger = [results.exclusions_table(inputs, level) for level in (ALL, *inputs.dimensions)]
    return {"tables": [table for table in ledger if table is not None]}


SECTION: Final = Section(
    key="left-out", entry="What was left out", heading="What was left out", context=_context
)
