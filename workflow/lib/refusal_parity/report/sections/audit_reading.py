"""The pairs themselves, both answers beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.audit import pair_counts
from refusal_parity.report.pairs_payload import pair_payload
from refusal_parity.report.sections.section import Section
from refusal_parity.tables import ShownPairs

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    payload = pair_payload(inputs)
    if payload is None:
        return None
    return {
        "payload": payload,
        "characters": inputs.config.report.characters,
        "shown": len(inputs[ShownPairs]),
        "analysed": pair_counts(inputs)["analysed"],
    }


SECTION: Final = Section(
    key="reading", entry="Read the pairs", heading="Read the pairs", context=_context
)
"""Of an audit."""
