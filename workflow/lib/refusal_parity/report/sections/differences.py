"""Differences against the reference, by the methods that control the type I error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.counting import counted
from refusal_parity.report import results
from refusal_parity.report.sections.section import Section
from refusal_parity.statistics.answering.finding import reason_of
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.calibrated import CALIBRATED
from refusal_parity.statistics.methods.calibrated_weighed import CALIBRATED_WEIGHED
from refusal_parity.statistics.methods.exact import PERMUTATION_NAMES_EXACT
from refusal_parity.statistics.methods.wilson_two_way import WILSON_TWO_WAY
from refusal_parity.text import plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    found = [
        contrast
        for model in inputs.models
        for dimension in inputs.dimensions
        for outcome in inputs.rates
        for contrast in inputs.contrasts(model, outcome, dimension)
    ]
    methods = Counter(contrast.method for contrast in found)
    small = dict.fromkeys(
        reason_of(contrast.fallback)
        for contrast in found
        if contrast.fallback and not contrast.by_names
    )
    corrected = sum(contrast.human_labels is not None for contrast in found)
    return {
        "calibrated": _counted(methods[CALIBRATED]),
        "weighed": _counted(methods[CALIBRATED_WEIGHED]),
        "by_t": _counted(methods[WILSON_TWO_WAY]),
        "linear": _counted(methods[OLS_CR2_TWO_WAY]),
        "by_names": _counted(methods[PERMUTATION_NAMES_EXACT]),
        "small": "; ".join(map(plain, small)),
        "corrected": _counted(corrected),
        "permuted": any(contrast.names_p_adjusted is not None for contrast in found),
        "within_templates": inputs.within_templates,
        "arms": inputs.pooled_arms,
        "alpha": inputs.config.analysis.alpha,
        "tables": [
            results.differences_table(inputs, outcome, dimension)
            for dimension in inputs.dimensions
            for outcome in inputs.rates
        ],
        "pairs": results.pairs_table(inputs),
    }


def _counted(number: int) -> str | None:
    return counted(number, "difference") if number else None


SECTION: Final = Section(
    key="differences", entry="Differences", heading="Differences", context=_context
)
