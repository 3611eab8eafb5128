from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import changed

from refusal_parity.report.readings import lengths_table
from refusal_parity.tables import Labels, Lengths, conform, empty

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs


@pytest.mark.parametrize(
    ("cut", "said"),
    [("answer", True), ("refusal", False), (None, False)],
    ids=["answers", "refusals", "none"],
)
def test_cut_answers_without_a_length_are_counted(
    inputs: ReportInputs, cut: str | None, *, said: bool
) -> None:
    is_cut = pl.col("label").cast(pl.String).eq_missing(cut) & (pl.col("sample") == 0)
    labels = inputs[Labels].with_columns(truncated=is_cut & pl.lit(cut is not None))
    row = {"model": "demo-even", "dimension": "all", "group": "all", "n": 3, "mean": 4.0}
    row |= {"n_names": 2, "n_templates": 2}
    lengths = pl.concat([empty(Lengths), pl.DataFrame([row])], how="diagonal_relaxed")
    table = lengths_table(
        changed(inputs, labels=labels, lengths=conform(lengths, Lengths, where="test"))
    )
    assert table is not None
    number = labels.filter("truncated").height
    assert (f"{number:,} full answers that were cut off have no known length" in table.caption) == (
        said
    )
    assert (number > 100) == (cut is not None)
