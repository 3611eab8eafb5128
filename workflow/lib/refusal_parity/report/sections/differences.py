"""Differences against the reference, by the methods that control the type I error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import results
from refusal_parity.report.sections.section import Section
from refusal_parity.text import counted

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    found = [
        contrast
        for model in inputs.models
        for dimension in inputs.dimensions
        for outcome in inputs.outcomes
        for contrast in inputs.contrasts(model, outcome, dimension)
    ]
    fallbacks = sum(contrast.fallback is not None for contrast in found)
    corrected = sum(contrast.human_labels is not None for contrast in found)
    return {
        "fallbacks": counted(fallbacks, "difference") if fallbacks else None,
        "corrected": counted(corrected, "difference") if corrected else None,
        "permuted": any(contrast.names_p_adjusted is not None for contrast in found),
        "within_templates": inputs.within_templates,
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
