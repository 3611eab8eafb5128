"""Each measure by group, and groups against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.report import audit, audit_tables
from refusal_parity.report.sections.section import Section

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    between = {each: audit_tables.between_table(inputs, each) for each in Adjustment}
    return {
        **audit.template_facts(inputs),
        "tables": [
            audit_tables.measure_table(inputs, measure) for measure in audit.measures(inputs)
        ],
        "between": [table for table in between.values() if table is not None],
        # Of a table that is there, its caption says it.
        "untested": "".join(
            audit_tables.untested_words(inputs, each)
            for each, table in between.items()
            if table is None
        ).strip(),
    }


SECTION: Final = Section(
    key="groups", entry="By group", heading="Each measure by group", context=_context
)
