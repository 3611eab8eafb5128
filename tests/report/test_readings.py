from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import changed, config_of

from refusal_parity.report.readings import lengths_table, partial_table
from refusal_parity.report.sections.readings import SECTION
from refusal_parity.tables import Disparity, Labels, Lengths, conform, empty

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


@pytest.mark.parametrize(
    ("outcomes", "ways", "neither"),
    [
        (["refusal", "any_refusal", "partial_answer"], "three", True),
        (["refusal", "any_refusal"], "two", True),
        (["refusal", "partial_answer"], "two", False),
        (["refusal"], None, False),
    ],
)
def test_partial_answers_are_read_as_the_study_asks(
    inputs: ReportInputs, outcomes: list[str], ways: str | None, *, neither: bool
) -> None:
    asked = changed(inputs, config=config_of(inputs.models, outcomes=outcomes))
    table = partial_table(asked)
    if ways is None:
        assert table is None
        assert "does not ask for several ways" in SECTION.context(asked)["introduction"]
        return
    assert table is not None
    assert table.title == (
        f"Partial answers, read in {ways} ways: rates, and differences from the reference in points"
    )
    heads = [head for head, _ in table.columns]
    assert heads.count("Difference") == len(outcomes)
    assert (heads[-1] == "Neither") == neither
    assert all(len(row) == len(heads) for row in table.rows)
    assert "however partial answers are counted" in SECTION.context(asked)["introduction"]


def test_lengths_that_no_test_compares_have_no_columns_of_dashes(inputs: ReportInputs) -> None:
    row = {"model": "demo-even", "dimension": "group", "group": "muslim", "n": 3, "mean": 4.0}
    rows = pl.concat(
        [empty(Lengths), pl.DataFrame([row | {"n_names": 2, "n_templates": 2}])],
        how="diagonal_relaxed",
    )
    lengths = conform(rows, Lengths, where="lengths")
    tested = (
        inputs[Disparity]
        .filter(
            model="demo-even", dimension="group", group="muslim", reference="white",
            method="ols_cr2_two_way", outcome="refusal", estimand="risk_difference",
        )
        .with_columns(
            outcome=pl.lit("answer_length"), estimate=-1.25, adjusted_low=-3.0, adjusted_high=0.5
        )
    )  # fmt: skip
    assert len(tested) == 1
    compared = lengths_table(
        changed(inputs, lengths=lengths, disparity=conform(tested, Disparity, where="tests"))
    )
    assert compared is not None
    assert "Differences from the reference by the linear model" in compared.caption
    assert [cell.text for cell in compared.rows[0][-2:]] == ["\u22121.2", "\u22123.0 to 0.5"]
    config = config_of(inputs.models, outcomes=["refusal"])
    alone = lengths_table(changed(inputs, config=config, lengths=lengths))
    assert alone is not None
    assert alone.caption == (
        "Length of full answers in words. The study does not compare them (analysis.outcomes)."
    )
    assert [head for head, _ in compared.columns[:-2]] == [head for head, _ in alone.columns]
