"""What is done to requests, and what that costs whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.factors import UNSAFE
from refusal_parity.report import safeguards
from refusal_parity.report.sections.section import Section
from refusal_parity.tables import SafeguardRates, Safeguards

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    if inputs[Safeguards].is_empty():
        return None
    return {
        "levels": DIMENSIONS[inputs.dimension].plural,
        "unsafe": UNSAFE in inputs[SafeguardRates]["kind"],
        "told": safeguards.told(inputs),
        "changes": safeguards.changes_table(inputs),
        "rates": safeguards.rates_table(inputs),
    }


SECTION: Final = Section(
    key="safeguards",
    entry="What safeguards cost, and whom",
    heading="What is done to requests, and what that costs whom",
    context=_context,
)
