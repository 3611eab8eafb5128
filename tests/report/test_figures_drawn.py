"""What the figures draw, read back from their marks and compared with the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from drawn_marks import drawn_rows, ends_of, hex_of, rules
from report_study import changed

from refusal_parity.report.figure_comparison import draw_comparison
from refusal_parity.report.figure_differences import draw_differences
from refusal_parity.report.figure_rates import draw_rates
from refusal_parity.report.figure_template_effects import draw_template_effects
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, MUTED, figure_style
from refusal_parity.tables import Disparity, Rates, TemplateEffects, conform

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs

MODELS = ("demo-guarded", "demo-even")


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
        shown = fit["p_adjusted"] < inputs.config.analysis.alpha
        assert (row.marks, row.filled) == (pytest.approx([fit["estimate"]]), [shown])
        [wide], [below] = row.wide, row.narrow
        assert wide == pytest.approx((fit["ci_low"], fit["ci_high"]))
        assert below == pytest.approx((narrow["ci_low"], narrow["ci_high"]))
        assert row.colours == [hex_of(ACCENT if shown else ACCENT_SOFT)]
    # Marks of both kinds: neither test above can pass on one colour alone.
    if model == "demo-guarded":
        assert {filled for row in rows.values() for filled in row.filled} == {True, False}


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
        assert drawn.marks == pytest.approx([row["rate"]])
        [wide], [below] = drawn.wide, drawn.narrow
        assert wide == pytest.approx((row["ci_low"], row["ci_high"]))
        assert below == pytest.approx((row["wilson_low"], row["wilson_high"]))
    overall = inputs.overall(model, inputs.outcome)
    assert overall is not None
    (line,) = [line for line in axes.lines if line.get_label() == "over all responses"]
    assert set(line.get_xdata()) == {overall["rate"]}  # type: ignore[arg-type]


@pytest.mark.parametrize("draw", [draw_rates, draw_differences], ids=["rates", "differences"])
def test_the_legend_names_each_interval_by_its_colour(study: ReportInputs, draw: object) -> None:
    with figure_style():
        axes = draw(study, "demo-guarded").figure.axes[0]  # type: ignore[operator]
    colours = {
        str(line.get_label()): hex_of(line.get_color())
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }
    wide = [
        colour
        for label, colour in colours.items()
        if "clustered" in label or "new names and" in label
    ]
    narrow = [colour for label, colour in colours.items() if "Wilson" in label or "these" in label]
    assert wide == [hex_of(ACCENT)]
    assert narrow == [hex_of(MUTED)]


def test_the_line_of_no_difference_stands_at_0(study: ReportInputs) -> None:
    with figure_style():
        axes = draw_differences(study, "demo-guarded").figure.axes[0]
    assert rules(axes) == [0.0]


def test_models_side_by_side_have_a_mark_for_each_group(inputs: ReportInputs) -> None:
    with figure_style():
        drawing = draw_comparison(inputs)
    assert drawing is not None
    axes = drawing.figure.axes[0]
    for position, model in enumerate(inputs.models):
        rates = [
            row["rate"] for row in inputs.rates_by_level(model, inputs.outcome, "group").values()
        ]
        dots = [
            line
            for line in axes.lines
            if line.get_marker() == "o" and set(line.get_ydata()) == {position}  # type: ignore[arg-type]
        ]
        assert [sorted(ends_of(line)) for line in dots] == [pytest.approx(sorted(rates))]
        [bar] = drawn_rows(axes)[model].wide
        assert bar == pytest.approx((min(rates), max(rates)))
        [overall] = [
            line
            for line in axes.lines
            if hex_of(line.get_color()) == hex_of(CONTRAST)
            and len(line.get_ydata()) == 2  # type: ignore[arg-type]
            and sum(line.get_ydata()) / 2 == pytest.approx(position)  # type: ignore[arg-type]
        ]
        whole = inputs.overall(model, inputs.outcome)
        assert whole is not None
        assert ends_of(overall) == pytest.approx([whole["rate"]] * 2)


def test_differences_over_templates_draw_mean_and_new_template(inputs: ReportInputs) -> None:
    rows = [
        {
            "model": "demo-guarded", "outcome": "refusal", "dimension": "group", "group": group,
            "reference": "white", "names_group": 8, "names_reference": 8, "templates": 32,
            "left_out": 0, "estimate": estimate, "sd": 0.07, "sd_low": 0.02, "sd_high": 0.1,
            "p_value": p, "p_adjusted": p, "family": "exploratory", "new_low": estimate - 0.21,
            "new_high": estimate + 0.13, "new_level": 0.94, "note": None,
        }
        for group, estimate, p in (("muslim", 0.24, 0.001), ("black", -0.05, 0.4))
    ]  # fmt: skip
    table = pl.DataFrame(rows, infer_schema_length=None)
    given = inputs.with_tables(
        {TemplateEffects: conform(table, TemplateEffects, where="template effects")}
    )
    with figure_style():
        drawing = draw_template_effects(given, "demo-guarded")
    assert drawing is not None
    axes = drawing.figure.axes[0]
    drawn = drawn_rows(axes)
    assert list(drawn) == ["muslim", "black"]
    for group, mark, filled in (("muslim", 0.24, True), ("black", -0.05, False)):
        assert (drawn[group].marks, drawn[group].filled) == (pytest.approx([mark]), [filled])
        [bar] = drawn[group].wide
        assert bar == pytest.approx((mark - 0.21, mark + 0.13))
    assert rules(axes) == [0.0]
    low, high = axes.get_xlim()
    assert low <= -0.26
    assert high >= 0.37
