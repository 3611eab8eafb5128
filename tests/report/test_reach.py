from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import changed

from refusal_parity.report.sections import reach
from refusal_parity.tables import Labels, Responses

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def with_unlike(inputs: ReportInputs, share: float) -> ReportInputs:
    """A study of which a share of the first model's responses is unlike all learnt from."""
    model = inputs.models[0]
    labels = inputs[Labels]
    number = pl.int_range(pl.len()).over("model")
    ours = pl.col("model") == model
    size = labels.filter(ours).height
    return changed(
        inputs,
        labels=labels.with_columns(
            unseen=pl.lit(0.5), distance=pl.lit(0.75), unsure=ours & (number < share * size)
        ),
    )


@pytest.mark.parametrize(("share", "warned"), [(0.0, False), (0.04, False), (0.2, True)])
def test_a_model_beyond_the_reach_is_named(
    inputs: ReportInputs, share: float, *, warned: bool
) -> None:
    sentences = list(reach.reach_warnings(with_unlike(inputs, share)))
    assert len(sentences) == warned
    for sentence in sentences:
        assert sentence.startswith(inputs.models[0])
        assert "20.0 %" in sentence


def test_without_a_classifier_there_is_nothing_to_say(inputs: ReportInputs) -> None:
    labels = inputs[Labels].with_columns(unsure=pl.lit(None, pl.Boolean))
    assert reach.SECTION.context(changed(inputs, labels=labels)) is None


def test_calibration_by_hand(inputs: ReportInputs) -> None:
    """All are said to be refusals by 0.25 (`report_study`), and all are."""
    responses = inputs[Responses].with_columns(
        imported_label=pl.lit("refusal", inputs[Responses].schema["imported_label"])
    )
    study = changed(with_unlike(inputs, 0), responses=responses)
    context = reach.SECTION.context(study)
    assert context is not None
    table = context["calibration"]
    assert {row[1].text for row in table.rows} == {"all", *inputs.levels("group")}
    first = [cell.sort for cell in table.rows[0]][3:]
    assert first == pytest.approx([0.25, 1.0, 0.75])
