"""The responses themselves, to filter and to read side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.payload import response_payload
from refusal_parity.report.sections.section import Figures, Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs, _: Figures) -> dict[str, Any] | None:
    payload = response_payload(inputs)
    if payload is None:
        return None
    return {"payload": payload, "characters": inputs.config.report.characters}


SECTION: Final = Section(
    key="responses", entry="Responses", heading="Read the responses", context=_context
)
