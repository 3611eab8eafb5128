"""How far the labels of answers can be trusted: what people say of some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.agreement import agreement_section
from refusal_parity.report.audit import correctable_words
from refusal_parity.report.audit_tables import correctable_table
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "labelling": agreement_section(inputs),
        "correctable": correctable_table(inputs),
        "enough": correctable_words(inputs),
    }


SECTION: Final = Section(
    key="labels",
    entry="The labels",
    heading="How far the labels can be trusted",
    context=_context,
    layout="audit-labels",
)
"""Of an audit."""
