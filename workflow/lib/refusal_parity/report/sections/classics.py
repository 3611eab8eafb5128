"""The usual tests, set apart: none of their p-values is a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import describing, mixed
from refusal_parity.report.sections.section import Figures, Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs, _: Figures) -> dict[str, Any]:
    return {
        "classics": describing.classics(inputs),
        "table": describing.classics_table(inputs),
        "mixed": mixed.mixed_table(inputs),
    }


SECTION: Final = Section(
    key="classics",
    entry="For comparison",
    heading="For comparison: methods that are not used here",
    context=_context,
)
