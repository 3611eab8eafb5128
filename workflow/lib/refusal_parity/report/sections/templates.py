"""Each template's rate for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report.pooled import templates_table
from refusal_parity.report.sections.section import Section
from refusal_parity.report.template_effects import effect_sentences, effects_table
from refusal_parity.statistics.template_effects import FEWEST

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    if inputs.listed:
        return None
    return {
        "table": templates_table(inputs),
        "sentences": effect_sentences(inputs),
        "effects": effects_table(inputs),
        "fewest": FEWEST,
    }


SECTION: Final = Section(key="templates", entry="Templates", heading="Templates", context=_context)
