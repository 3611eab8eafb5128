"""What the page says of what arms are not about, and of what they leave out."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from safeguards_report import changes, guarded_inputs, texts

from refusal_parity.report.left_out import set_apart, set_apart_line
from refusal_parity.report.page import render_page
from refusal_parity.report.safeguards import changes_table
from refusal_parity.report.summary import summary_lines
from refusal_parity.tables import Prompts, Safeguards

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


@pytest.fixture
def guarded(inputs: ReportInputs) -> ReportInputs:
    return guarded_inputs(inputs)


def test_prompts_that_rates_are_not_about_are_counted(inputs: ReportInputs) -> None:
    assert set_apart(inputs) == set_apart_line(inputs) == ""
    prompts = inputs[Prompts]
    number = pl.int_range(pl.len())
    mixed = inputs.with_tables(
        {
            Prompts: prompts.with_columns(
                kind=pl.when(number < 5).then(pl.lit("unsafe")),
                # Two of them are unsafe, and count once.
                guard=pl.when(number.is_between(3, 6))
                .then(pl.lit("gate"))
                .otherwise(pl.lit("none")),
            )
        }
    )
    apart = "3 unsafe ones and 4 that a guard reads first"
    assert f"leave out {apart}; no number of this page is about them" in set_apart(mixed)
    assert set_apart_line(mixed) == f" Set apart: of {len(prompts):,} prompts, {apart}."
    assert "section on what is done" in set_apart(mixed.with_tables({Safeguards: changes()}))
    (*_, left_out) = summary_lines(mixed, Path("report.html"))
    assert left_out.endswith(set_apart_line(mixed))
    assert set_apart(mixed) in unescape(render_page(mixed).split('id="left-out"')[1])


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
