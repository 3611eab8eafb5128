"""Whether the difference between groups hangs on the wording, the form or the system prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.interactions import factors_of, interactions_table, sentences
from refusal_parity.report.sections.section import Section
from refusal_parity.text import heading_of

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    crossed = {
        dimension: list(
            dict.fromkeys(
                factor
                for model in inputs.models
                for factor in factors_of(inputs.interactions(model, inputs.outcome, dimension))
            )
        )
        for dimension in inputs.dimensions
    }
    if not any(crossed.values()):
        return None
    tables = [
        interactions_table(inputs, outcome, dimension, factor)
        for dimension, factors in crossed.items()
        for factor in factors
        for outcome in inputs.outcomes
    ]
    return {
        "factors": [
            heading_of(each)
            for each in dict.fromkeys(each for found in crossed.values() for each in found)
        ],
        "sentences": [
            sentence
            for model in inputs.models
            for dimension, factors in crossed.items()
            if factors
            for sentence in sentences(inputs, model, inputs.outcome, dimension)
        ],
        "alpha": inputs.config.analysis.alpha,
        "tables": [table for table in tables if table is not None],
    }


SECTION: Final = Section(
    key="interactions",
    entry="Wording and form",
    heading="Does it hang on how one asks?",
    context=_context,
)
