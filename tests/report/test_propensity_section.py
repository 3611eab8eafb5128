"""The section on refusal propensities, and the answer where they are the primary outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from drawn_marks import drawn_rows, rules
from propensity_report import propensity_inputs
from report_study import changed

from propensity_study import EVEN, PRIMARY, UNEVEN
from refusal_parity.outcomes import Outcome
from refusal_parity.report import propensity, weighed_wording
from refusal_parity.report.figure_odds import draw_odds
from refusal_parity.report.figures import draw_all
from refusal_parity.report.odds import odds_interval, odds_ratio, small_rate, weighed_models
from refusal_parity.report.openings import carried, openings_table
from refusal_parity.report.page import render_page
from refusal_parity.report.sections.propensity import SECTION
from refusal_parity.report.style import figure_style
from refusal_parity.report.summary import summary_lines
from refusal_parity.report.wording import statement
from refusal_parity.tables import PropensityChecks, PropensityEffects, PropensityLevels
from refusal_parity.text import NOTHING

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs


@pytest.fixture(scope="module")
def primary(root: Path) -> ReportInputs:
    return propensity_inputs(root, **PRIMARY)


@pytest.fixture(scope="module")
def described(root: Path) -> ReportInputs:
    return propensity_inputs(root, outcomes=["refusal"])


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.0034, "0.34 %"),
        (0.1234, "12 %"),
        (0.01, "1.0 %"),
        (0.0000213, "0.0021 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (None, NOTHING),
    ],
)
def test_small_rates_keep_two_digits(rate: float | None, words: str) -> None:
    assert small_rate(rate) == words


def test_odds_ratios_are_exp_of_differences() -> None:
    assert odds_ratio(0.0) == "1.00"
    assert odds_interval(-0.6931, 0.6931) == "0.50 to 2.00"
    assert odds_interval(None, 1.0) == NOTHING


def test_the_primary_answer_is_an_odds_ratio_with_its_rates(
    primary: ReportInputs, tmp_path: Path
) -> None:
    assert primary.questions[0] is Outcome.PROPENSITY
    found = statement(primary, UNEVEN, Outcome.PROPENSITY, "group")
    muslim = next(each for each in found.shown if each.group == "muslim")
    assert f"{odds_ratio(muslim.estimate)} times those for white names" in found.lead
    row = primary[PropensityEffects].filter(model=UNEVEN, group="muslim").to_dicts()[0]
    assert f"{small_rate(row['typical_rate_group'])} instead of" in found.lead
    assert small_rate(row["mean_rate_reference"]) in found.lead
    other = statement(primary, EVEN, Outcome.PROPENSITY, "group")
    assert "not evidence that there is none" in other.lead
    said = summary_lines(primary, tmp_path / "report.html")[1]
    assert f"muslim odds ratio {odds_ratio(muslim.estimate)} against white" in said
    assert "points" not in said


def test_only_the_heading_names_the_model(primary: ReportInputs) -> None:
    """Its sentences stand below a heading with its name, and in an answer only the first has it."""
    context = SECTION.context(primary)
    assert context is not None
    for model, sentences in context["said"]:
        assert sentences
        assert not any(model in sentence for sentence in sentences)
    found = statement(primary, UNEVEN, Outcome.PROPENSITY, "group")
    assert found.lead.startswith(f"{UNEVEN}: for muslim names the odds that a response opens")
    assert not any(UNEVEN in sentence for sentence in found.details)


def test_a_description_says_that_it_is_one(described: ReportInputs) -> None:
    context = SECTION.context(described)
    assert context is not None
    assert not context["primary"]
    assert described.questions[0] is Outcome.REFUSAL
    assert Outcome.PROPENSITY in described.questions


def test_no_section_where_nothing_is_weighed(inputs: ReportInputs) -> None:
    assert SECTION.context(inputs) is None


def test_the_page_holds_section_figures_and_tables(primary: ReportInputs) -> None:
    drawn = list(draw_all(primary))
    kinds = {each.kind for each in drawn}
    assert {"odds", "openings", "log-odds"} <= kinds
    alt = next(each.alt for each in drawn if each.kind == "odds" and each.model == UNEVEN)
    for group in ("muslim", "black"):
        [row] = primary[PropensityEffects].filter(model=UNEVEN, group=group).to_dicts()
        assert f"{group} {row['odds_ratio']:.2f} (interval" in alt
    page = render_page(primary, drawings=drawn)
    assert 'id="propensity"' in page
    assert "is the primary outcome of this study and decides" in page


def test_the_figure_draws_odds_ratios_with_their_intervals(primary: ReportInputs) -> None:
    with figure_style():
        drawing = draw_odds(primary, UNEVEN)
    assert drawing is not None
    axes = drawing.figure.axes[0]
    drawn = drawn_rows(axes)
    effects = primary[PropensityEffects].filter(model=UNEVEN, dimension="group", reference="white")
    assert set(drawn) == set(effects["group"])
    low, high = axes.get_xlim()
    shown = []
    for row in effects.to_dicts():
        found = drawn[row["group"]]
        assert found.marks == pytest.approx([row["odds_ratio"]])
        [bar] = found.wide
        assert bar == pytest.approx((max(row["ci_low"], low), min(row["ci_high"], high)))
        shown.append(row["p_adjusted"] < 0.05)
        assert found.filled == [shown[-1]]
    assert set(shown) == {True, False}
    # No difference is a ratio of 1, and a doubling is as far from it as a halving.
    assert rules(axes) == [1.0]
    assert axes.get_xscale() == "log"


def test_words_that_carry_the_difference(primary: ReportInputs) -> None:
    found = carried(primary, UNEVEN, of_template=True)
    assert found is not None
    assert (found.group, found.reference) == ("muslim", "white")
    assert found.leaves[0].text == "I'm sorry"
    assert found.difference > 0
    assert "[NAME]" in found.template
    table = openings_table(primary)
    assert table is not None
    parts = [row[-1].sort or 0 for row in table.rows if row[0].text == UNEVEN]
    assert sum(parts) == pytest.approx(1)


def test_rates_of_another_order_are_a_caution(primary: ReportInputs) -> None:
    turned = primary[PropensityEffects].with_columns(opposed=pl.col("group") == "jewish")
    said = propensity.cautions(changed(primary, propensity_effects=turned), UNEVEN, "group")
    assert any("order groups differently (jewish names" in sentence for sentence in said)


def test_refusals_that_open_otherwise_are_a_caution(primary: ReportInputs) -> None:
    biased = pl.col("group") == "muslim"
    values = {
        "gap_difference": 0.02,
        "gap_difference_low": 0.01,
        "gap_difference_high": 0.03,
        "gap_difference_p": 0.004,
        "outside_share": 0.4,
        "outside_difference": 0.35,
        "outside_difference_p": 0.01,
        "odds_factor": 1.58,
    }
    checks = primary[PropensityChecks].with_columns(
        pl.when(biased).then(pl.lit(value)).otherwise(key).alias(key)
        for key, value in values.items()
    )
    said = " ".join(
        propensity.cautions(changed(primary, propensity_checks=checks), UNEVEN, "group")
    )
    assert "refuse 2.0 points more often than openings say" in said
    assert "40.0 % of the drawn refusals open outside the tree" in said
    assert "1.58 times as large" in said
    clean = primary[PropensityChecks].with_columns(
        pl.lit(None, pl.Float64).alias(key) for key in ("gap_difference_p", "outside_difference_p")
    )
    unbiased = propensity.cautions(changed(primary, propensity_checks=clean), UNEVEN, "group")
    assert not any("openings say" in sentence for sentence in unbiased)


def test_a_model_without_a_propensity_says_why(primary: ReportInputs) -> None:
    numbers = [
        key
        for key, column in PropensityLevels.columns().items()
        if column.nullable and key not in {"note", "weighed_rate", "weighed_rate_error"}
    ]
    lost = pl.col("model") == EVEN
    levels = primary[PropensityLevels].with_columns(
        pl.when(~lost).then("n").otherwise(0).alias("n"),
        *(pl.when(~lost).then(key).alias(key) for key in numbers),
        pl.when(lost).then(pl.lit("no opening is known")).otherwise("note").alias("note"),
    )
    without = changed(primary, propensity_levels=levels)
    assert weighed_models(without) == [UNEVEN]
    assert weighed_wording.unweighed(without) == [f"{EVEN} has no propensity: no opening is known."]
    assert not weighed_wording.unweighed(primary)
    drawn = {(each.kind, each.model) for each in draw_all(without)}
    assert ("odds", UNEVEN) in drawn
    assert ("odds", EVEN) not in drawn
