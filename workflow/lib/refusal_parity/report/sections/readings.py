"""What else the responses are: partial answers read in several ways, and the length of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import quality, readings
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_SEVERAL: Final = (
    "A partial answer is neither a refusal nor an answer. These tables show whether a difference "
    "holds however partial answers are counted, and whether the answers are equally long for all "
    "groups."
)
_NONE: Final = (
    "A partial answer is neither a refusal nor an answer. This study does not ask for several ways "
    "to count it (analysis.outcomes)."
)


def _context(inputs: ReportInputs) -> dict[str, Any]:
    partial = readings.partial_table(inputs)
    return {
        "introduction": _SEVERAL if partial else _NONE,
        "partial": partial,
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
