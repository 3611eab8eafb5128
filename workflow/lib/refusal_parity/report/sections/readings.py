"""What else the responses are: partial answers read in three ways, and the length of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import quality, readings
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "partial": readings.partial_table(inputs),
        "lengths": readings.lengths_table(inputs),
        "quality": quality.means_table(inputs),
        "quality_sentences": quality.sentences(inputs),
        "quality_errors": quality.errors_table(inputs),
    }


SECTION: Final = Section(
    key="readings",
    entry="Partial answers",
    heading="Partial answers and lengths",
    context=_context,
)
