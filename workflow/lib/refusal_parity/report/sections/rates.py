"""Rates by group, and what the responses did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.dimensions import Unit, of_unit
from refusal_parity.report import views, weighed_wording
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    compared, units = inputs.config.analysis.dimensions, (Unit.NAME, Unit.SET, Unit.PROMPT)
    others = [key for unit in units for key in of_unit(unit, compared, own=True)]
    crossed = [views.crossed_table(inputs, within) for within in others]
    return {
        "arms": inputs.pooled_arms,
        "outcome_name": inputs.outcome.words.heading,
        "confidence": inputs.confidence,
        "would_bring": weighed_wording.would_bring(inputs),
        "tables": [
            views.rates_table(inputs, outcome, dimension)
            for dimension in inputs.dimensions
            for outcome in inputs.outcomes
        ],
        "crossed_tables": [table for table in crossed if table is not None],
    }


SECTION: Final = Section(key="rates", entry="Rates", heading="Rates", context=_context)
