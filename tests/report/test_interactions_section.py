"""What the page says of differences that hang on a factor, and of those held against covariates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from drawn_marks import Line, Row, drawn_rows, hex_of, rules
from report_study import changed, make_inputs

from refusal_parity.report import results
from refusal_parity.report.figure_interactions import draw_interactions
from refusal_parity.report.held import with_covariates
from refusal_parity.report.sections import interactions
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, figure_style
from refusal_parity.report.wording import statement
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.tables import Findings, Interactions, conform
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def row(group: str, level: str, base: str | None, **numbers: Any) -> dict[str, Any]:
    return {
        "model": "m", "outcome": "refusal", "dimension": "group", "group": group,
        "reference": "white", "factor": "arm", "factor_level": level, "factor_base": base,
        "scope": "new templates and new names", "n_group": 32, "n_reference": 32,
        "estimate": 0.1, "std_error": 0.02, "df": 9.0, "ci_low": 0.06, "ci_high": 0.14,
        "statistic": 5.0, "p_value": 0.001, "p_adjusted": 0.01, "family": "exploratory: x",
        "note": None,
    } | numbers  # fmt: skip


UNSURE = {"ci_low": -0.02, "ci_high": 0.22, "p_value": 0.1, "p_adjusted": 0.2}
NONE = dict.fromkeys(
    (
        *("estimate", "std_error", "df", "ci_low", "ci_high", "statistic"),
        *("p_value", "p_adjusted", "family"),
    )
)


def study(*rows: dict[str, Any]) -> ReportInputs:
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in Interactions.columns().items()
    }
    table = conform(pl.DataFrame(list(rows), schema=schema), Interactions, where="interactions")
    return changed(make_inputs(["m"]), interactions=table)


def said(*rows: dict[str, Any]) -> str:
    context = interactions.SECTION.context(study(*rows))
    assert context is not None
    return " ".join(context["sentences"])


LEVELS = (row("muslim", "plain", None, **UNSURE), row("muslim", "strict", None, estimate=0.3))


@pytest.mark.parametrize(
    ("between", "sentences"),
    [
        (
            {"estimate": 0.2},
            (
                (
                    "the system prompt strict the difference of muslim names from white names is "
                    "20.0 points higher than with the system prompt plain (change +20.0, 95 % "
                    "interval 6.0 to 14.0; adjusted p = 0.010)."
                ),
                (
                    "The system prompt plain: no difference was shown; the system prompt strict: "
                    "muslim names +30.0 (interval 6.0 to 14.0)."
                ),
            ),
        ),
        ({"estimate": -0.2}, ("is 20.0 points lower than with",)),
        (
            UNSURE,
            (
                (
                    "That the differences between groups change with the system prompt was not "
                    "shown. This is not evidence that they do not."
                ),
            ),
        ),
        (
            NONE | {"note": "not estimable: muslim has one name"},
            ("Not estimable for 1 change with the system prompt: muslim has one name.",),
        ),
    ],
)
def test_what_is_said(between: dict[str, Any], sentences: tuple[str, ...]) -> None:
    text = said(*LEVELS, row("muslim", "strict", "plain", **between)).replace("\u2068", "")
    for sentence in sentences:
        assert sentence in text.replace("\u2069", "")


def test_without_a_crossed_factor_there_is_no_section_and_no_figure() -> None:
    inputs = make_inputs(["m"])
    assert interactions.SECTION.context(inputs) is None
    assert draw_interactions(inputs, "m") is None


def test_table_and_figure_have_every_level() -> None:
    inputs = study(*LEVELS, row("muslim", "strict", "plain"))
    context = interactions.SECTION.context(inputs)
    assert context is not None
    [table] = context["tables"]
    assert len(table.rows) == 3
    drawing = draw_interactions(inputs, "m")
    assert drawing is not None
    assert "muslim, plain +10.0 points (interval \u22122.0 to 22.0)" in drawing.alt
    assert "muslim, strict +30.0 points" in drawing.alt


def test_the_figure_draws_what_each_level_has() -> None:
    far = row("muslim", "strict", None, estimate=0.3, ci_low=0.2, ci_high=0.44)
    inputs = study(LEVELS[0], far, row("muslim", "strict", "plain", estimate=0.2))
    with figure_style():
        drawing = draw_interactions(inputs, "m")
    assert drawing is not None
    axes = drawing.figure.axes[0]
    heading, *levels = drawn_rows(axes).items()
    assert heading[1] == Row([], [], [], [], [])
    assert [label.strip("\u2068\u2069") for label, _ in levels] == [
        "muslim, plain",
        "muslim, strict",
    ]
    unsure, sure = (drawn for _, drawn in levels)
    assert (unsure.marks, unsure.filled, unsure.wide) == ([0.1], [False], [Line(-0.02, 0.22)])
    assert (sure.marks, sure.filled, sure.wide) == ([0.3], [True], [Line(0.2, 0.44)])
    assert (unsure.colours, sure.colours) == ([hex_of(ACCENT_SOFT)], [hex_of(ACCENT)])
    assert rules(axes) == [0.0]


def test_differences_of_all_responses_are_kept_apart() -> None:
    inputs, plain = study(*LEVELS), make_inputs(["m"])
    key = ("m", inputs.outcome, "group")
    assert inputs.pairs(*key) == plain.pairs(*key)
    assert len(inputs.interactions(*key)) == 2


LACKING = "adjusted for births, without 2 names that it is not known of (2 of muslim)"


def _held(note: str, estimate: float | None, p: float | None) -> ReportInputs:
    """A study whose muslim names are shown to differ from white ones, and by so much when held."""
    inputs = make_inputs(["m"])
    schema = inputs[Findings].schema
    asked = (pl.col("group") == "muslim") & (pl.col("reference") == "white")
    known = estimate is not None
    held = {"covariates": note, "covariates_estimate": estimate, "covariates_p_adjusted": p}
    held |= {"estimate": 0.2, "verdict": "shown"}
    held |= {"covariates_ci_low": 0.05 if known else None}
    held |= {"covariates_ci_high": 0.17 if known else None}
    found = inputs[Findings].with_columns(
        pl.when(asked).then(pl.lit(each, schema[key])).otherwise(pl.col(key)).alias(key)
        for key, each in held.items()
    )
    return inputs.with_tables({Findings: found})


@pytest.mark.parametrize(
    ("note", "estimate", "p", "said"),
    [
        (LACKING, 0.11, 0.003, (
            "Adjusted for births, without 2 names that it is not known of (2 of muslim), the "
            "difference for muslim names is +11.0 points (95 % interval 5.0 to 17.0; adjusted "
            "p = 0.003), beside +20.0 as it stands, which decides. Where both differ much, the "
            "levels differ in more than their name, or in those left out of the adjusted one."
        )),
        ("adjusted for births; descriptive only: x has 3 names", 0.11, None, (
            "Adjusted for births, the difference for muslim names is +11.0 points (95 % interval "
            "5.0 to 17.0), beside +20.0 as it stands, which decides. The adjusted one is a "
            "description and no finding: x has 3 names."
        )),
        ("not estimable: nothing varies; adjusted for births", None, None, (
            "Adjusted for births, the difference for muslim names is not estimable: nothing "
            "varies."
        )),
    ],
)  # fmt: skip
def test_a_difference_with_covariates_stands_beside_the_one_without(
    note: str, estimate: float | None, p: float | None, said: str
) -> None:
    inputs = _held(note, estimate, p)
    assert said in statement(inputs, "m", inputs.outcome, "group").details
    table = results.differences_table(inputs, inputs.outcome, "group")
    cells = [[cell.text for cell in row] for row in table.rows if "muslim" in row[1].text]
    with_numbers = any("+11.0" in row and "5.0 to 17.0" in row for row in cells)
    assert with_numbers is (estimate is not None)
    described = [row for row in cells if "with covariates is a description" in row[-1]]
    assert len(described) == (estimate is not None and p is None)
    plain = results.differences_table(make_inputs(["m"]), inputs.outcome, "group")
    assert "With covariates" not in [heading for heading, _ in plain.columns]


def test_differences_with_the_same_covariates_stand_in_one_sentence() -> None:
    first = Finding(
        model="m", outcome="refusal", dimension="group", group="muslim", reference="white",
        verdict=Verdict.SHOWN, estimate=0.2, covariates="adjusted for births",
        covariates_estimate=0.11, covariates_ci_low=0.05, covariates_ci_high=0.17,
        covariates_p_adjusted=0.003,
    )  # fmt: skip
    second = replace(first, group="black", estimate=0.1, covariates_estimate=0.1)
    nothing = "not estimable: nothing varies; adjusted for births"
    lost = {"covariates": nothing, "covariates_estimate": None, "covariates_p_adjusted": None}
    others = [replace(first, **lost), replace(second, **lost)]
    told = with_covariates(make_inputs(["m"]), [first, others[0], second, others[1]])
    assert told == [
        (
            "Adjusted for births, the difference for muslim names is +11.0 points (95 % interval "
            "5.0 to 17.0; adjusted p = 0.003), beside +20.0 as it stands; for black names +10.0 "
            "points (95 % interval 5.0 to 17.0; adjusted p = 0.003), beside +10.0 as it stands. "
            "The unadjusted ones decide. Where both differ much, the levels differ in more than "
            "their name."
        ),
        (
            "Adjusted for births, the difference for muslim names and black names is not "
            "estimable: nothing varies."
        ),
    ]


FEW = "muslim has 3 names, but a test takes at least 4"
UNTESTED = NONE | {"estimate": 0.1, "note": FEW}


def test_nothing_is_said_to_be_not_shown_where_nothing_was_tested() -> None:
    words = said(
        row("muslim", "plain", None, **UNTESTED),
        row("muslim", "strict", None, **UNTESTED),
        row("muslim", "strict", "plain", **UNTESTED),
    )
    assert f"plain: nothing could be tested: {FEW};" in words
    assert "not shown" not in words
    assert "no difference was shown" not in words
    assert "change with the system prompt cannot be tested here." in words


def test_a_group_without_a_test_is_named_beside_those_with_one() -> None:
    words = said(
        row("black", "plain", None, estimate=0.3),
        row("muslim", "plain", None, **UNTESTED),
        row("black", "strict", None, **UNSURE),
        row("muslim", "strict", None, **UNTESTED),
        row("black", "strict", "plain", **UNSURE),
    )
    assert f"(without a test: muslim names: {FEW})" in words
    assert f"strict: no difference was shown (without a test: muslim names: {FEW})" in words
    assert "was not shown. This is not evidence that they do not." in words
