"""The ledger of exclusions: where every response went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.report import results
from refusal_parity.report.inputs import ALL
from refusal_parity.report.left_out import left_out_cautions, set_apart, warned_of
from refusal_parity.report.losses import bounds_table, cut_off_table, losses_table
from refusal_parity.report.sections.section import Section
from refusal_parity.report.summary import exclusion_totals
from refusal_parity.text import plain
from refusal_parity.vocabulary import Exclusion, Loss

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any]:
    ledger = [results.exclusions_table(inputs, level) for level in (ALL, *inputs.dimensions)]
    lost = [losses_table(inputs, loss) for loss in Loss]
    found = [*ledger, *lost, cut_off_table(inputs), bounds_table(inputs)]
    totals = exclusion_totals(inputs)
    return {
        "tables": [table for table in found if table is not None],
        "set_apart": set_apart(inputs),
        "filtered": totals.get(Exclusion.FILTERED, 0) > 0,
        "counts_filtered": inputs.counts_filtered,
        "cut": lost[list(Loss).index(Loss.TRUNCATED)] is not None,
        "counts_cut": inputs.config.analysis.truncated == "label",
        "warnings": [
            (plain(model), sentence)
            for model in inputs.models
            for sentence in (*left_out_cautions(inputs, model), *warned_of(inputs, model))
        ],
    }


SECTION: Final = Section(
    key="left-out", entry="What was left out", heading="What was left out", context=_context
)
