"""How far each method can be trusted in this very study, and what the study can find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import checking
from refusal_parity.report.sections.section import Figures, Section
from refusal_parity.report.text import count, plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs, _: Figures) -> dict[str, Any] | None:
    table = checking.selfcheck_table(inputs)
    sentences = [
        (plain(model), sentence)
        for model in inputs.models
        for sentence in (
            checking.selfcheck_sentence(inputs, model),
            checking.detectable_sentence(inputs, model),
        )
        if sentence is not None
    ]
    if table is None and not sentences:
        return None
    studies = count(inputs.config.analysis.selfcheck)
    return {"table": table, "sentences": sentences, "studies": studies}


SECTION: Final = Section(
    key="selfcheck", entry="Self-check", heading="Self-check", context=_context
)
