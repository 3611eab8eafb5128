from __future__ import annotations

from typing import Any

import pytest
from worded_study import BIG, pair, rate, study, whole

from refusal_parity.report import ReportInputs, summary_lines
from refusal_parity.tables import Labels

ENDS = "18.2 to 38.0"


def test_summary_has_three_lines(inputs: ReportInputs, tmp_path: Any) -> None:
    lines = summary_lines(inputs, tmp_path / "report.html")
    assert len(lines) == 3
    assert lines[0] == f"Report: {tmp_path / 'report.html'}"
    assert "demo-guarded: muslim +" in lines[1]
    assert "demo-even: no difference between groups shown" in lines[1]
    lost = inputs[Labels]["label"].null_count()
    assert lines[2].startswith(f"Left out: {lost} of 10,752 responses")


@pytest.mark.parametrize(
    ("p_values", "words"),
    [
        (
            {"muslim": 0.3},
            f"(adjusted p = 0.300; 95 % interval {ENDS} points).",
        ),
        (
            {"muslim": 0.3, "black": 0.21},
            f"(smallest adjusted p = 0.210 of 2 comparisons; 95 % intervals from {ENDS} points).",
        ),
        (
            {"muslim": 0.3, "black": None, "arab": None},
            f"(adjusted p = 0.300; 95 % interval {ENDS} points; without a test: black and arab).",
        ),
    ],
    ids=["one", "two", "missing"],
)
def test_what_is_not_shown_comes_with_its_p_value(
    p_values: dict[str, float | None], words: str, tmp_path: Any
) -> None:
    tests = [row | {"group": each, "p_adjusted": p}
             for each, p in p_values.items() for row in pair(**BIG)]  # fmt: skip
    rates = [rate("m", group) for group in (*p_values, "white")]
    lead = "Found: m: no difference between groups shown"
    assert summary_lines(study(tests, rates), tmp_path)[1] == f"{lead} {words}"


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("m", "adjusted p = 0.001; without a test: black)."),
        ("mabcd", f"{ENDS} points; 3 models of these without a test of some level."),
    ],
    ids=["shown", "of many models"],
)
def test_levels_without_a_test_are_said(models: str, words: str, tmp_path: Any) -> None:
    tests = [
        row | {"model": model, "group": group, "p_adjusted": p}
        for model in models
        for group, p in (
            ("muslim", 0.001 if model == "m" else 0.5),
            ("black", 0.5 if model == "d" else None),
        )
        for row in pair(**BIG)
    ]
    rates = [rate(model, group) for model in models for group in ("muslim", "white", "black")]
    assert summary_lines(study(tests, rates), tmp_path)[1].endswith(words)


def test_summary_of_many_models_counts_them(tmp_path: Any) -> None:
    models = [f"m{number}\nx" for number in range(7)]
    tests = [
        row | {"model": model}
        for model in models[:5]
        for row in (whole(0.5), *pair(**BIG, p_adjusted=0.5))
    ]
    tests += [row | {"model": models[5]} for row in [whole(0.001), *pair(**BIG, p_adjusted=0.001)]]
    rates = [rate(model, group) for model in models for group in ("muslim", "white")]
    lines = summary_lines(study(tests, rates), tmp_path)
    assert len(lines) == 3
    assert not any("\n" in line for line in lines)
    assert "8 models" in lines[1]
    largest = "muslim +28.1 points against white (95 % interval 18.2 to 38.0; adjusted p = 0.001)"
    assert f"difference shown for 1 (m5 x: {largest})" in lines[1]
    others = "not shown for 5 (m0 x, m1 x, m2 x, m3 x and 1 more)"
    assert f"{others}, 95 % intervals from 18.2 to 38.0 points;" in lines[1]
    assert "not shown for 5 (m0 x, m1 x, m2 x, m3 x and 1 more)" in lines[1]
    assert "not estimable for 2 (m, m6 x): there are no rates" in lines[1]
    assert lines[2] == "Left out: not known, the ledger of exclusions is empty."


def test_each_reason_of_many_models_is_said(tmp_path: Any) -> None:
    few = [f"a test takes at least {number}" for number in range(4, 9)]
    notes = dict(zip("abcdefg", (*few[:2], few[1], *few[2:], few[0]), strict=True))
    tests = [
        row | {"model": model, "note": note}
        for model, note in notes.items()
        for row in pair(**BIG | {"p_adjusted": None})
    ]
    rates = [rate(model, group) for model in notes for group in ("muslim", "white")]
    told = summary_lines(study(tests, rates), tmp_path)[1]
    for part in (
        "not estimable for 2 (a, g): a test takes at least 4",
        "not estimable for 2 (b, c): a test takes at least 5",
        "not estimable for 1 (m): there are no rates",
        "not estimable for 3 (d, e, f): for other reasons",
    ):
        assert part in told, told


def test_a_reason_that_several_models_share_is_said_once(tmp_path: Any) -> None:
    sizes = {"n_names": 3, "n_templates": 2}
    few = "x has 3 names, but a test takes at least 4"
    tests = [
        row | {"model": model, "group": group, "note": note}
        for model in ("a", "m")
        for group in ("muslim", "black")
        for row, note in zip(
            pair(**BIG | {"p_adjusted": None}), (few, f"20 splits; {few}"), strict=True
        )
    ]
    rates = [
        rate(model, group, **sizes)
        for model in ("a", "m", "c")
        for group in ("muslim", "white", "black")
    ]
    tests += [row | {"model": "c"} for row in pair(**BIG, p_adjusted=0.001)]
    told = summary_lines(study(tests, rates), tmp_path)[1]
    assert told.startswith("Found: c: muslim +28.1 points against white")
    assert told.endswith(
        "; m and a: not estimable: muslim, white and black have 3 names and 2 templates each, but "
        "a test takes at least 4 of both."
    )
