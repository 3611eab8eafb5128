"""The table of models against each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from refusal_parity.outcomes import Outcome
from refusal_parity.report.between import comparison_table
from refusal_parity.report.inputs import ReportInputs
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.vocabulary import Correction, ModelEstimand

if TYPE_CHECKING:
    from collections.abc import Sequence


def _found(correction: Correction, estimand: ModelEstimand) -> Finding:
    compared = {"model": "b-2", "baseline": "a-1", "contrast": "b-2 - a-1"}
    of_series = {"model": None, "contrast": "size"}
    return Finding(
        **(of_series if estimand is TREND else compared), outcome=Outcome.REFUSAL, dimension="all",
        correction=correction, estimand=estimand, estimate=0.1, n_prompts=1792,
    )  # fmt: skip


PAIR, TREND = ModelEstimand.RATE_DIFFERENCE, ModelEstimand.RATE_TREND


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([(Correction.BENJAMINI_HOCHBERG, PAIR)], "Adjusted p: Benjamini and Hochberg. In bold"),
        ([(Correction.HOLM, PAIR), (Correction.HOLM, PAIR)], "Adjusted p: Holm. In bold"),
        (
            [(Correction.HOLM, PAIR), (Correction.BENJAMINI_HOCHBERG, TREND)],
            "Adjusted p: Holm; of trends, Benjamini and Hochberg. In bold",
        ),
    ],
    ids=["not declared", "declared", "with a trend"],
)
def test_the_correction_that_was_made_is_named(
    found: Sequence[tuple[Correction, ModelEstimand]],
    said: str,
    inputs: ReportInputs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [_found(*each) for each in found]
    monkeypatch.setattr(ReportInputs, "between_models", lambda *_: rows)
    table = comparison_table(inputs)
    assert table is not None
    assert said in table.caption
    assert "Intervals are not corrected" in table.caption
    assert "1,792" in {cell.text for cell in table.rows[0]}
    names = ["size" if estimand is TREND else "b-2 less a-1" for _, estimand in found]
    assert [row[0].text for row in table.rows] == names


@pytest.mark.parametrize(
    ("answered", "group", "said"),
    [
        (1792, None, ""),
        (1700, None, "without 92 of 1,792 prompts, to which a model has no response that counts"),
        # Of one level only a part of the prompts is asked about, and its own note says why.
        (448, "muslim", ""),
        (None, None, ""),
    ],
    ids=["all", "some", "of a level", "unknown"],
)
def test_prompts_that_a_model_did_not_answer_are_counted(
    answered: int | None,
    group: str | None,
    said: str,
    inputs: ReportInputs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = replace(_found(Correction.HOLM, PAIR), n_prompts=answered, group=group, reference="white")
    monkeypatch.setattr(ReportInputs, "between_models", lambda *_: [row])
    table = comparison_table(inputs)
    assert table is not None
    headings = [name for name, _ in table.columns]
    note = table.rows[0][headings.index("Note")].text if "Note" in headings else ""
    assert note == said
