"""A method that somebody added stands among those that only describe, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from report_study import changed

from refusal_parity.report.describing import naive_methods, naive_table
from refusal_parity.tables import Disparity

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs
    from refusal_parity.statistics.registry import Method


def test_an_added_method_is_told_with_its_reason(
    inputs: ReportInputs, added_method: Method
) -> None:
    assert added_method.heading not in {each.name for each in naive_methods(inputs)}
    of_newcombe = inputs[Disparity].filter(method="newcombe")
    own = of_newcombe.with_columns(method=pl.lit(str(added_method)), valid=pl.lit(value=False))
    found = changed(inputs, disparity=pl.concat([inputs[Disparity], own]))
    reasons = {each.name: each.reason for each in naive_methods(found)}
    assert reasons[added_method.heading] == "it takes the reference's rate as known"
    shown = [row for row in naive_table(found).rows if row[1].text == added_method.heading]
    groups = own.filter(outcome=str(found.outcome), dimension=found.dimension, reference="white")
    assert len(shown) == groups.height > 0
