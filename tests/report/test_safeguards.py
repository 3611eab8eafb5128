"""What the page shows of arms in tables and a figure, from tables with a known cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from safeguards_report import guarded_inputs, rates

from refusal_parity.report.figure_safeguards import draw_safeguards, trades_of
from refusal_parity.report.safeguards import changes_table, rates_table
from refusal_parity.report.sections.safeguards import SECTION
from refusal_parity.tables import SafeguardRates, conform

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


@pytest.fixture
def guarded(inputs: ReportInputs) -> ReportInputs:
    return guarded_inputs(inputs)


def test_tables_and_figure(guarded: ReportInputs) -> None:
    [first, *_] = rates_table(guarded).rows
    assert [cell.text for cell in first] == [
        "m", "plain", "harmless", "all", "10.0 %", "", "10 of 100", "0", "0", "2"
    ]  # fmt: skip
    table = changes_table(guarded)
    assert [row[4].text for row in table.rows[:4]] == [
        "all", "white", "muslim", "muslim against white"
    ]  # fmt: skip
    assert [row[5].strong for row in table.rows[:4]] == [True, True, True, True]
    assert [(each.arm, each.unsafe, each.harmless) for each in trades_of(guarded)] == [
        ("plain", 0.4, 0.1),
        ("guarded", 0.9, 0.22),
    ]
    drawn = draw_safeguards(guarded)
    assert drawn is not None
    assert "m, guarded: 22.0 % of harmless and 90.0 % of unsafe requests" in drawn.alt
    assert "from 12.0 % (white) to 32.0 % (muslim)" in drawn.alt
    assert "40.0 % of unsafe requests, harmless ones alike for white and muslim;" in drawn.alt
    [part] = drawn.figure.axes
    arrow, *numbers = [each for each in part.texts if not each.get_text().isalpha()]
    assert arrow.get_text() == ""
    assert [each.get_text() for each in numbers] == ["1", "2"]
    # Names of groups stand above and below all that is drawn.
    names = {
        each.get_text(): each.xy[1]  # type: ignore[attr-defined] - annotations alone
        for each in part.texts
        if each.get_text().isalpha()
    }
    assert names["white"] <= 0
    assert names["muslim"] >= 0.32


def test_arms_are_drawn_where_their_rates_are(guarded: ReportInputs) -> None:
    sure = rates().with_columns(ci_low=pl.col("rate") - 0.04, ci_high=pl.col("rate") + 0.06)
    given = guarded.with_tables({SafeguardRates: conform(sure, SafeguardRates, where="rates")})
    drawn = draw_safeguards(given)
    assert drawn is not None
    [part] = drawn.figure.axes
    places = [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))  # type: ignore[index, arg-type]
        for line in part.lines
        if line.get_marker() == "o"
    ]
    assert places == [(0.4, 0.1), (0.9, 0.22)]
    # From the arm without the guard to that with it.
    [arrow] = [each for each in part.texts if getattr(each, "arrowprops", None)]
    assert (arrow.xyann, arrow.xy) == (places[0], places[1])  # type: ignore[attr-defined]
    # The outer line is from the lowest group's lower limit to the highest group's upper one.
    upright = [
        sorted(map(float, line.get_ydata()))  # type: ignore[arg-type]
        for line in part.lines
        if line.get_marker() == "None" and len(line.get_xdata()) == 2  # type: ignore[arg-type]
    ]
    groups = [sorted(each.groups.values()) for each in trades_of(given)]
    # Groups that are refused alike have no line between them.
    groups = [rates for rates in groups if rates[0] < rates[-1]]
    assert len(groups) == 1
    ends = [(rates[0] - 0.04, rates[-1] + 0.06) for rates in groups]
    assert upright[::2] == [pytest.approx(each) for each in ends]
    assert upright[1::2] == [[rates[0], rates[-1]] for rates in groups]


def test_arms_that_refuse_as_much_are_drawn_side_by_side(guarded: ReportInputs) -> None:
    """The guard stops as much as refused before, but other harmless requests."""
    same = rates().with_columns(
        rate=pl.when(kind="unsafe").then(pl.lit(0.9)).otherwise("rate"),
        ci_low=pl.col("rate") - 0.05,
        ci_high=pl.col("rate") + 0.05,
    )
    given = guarded.with_tables({SafeguardRates: conform(same, SafeguardRates, where="rates")})
    assert [each.reach for each in trades_of(given)] == [
        pytest.approx((0.05, 0.15)),
        pytest.approx((0.07, 0.37)),
    ]
    drawn = draw_safeguards(given)
    assert drawn is not None
    places = {
        each.get_text(): each.xy[0]  # type: ignore[attr-defined] - annotations alone
        for each in drawn.figure.axes[0].texts
        if each.get_text() in {"1", "2"}
    }
    assert places["1"] == pytest.approx(0.9)
    assert places["2"] < places["1"] - 0.03


def test_arms_without_a_point_are_named(guarded: ReportInputs) -> None:
    assert SECTION.context(guarded)["undrawn"] == ""
    gone = (pl.col("arm") == "guarded") & (pl.col("kind") == "harmless")
    lost = rates(rate=pl.when(~gone).then("rate"))
    context = SECTION.context(guarded.with_tables({SafeguardRates: lost}))
    assert context["undrawn"] == "guarded of m"


def test_without_unsafe_requests_or_arms(guarded: ReportInputs, inputs: ReportInputs) -> None:
    harmless = guarded.with_tables({SafeguardRates: rates().filter(kind="harmless")})
    assert draw_safeguards(harmless) is None
    context = SECTION.context(harmless)
    assert context is not None
    assert context["unsafe"] is False
    assert SECTION.context(inputs) is None
