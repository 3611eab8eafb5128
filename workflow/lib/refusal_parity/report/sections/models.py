"""The models side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.report import between, results
from refusal_parity.report.sections.section import Section
from refusal_parity.text import heading_of

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    if len(inputs.models) < 2:  # noqa: PLR2004 - one model has nothing beside it
        return None
    return {
        "level": heading_of(inputs.dimension),
        "levels": DIMENSIONS[inputs.dimension].plural,
        "overview": results.overview_table(inputs),
        "comparison": between.comparison_table(inputs),
        "trends": bool(inputs.config.analysis.model_series),
    }


SECTION: Final = Section(
    key="models", entry="Models side by side", heading="Models side by side", context=_context
)
