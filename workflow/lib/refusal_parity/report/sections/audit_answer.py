"""The answer of an audit of preference data in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import audit
from refusal_parity.report.pair_losses import pair_losses_warning
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        **audit.template_facts(inputs),
        "left_out": audit.left_out_words(inputs),
        "uneven": pair_losses_warning(inputs),
        "measures": [
            {
                "heading": measure.heading,
                "shown": list(audit.sentences(inputs, measure)),
                "quiet": audit.quiet_words(inputs, measure),
            }
            for measure in audit.measures(inputs)
        ],
    }


SECTION: Final = Section(
    key="answer",
    entry="The answer",
    heading="The answer in plain words",
    context=_context,
    layout="audit-answer",
)
"""Of an audit."""
