"""Refusal propensities: odds ratios, the rates that they mean, and the words that carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.outcomes import Outcome
from refusal_parity.report import openings, propensity, weighed_wording
from refusal_parity.report.odds import analyses_propensity, weighed_models
from refusal_parity.report.odds_wording import odds_sentences
from refusal_parity.report.sections.section import Section
from refusal_parity.text import plain, ratio

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    if not analyses_propensity(inputs):
        return None
    models = weighed_models(inputs)
    margin = inputs.config.analysis.odds_margin
    return {
        "levels": DIMENSIONS[inputs.dimension].plural,
        "primary": inputs.is_primary(Outcome.PROPENSITY, inputs.dimension),
        "listed": inputs.listed,
        "margin": f"{ratio(1 / margin)} to {ratio(margin)}",
        "unweighed": weighed_wording.unweighed(inputs),
        "learnt": weighed_wording.learnt_sentences(inputs),
        "weighed": weighed_wording.weighed_sentences(inputs),
        "said": [(plain(model), _said(inputs, model)) for model in models],
        "ratios": propensity.ratios_table(inputs) if models else None,
        "openings": openings.openings_table(inputs),
        "checks": propensity.checks_table(inputs) if models else None,
    }


def _said(inputs: ReportInputs, model: str) -> list[str]:
    key = (model, Outcome.PROPENSITY, inputs.dimension)
    return odds_sentences(inputs, inputs.whole(*key), inputs.contrasts(*key))


SECTION: Final = Section(
    key="propensity",
    entry="Refusal propensity",
    heading="Refusal propensity, on the scale of odds",
    context=_context,
)
