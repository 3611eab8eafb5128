"""The figures of the self-check and of the design's power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from report_study import changed

from refusal_parity.report.checking import detectable_sentence
from refusal_parity.report.figure_power import draw_power, power_curves
from refusal_parity.report.figure_selfcheck import draw_selfcheck, false_alarms
from refusal_parity.report.style import figure_style
from refusal_parity.statistics.planning.simulated import ROUGHLY

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs

MODEL = "demo-guarded"

DESIGN = {
    "model": MODEL, "outcome": "refusal", "dimension": "group",
    "scope": "new templates and new names", "names": 8.0, "reference_names": 8.0,
    "templates": 32.0, "samples": 3.0, "quantity": "minimum_detectable", "difference": None,
    "value": 0.1, "alpha": 0.05, "power": 0.8, "rate": 0.2, "var_name": 0.01,
    "var_template": 0.01, "var_template_group": 0.005, "var_cell": 0.02, "var_sample": 0.1,
    "note": None,
}  # fmt: skip


def _check(
    method: str, pattern: str, rate: float, estimand: str = "risk_difference"
) -> dict[str, object]:
    return {
        "model": MODEL, "outcome": "refusal", "dimension": "group", "name_variance": pattern,
        "method": method, "estimand": estimand, "false_positive_rate": rate,
        "ci_low": rate - 0.01, "ci_high": rate + 0.01, "nominal": 0.05,
    }  # fmt: skip


@pytest.fixture
def checked(inputs: ReportInputs) -> ReportInputs:
    rows = [
        _check("newcombe", "common", 0.5),
        _check("ols_cr2_two_way", "common", 0.06),
        _check("ols_cr2_two_way", "by_group", 0.04),
        _check("permutation_names", "by_group", 0.05, "global"),
        _check("ols_cr2_name", "common", 0.045),
        _check("ols_cr2_name", "common", 0.1, "global"),
    ]
    return changed(
        inputs,
        selfcheck=pl.DataFrame(rows),
        design=pl.DataFrame([DESIGN], infer_schema_length=None),
    )


def test_each_method_stands_once_with_its_worst_rate_and_those_used_come_first(
    checked: ReportInputs,
) -> None:
    found = false_alarms(checked, MODEL)
    assert [(each.label, each.rate, each.used) for each in found] == [
        ("Linear model, bias-reduced errors by name", 0.045, True),
        ("Randomisation test over names, all levels together", 0.05, True),
        ("Linear model, bias-reduced errors by template and name", 0.06, True),
        ("Linear model, bias-reduced errors by name, all levels together", 0.1, False),
        ("Newcombe interval", 0.5, False),
    ]


def test_figure_of_the_selfcheck_says_its_numbers(checked: ReportInputs) -> None:
    with figure_style():
        drawing = draw_selfcheck(checked, MODEL)
    assert drawing is not None
    assert "bias-reduced errors by template and name 6.0 %" in drawing.alt
    assert "Newcombe interval 50.0 % (for comparison)" in drawing.alt
    words = [text.get_text() for text in drawing.figure.axes[0].texts] + [drawing.alt]
    assert not any("_" in each for each in words)
    assert draw_selfcheck(changed(checked, selfcheck=None), MODEL) is None


def test_curves_pass_through_what_the_design_finds() -> None:
    curves = power_curves(DESIGN)
    assert [curve.names for curve in curves] == [
        "8 names a group", "16 names a group", "32 names a group",
    ]  # fmt: skip
    for curve in curves:
        assert curve.power[0] == pytest.approx(0.05, abs=1e-6)
        assert (np.diff(curve.power) >= 0).all()
        at = np.interp(curve.detectable, curve.differences, curve.power)
        assert at == pytest.approx(0.8, abs=0.01)
    assert curves[0].detectable > curves[1].detectable > curves[2].detectable


def test_figure_of_power_says_what_more_names_add(checked: ReportInputs) -> None:
    with figure_style():
        drawing = draw_power(checked, MODEL)
    assert drawing is not None
    detectable = power_curves(DESIGN)[0].detectable
    assert "32 templates and 3 samples. Found in" in drawing.alt
    assert f"with 8 names a group {100 * detectable:.1f} points" in drawing.alt
    assert draw_power(checked, "demo-even") is None
    # Of few responses that are missing, the means of counts keep many digits.
    holes = pl.DataFrame([DESIGN | {"templates": 31.98, "samples": 2.41}], infer_schema_length=None)
    with figure_style():
        drawing = draw_power(changed(checked, design=holes), MODEL)
    assert drawing is not None
    assert "32 templates and 2.4 samples. Found in" in drawing.alt


def test_sentence_says_what_the_design_finds(checked: ReportInputs) -> None:
    said = detectable_sentence(checked, MODEL)
    assert said is not None
    assert "a difference of 10.0 points in four of five" in said
    assert detectable_sentence(checked, "demo-even") is None


def test_sentence_says_where_a_difference_is_known_roughly(checked: ReportInputs) -> None:
    design = pl.DataFrame([DESIGN | {"note": ROUGHLY}], infer_schema_length=None)
    said = detectable_sentence(changed(checked, design=design), MODEL)
    assert said is not None
    assert said.endswith(f"smaller ones it mostly misses. That is {ROUGHLY}.")


def test_no_difference_of_rates_is_larger_than_all(checked: ReportInputs) -> None:
    wild = {"names": 2.0, "reference_names": 2.0, "templates": 2.0, "var_name": 0.4}
    design = pl.DataFrame([DESIGN | wild | {"value": 2.4}], infer_schema_length=None)
    few = changed(checked, design=design)
    said = detectable_sentence(few, MODEL)
    assert said is not None
    assert said.endswith("a study mostly misses a difference, however large it is.")
    with figure_style():
        drawing = draw_power(few, MODEL)
    assert drawing is not None
    assert "with 2 names a group none" in drawing.alt
