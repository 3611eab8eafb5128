"""What the figures draw, read back from their marks and compared with the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import matplotlib.colors as mcolors
import numpy as np
import polars as pl
import pytest
from report_study import changed

from refusal_parity.report.figure_differences import draw_differences
from refusal_parity.report.figure_rates import draw_rates
from refusal_parity.report.style import ACCENT, GRID, MUTED, figure_style
from refusal_parity.tables import Disparity, Rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from refusal_parity.report import ReportInputs

MODELS = ("demo-guarded", "demo-even")


class Line(NamedTuple):
    """An interval as it is drawn: where it begins and ends."""

    low: float
    high: float


class Row(NamedTuple):
    """All that stands in one row of a figure."""

    mark: float
    filled: bool
    wide: Line
    narrow: Line


def drawn_rows(axes: Axes) -> dict[str, Row]:
    """The marks and intervals of each labelled row; the lower line is the narrow one."""
    labels = [text.get_text() for text in axes.get_yticklabels()]
    found = {}
    for position, label in enumerate(labels):
        marks = [line for line in axes.lines if _is_in_row(line, position, points=1)]
        wide = [line for line in axes.lines if _is_in_row(line, position, points=2)]
        narrow = [line for line in axes.lines if _is_in_row(line, position + 0.25, points=2)]
        assert (len(marks), len(wide), len(narrow)) == (1, 1, 1), label
        face = mcolors.to_hex(marks[0].get_markerfacecolor())  # type: ignore[arg-type]
        found[label] = Row(
            _ends(marks[0])[0],
            face == mcolors.to_hex(ACCENT),
            Line(*_ends(wide[0])),
            Line(*_ends(narrow[0])),
        )
    return found


def _ends(line: Line2D) -> list[float]:
    return np.asarray(line.get_xdata(), dtype=float).tolist()


def _is_in_row(line: Line2D, position: float, *, points: int) -> bool:
    heights = np.asarray(line.get_ydata(), dtype=float)
    is_rule = mcolors.to_hex(line.get_color()) == mcolors.to_hex(GRID)
    return len(heights) == points and not is_rule and bool(np.all(abs(heights - position) < 0.05))


@pytest.fixture
def study(inputs: ReportInputs) -> ReportInputs:
    """With the narrower intervals of the linear model clustered by name, off centre."""
    narrower = (
        inputs[Disparity]
        .filter(method="ols_cr2_two_way")
        .with_columns(
            method=pl.lit("ols_cr2_name").cast(inputs[Disparity]["method"].dtype),
            ci_low=pl.col("ci_low") + 0.011,
            ci_high=pl.col("ci_high") - 0.017,
        )
    )
    return changed(inputs, disparity=pl.concat([inputs[Disparity], narrower]))


@pytest.mark.parametrize("model", MODELS)
def test_forest_draws_the_estimates_and_both_intervals(study: ReportInputs, model: str) -> None:
    inputs = study
    with figure_style():
        rows = drawn_rows(draw_differences(inputs, model).figure.axes[0])
    tests = inputs[Disparity].filter(
        pl.col("model") == model, pl.col("outcome").cast(str) == "refusal",
        pl.col("dimension") == "group", pl.col("reference") == "white",
    )  # fmt: skip
    headline = {
        row["group"]: row for row in tests.filter(method="ols_cr2_two_way").iter_rows(named=True)
    }
    by_name = {
        row["group"]: row for row in tests.filter(method="ols_cr2_name").iter_rows(named=True)
    }
    assert set(rows) == set(headline)
    assert len(rows) >= 4
    for group, row in rows.items():
        fit, narrow = headline[group], by_name[group]
        assert row.mark == pytest.approx(fit["estimate"])
        assert row.wide == pytest.approx((fit["ci_low"], fit["ci_high"]))
        assert row.narrow == pytest.approx((narrow["ci_low"], narrow["ci_high"]))
        assert row.filled == (fit["p_adjusted"] < inputs.config.analysis.alpha)
    # Marks of both kinds: neither test above can pass on one colour alone.
    if model == "demo-guarded":
        assert {row.filled for row in rows.values()} == {True, False}


@pytest.mark.parametrize("model", MODELS)
def test_rates_draw_the_rate_and_both_intervals(inputs: ReportInputs, model: str) -> None:
    with figure_style():
        drawing = draw_rates(inputs, model)
    axes = drawing.figure.axes[0]
    rows = drawn_rows(axes)
    table = inputs[Rates].filter(
        pl.col("model") == model,
        pl.col("outcome").cast(str) == "refusal",
        pl.col("dimension") == "group",
        pl.col("within") == "all",
    )
    assert set(rows) == set(table["group"])
    for row in table.iter_rows(named=True):
        drawn = rows[row["group"]]
        assert drawn.mark == pytest.approx(row["rate"])
        assert drawn.wide == pytest.approx((row["ci_low"], row["ci_high"]))
        assert drawn.narrow == pytest.approx((row["wilson_low"], row["wilson_high"]))
    overall = inputs.overall(model, inputs.outcome)
    assert overall is not None
    (line,) = [line for line in axes.lines if line.get_label() == "over all responses"]
    assert set(line.get_xdata()) == {overall["rate"]}  # type: ignore[arg-type]


@pytest.mark.parametrize("draw", [draw_rates, draw_differences], ids=["rates", "differences"])
def test_the_legend_names_each_interval_by_its_colour(study: ReportInputs, draw: object) -> None:
    with figure_style():
        axes = draw(study, "demo-guarded").figure.axes[0]  # type: ignore[operator]
    colours = {
        str(line.get_label()): mcolors.to_hex(line.get_color())
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }
    wide = [
        colour
        for label, colour in colours.items()
        if "clustered" in label or "new names and" in label
    ]
    narrow = [colour for label, colour in colours.items() if "Wilson" in label or "these" in label]
    assert wide == [mcolors.to_hex(ACCENT)]
    assert narrow == [mcolors.to_hex(MUTED)]
