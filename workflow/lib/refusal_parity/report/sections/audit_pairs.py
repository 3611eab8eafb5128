"""The pairs: which were analysed, and how to read what was found of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.preference.places import FEWEST
from refusal_parity.report import audit, audit_tables
from refusal_parity.report.pair_losses import pair_losses_table
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        **audit.template_facts(inputs),
        "tables": [
            audit_tables.ledger_table(inputs),
            *filter(None, [pair_losses_table(inputs)]),
            audit_tables.groups_table(inputs),
        ],
        "fewest": FEWEST,
    }


SECTION: Final = Section(
    key="pairs", entry="Pairs and method", heading="Pairs and method", context=_context
)
