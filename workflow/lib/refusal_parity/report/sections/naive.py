"""The naive methods, set apart: none of their p-values is a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import describing, mixed
from refusal_parity.report.sections.section import Section
from refusal_parity.statistics.false_alarms import MIXED_MODEL

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "methods": describing.naive_methods(inputs),
        "table": describing.naive_table(inputs),
        "mixed": mixed.mixed_table(inputs),
        "mixed_rejects": MIXED_MODEL.words,
    }


SECTION: Final = Section(
    key="naive",
    entry="For comparison",
    heading="For comparison: methods that are not used here",
    context=_context,
)
