"""Each name's pooled rate within its group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.pooled import names_table, pooled_notes
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    if inputs.listed:
        return None
    return {"table": names_table(inputs), "notes": pooled_notes(inputs)}


SECTION: Final = Section(key="names", entry="Names", heading="Names", context=_context)
