"""Differences against the reference, by the methods that control the type I error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import results
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "arms": inputs.arms,
        "alpha": inputs.config.analysis.alpha,
        "tables": [
            results.differences_table(inputs, outcome, dimension)
            for dimension in inputs.dimensions
            for outcome in inputs.outcomes
        ],
        "pairs": results.pairs_table(inputs),
    }


SECTION: Final = Section(
    key="differences", entry="Differences", heading="Differences", context=_context
)
