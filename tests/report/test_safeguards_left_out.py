"""What the page says of what arms are not about, and of what they leave out."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from safeguards_report import changes, guarded_inputs, texts

from refusal_parity.report.figure_labels import label_shares
from refusal_parity.report.left_out import set_apart, set_apart_line
from refusal_parity.report.page import render_page
from refusal_parity.report.readings import lengths_table
from refusal_parity.report.safeguards import changes_table
from refusal_parity.report.summary import summary_lines
from refusal_parity.tables import Labels, Lengths, Prompts, Responses, Safeguards, conform, empty

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


@pytest.fixture
def guarded(inputs: ReportInputs) -> ReportInputs:
    return guarded_inputs(inputs)


def mixed_with(inputs: ReportInputs) -> ReportInputs:
    """The study with three unsafe prompts and four that a guard reads first."""
    number = pl.int_range(pl.len())
    unsafe = pl.when(number < 5).then(pl.lit("unsafe"))
    # Two of them are unsafe, and count once.
    gate = pl.when(number.is_between(3, 6)).then(pl.lit("gate")).otherwise(pl.lit("none"))
    return inputs.with_tables({Prompts: inputs[Prompts].with_columns(kind=unsafe, guard=gate)})


def test_prompts_that_rates_are_not_about_are_counted(inputs: ReportInputs) -> None:
    assert set_apart(inputs) == set_apart_line(inputs) == ""
    mixed = mixed_with(inputs)
    apart = "3 unsafe ones and 4 that a guard reads first"
    assert f"leave out {apart}; no number of this page is about them" in set_apart(mixed)
    assert set_apart_line(mixed) == f" Set apart: of {len(mixed[Prompts]):,} prompts, {apart}."
    assert "section on what is done" in set_apart(mixed.with_tables({Safeguards: changes()}))
    (*_, left_out) = summary_lines(mixed, Path("report.html"))
    assert left_out.endswith(set_apart_line(mixed))
    assert set_apart(mixed) in unescape(render_page(mixed).split('id="left-out"')[1])


def test_what_stands_beside_rates_is_of_their_prompts(inputs: ReportInputs) -> None:
    mixed = mixed_with(inputs)
    kept = mixed[Prompts][7:]
    label, apart = pl.col("label").cast(pl.String), pl.col("prompt_id").is_in(
        mixed[Prompts]["prompt_id"][:7].to_list()
    )  # fmt: skip
    assert mixed.compared().equals(kept)
    assert mixed.scan_compared(Responses).collect().filter(apart).is_empty()
    # What stands apart is refused by a service, and answers elsewhere are cut off now and then.
    labels = mixed[Labels].with_columns(
        filtered=apart, truncated=(label == "answer") & (apart | (pl.col("sample") == 0))
    )
    row = {"model": "demo-even", "dimension": "all", "group": "all", "n": 3, "mean": 4.0}
    row |= {"n_names": 2, "n_templates": 2}
    lengths = pl.concat([empty(Lengths), pl.DataFrame([row])], how="diagonal_relaxed")
    given = mixed.with_tables({Labels: labels, Lengths: conform(lengths, Lengths, where="lengths")})
    shares = label_shares(given, "demo-even")
    counted = (
        labels.filter(~apart, model="demo-even").drop_nulls("label")
        .join(kept, on="prompt_id").group_by("group").agg(share=(label == "refusal").mean())
    )  # fmt: skip
    assert {group: each["refusal"] for group, each in shares.items()} == pytest.approx(
        dict(counted.iter_rows())
    )
    assert not any("filtered" in each for each in shares.values())
    table = lengths_table(given)
    assert table is not None
    cut = labels.filter(~apart, "truncated").height
    assert f" {cut:,} full answers that were cut off have no known length" in table.caption


@pytest.mark.parametrize(
    ("lowest", "turned"), [(0.02, False), (-0.03, True)], ids=["kept", "turned"]
)
def test_what_was_left_out_stands_beside_the_change(
    guarded: ReportInputs, lowest: float, *, turned: bool
) -> None:
    left = changes().with_columns(
        left_arm=pl.lit(11),
        left_baseline=pl.lit(1),
        left_change=pl.lit(0.1),
        left_p_value=pl.lit(0.001),
        left_p_adjusted=pl.lit(0.004),
        lowest=pl.lit(lowest),
        lowest_ci_low=pl.lit(lowest - 0.05),
        highest=pl.lit(0.2),
        highest_ci_high=pl.lit(0.25),
    )
    given = guarded.with_tables({Safeguards: left})
    sentence = " ".join(texts(given))
    assert "Of 11 requests with it and 1 without no response counts, which is more" in sentence
    assert "adjusted p = 0.004" in sentence
    assert ("rests on what was left out" in sentence) == turned
    table = changes_table(given)
    assert {row[8].text for row in table.rows} == {"11 and 1"}
    assert "no response counts" not in " ".join(texts(guarded))
