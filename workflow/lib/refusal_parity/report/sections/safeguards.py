"""What is done to requests, and what that costs whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.factors import UNSAFE
from refusal_parity.report import safeguards
from refusal_parity.report.figure_safeguards import trades_of
from refusal_parity.report.safeguards_wording import told
from refusal_parity.report.sections.section import Section
from refusal_parity.tables import SafeguardRates, Safeguards
from refusal_parity.text import plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    if inputs[Safeguards].is_empty():
        return None
    return {
        "levels": DIMENSIONS[inputs.dimension].plural,
        "unsafe": UNSAFE in inputs[SafeguardRates]["kind"],
        "undrawn": _undrawn(inputs),
        "told": told(inputs),
        "changes": safeguards.changes_table(inputs),
        "rates": safeguards.rates_table(inputs),
    }


def _undrawn(inputs: ReportInputs) -> str:
    """Arms that the picture has no point of, since a rate of theirs is unknown."""
    rates = inputs[SafeguardRates]
    if rates["kind"].n_unique() < len(safeguards.KINDS):
        return ""
    drawn = {(trade.model, trade.arm) for trade in trades_of(inputs)}
    arms = rates.select("model", "arm").unique(maintain_order=True).rows()
    return "; ".join(
        f"{plain(arm)} of {plain(model)}" for model, arm in arms if (model, arm) not in drawn
    )


SECTION: Final = Section(
    key="safeguards",
    entry="What safeguards cost, and whom",
    heading="What is done to requests, and what that costs whom",
    context=_context,
)
