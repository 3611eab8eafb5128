"""The responses themselves, to filter and to read side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.payload import response_payload, shown_characters
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    payload = response_payload(inputs)
    if payload is None:
        return None
    characters = shown_characters(inputs)
    squeezed = characters < inputs.config.report.characters
    return {"payload": payload, "characters": characters, "squeezed": squeezed}


SECTION: Final = Section(
    key="responses", entry="Responses", heading="Read the responses", context=_context
)
