"""How far each method can be trusted in this very study, and what the study can find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.report import checking
from refusal_parity.report.sections.section import Section
from refusal_parity.tables import SelfCheck
from refusal_parity.text import count, plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    table = checking.selfcheck_table(inputs)
    sentences = [
        (plain(model), sentence)
        for model in inputs.models
        if (sentence := checking.selfcheck_sentence(inputs, model)) is not None
    ]
    if table is None and not any(map(inputs.detectable, inputs.models)):
        return None
    return {
        "table": table,
        "sentences": sentences,
        "studies": _simulated(inputs),
        "others": _of_the_least(inputs),
    }


def _simulated(inputs: ReportInputs) -> str:
    """How many studies were simulated: of a model as many as its most simulated test says."""
    counts = inputs[SelfCheck].group_by("model").agg(pl.col("n_simulations").max())
    numbers = sorted(set(counts["n_simulations"]))
    return " to ".join(count(each) for each in dict.fromkeys([*numbers[:1], *numbers[-1:]]))


def _of_the_least(inputs: ReportInputs) -> str | None:
    """How many studies other tests were run on; None where all were run on each."""
    counts = inputs[SelfCheck]["n_simulations"].drop_nulls()
    fewest, most = counts.min(), counts.max()
    return None if fewest == most else count(int(str(fewest)))


SECTION: Final = Section(
    key="selfcheck", entry="Self-check", heading="Self-check", context=_context
)
