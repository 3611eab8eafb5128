"""What a study that grows in stages has come to, for the page and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.progress import progress_of
from refusal_parity.tables import Precision

if TYPE_CHECKING:
    from refusal_parity.progress import Progress
    from refusal_parity.report.inputs import ReportInputs


def progress(inputs: ReportInputs) -> Progress | None:
    """The stages of a study so far; null of one that is drawn at once."""
    rule, precision = inputs.config.analysis.stop_when, inputs[Precision]
    if rule is None or precision.is_empty():
        return None
    return progress_of(precision, rule)


def interim_words(inputs: ReportInputs) -> str | None:
    """That a further stage is due, as a clause; null where none is."""
    so_far = progress(inputs)
    if so_far is None or not so_far.is_due:
        return None
    present, last = so_far.present.number, len(so_far.rule.stages)
    return f"interim results, of stage {present} of {last}: stage {present + 1} is due"
