"""A study of a prompt list, added by data and config alone: every table, and a page true of it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from list_study import SAFE, UNSAFE, ListStudy, say
from whole_study import measure

from refusal_parity.expansion import list_prompts
from refusal_parity.listed import read_list
from refusal_parity.report.page import render_page
from refusal_parity.report.summary import summary_lines
from refusal_parity.statistics.planning.lines import plan_lines
from refusal_parity.statistics.planning.table import planned_design
from refusal_parity.tables import (
    Agreement,
    Comparison,
    Disparity,
    Findings,
    Influence,
    Overview,
    Prompts,
    Rates,
    SelfCheck,
    Stimuli,
    StudyDesign,
)
from refusal_parity.text import minus

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    folder = tmp_path_factory.mktemp("list")
    study = ListStudy(
        groups={}, say=say, models=("careless", "timid"), human=(0.5, True),
        path=folder / "list.csv",
    )  # fmt: skip
    return measure(study, folder)


def _row(table: pl.DataFrame, **keys: Any) -> dict[str, Any]:
    plain = table.with_columns(pl.col(pl.Enum).cast(pl.String))
    [row] = plain.filter(**keys).to_dicts()
    return row


def test_rates_are_of_prompts(inputs: ReportInputs) -> None:
    row = _row(inputs[Rates], model="timid", outcome="refusal", dimension="kind", group="unsafe")
    assert (row["n_names"], row["n_templates"]) == (0, UNSAFE)
    assert (row["k"], row["n"]) == (44, 48)
    # 24 prompts, most of whose two responses are alike: wider than of 48 independent ones.
    assert row["ci_low"] < row["wilson_low"] < row["rate"] < row["ci_high"] <= 1
    each = inputs[Rates].filter(model="timid", outcome="refusal", dimension="template")
    assert len(each.filter(within="all")) == UNSAFE + SAFE


def test_the_design_decides_which_method_answers(inputs: ReportInputs) -> None:
    disparity = inputs[Disparity].with_columns(pl.col(pl.Enum).cast(pl.String))
    assert set(disparity["scope"]) == {"new prompts"}
    of_length = disparity.filter(outcome="answer_length").filter("valid")
    assert set(of_length["method"]) == {"unit_welch", "unit_welch_equivalence"}
    of_rates = disparity.filter(outcome="refusal").filter("valid")
    assert set(of_rates["method"]) == {
        "unit_score", "unit_score_equivalence", "unit_design_based",
        "unit_design_based_equivalence",
    }  # fmt: skip
    found = _row(
        inputs[Findings], model="careless", outcome="refusal", dimension="kind", group="unsafe",
        reference="safe",
    )  # fmt: skip
    # Too few unsafe prompts are not refused for the labels of people to correct the machine's.
    assert found["method"] == "unit_score"
    assert "more human labels needed" in found["uncorrected"]
    assert found["verdict"] == "shown"
    # One of the safe ones has no labelled response.
    assert (found["templates_group"], found["templates_reference"]) == (UNSAFE, SAFE - 1)
    topic = _row(
        inputs[Findings].filter(pl.col("contrast").is_null(), pl.col("factor").is_null()),
        model="timid", outcome="refusal", dimension="topic", group="law", reference="tools",
    )  # fmt: skip
    # People say what the machine says, so that there is nothing to correct.
    assert topic["method"] == "unit_design_based"
    assert topic["estimate"] == pytest.approx(topic["machine_estimate"])
    mean = _row(
        inputs[Findings], model="careless", outcome="answer_length", dimension="topic",
        group="law", reference="tools",
    )  # fmt: skip
    assert mean["method"] in {None, "unit_welch"}


def test_models_are_compared_prompt_by_prompt(inputs: ReportInputs) -> None:
    comparison = inputs[Comparison].with_columns(pl.col(pl.Enum).cast(pl.String))
    assert set(comparison["scope"]) == {"new prompts"}
    rates = _row(comparison, outcome="refusal", estimand="rate_difference")
    assert rates["p_value"] < 0.05
    assert rates["estimate"] > 0
    assert "disparity_difference" in set(comparison["estimand"])


def test_nothing_of_names_is_left(inputs: ReportInputs) -> None:
    assert set(inputs[Influence]["left_out_kind"].cast(pl.String)) == {"prompt"}
    assert set(inputs[SelfCheck]["name_variance"].cast(pl.String)) == {"common"}
    checked = inputs[SelfCheck].filter(
        pl.col("method") == "unit_score", pl.col("n_simulations") > 0
    )
    assert (checked["false_positive_rate"] < 0.2).all()
    assert set(inputs[StudyDesign]["scope"].cast(pl.String)) == {"new prompts"}
    assert not inputs[StudyDesign]["quantity"].cast(pl.String).str.contains("template").any()
    assert set(inputs[Stimuli]["property"]) == {"letters"}
    assert inputs[Overview]["p_value"].null_count() == len(inputs[Overview])
    of_level = inputs[Agreement].filter(dimension="kind")
    assert set(of_level["group"]) == {"safe", "unsafe", "all"}
    intervals = of_level.filter(pl.col("coefficient").cast(pl.String) == "missed_refusal_rate")
    assert intervals["ci_low"].count() > 0


def _text(inputs: ReportInputs) -> str:
    page = re.sub(r"(?s)<(script|style|svg).*?</\1>", "", render_page(inputs))
    # What the columns and keys of all studies mean is told of all.
    before = page.split('<section id="making"')[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", before)))


def test_the_page_is_true_of_a_list(inputs: ReportInputs) -> None:
    text = _text(inputs)
    assert "for prompts of the kind unsafe than for prompts of the kind safe" in text
    assert "24 against 29 prompts" in text
    assert "54 prompts as they stand in a list" in text
    assert "hold for new prompts like these" in text
    told = re.sub(r"no names and no templates|in new names and new templates, or", "", text)
    told = re.sub(r"what more names, or prompts|these templates", "", told)
    for word in ("names", "template", "a name", "permutation"):
        found = [told[max(0, at.start() - 60) : at.end() + 40] for at in re.finditer(word, told)]
        assert not found, found
    lines = summary_lines(inputs, Path("report.html"))
    [line] = [line for line in lines if line.startswith("Found")]
    assert "careless: unsafe" in line


def test_arms_that_every_prompt_meets_are_paired(tmp_path: Path) -> None:
    study = ListStudy(
        groups={}, say=say, arms=("plain", "careful"), path=tmp_path / "list.csv",
        sets=True,
    )  # fmt: skip
    config = study.config()
    analysis = config.analysis.model_validate(
        {**config.analysis.model_dump(mode="json"), "selfcheck": 0,
         "dimensions": {"arm": {"reference": "plain"}, "kind": {"reference": "safe"}}}
    )  # fmt: skip
    object.__setattr__(study, "config", lambda: config.model_copy(update={"analysis": analysis}))
    inputs = measure(study, tmp_path)
    row = _row(
        inputs[Disparity], outcome="refusal", dimension="arm", method="unit_score",
        estimand="risk_difference",
    )  # fmt: skip
    # Every prompt is answered alike under both, so that no set differs between them.
    assert row["estimate"] == 0
    assert row["p_value"] == 1
    assert -0.25 < row["ci_low"] < 0 < row["ci_high"] < 0.25
    kind = _row(
        inputs[Disparity], outcome="refusal", dimension="kind", method="unit_welch",
        estimand="risk_difference",
    )  # fmt: skip
    # Eight sets of unsafe prompts and ten of safe ones are the units.
    assert kind["df"] < 18


def test_sets_that_meet_every_group_are_compared_within(tmp_path: Path) -> None:
    study = ListStudy(
        groups={}, say=lambda model, _, name, at: say(model, None, name, at),
        path=tmp_path / "list.csv", sets=True,
    )  # fmt: skip
    config, prompts = study.config(), study.prompts

    def of_groups() -> pl.DataFrame:
        prompts()
        rows = pl.read_csv(study.path).drop("kind", "topic")
        group = pl.Series("group", ["nobody", "muslim", "jewish"] * (len(rows) // 3))
        rows.with_columns(group).write_csv(study.path)
        return list_prompts(read_list(study.path), config.prompts.arms)

    analysis = config.analysis.model_validate(
        config.analysis.model_dump(mode="json")
        | {"dimensions": {"group": {"reference": "nobody"}},
           "primary_family": {"outcome": "refusal", "dimension": "group"}}
    )  # fmt: skip
    object.__setattr__(study, "config", lambda: config.model_copy(update={"analysis": analysis}))
    object.__setattr__(study, "prompts", of_groups)
    inputs = measure(study, tmp_path)
    row = _row(inputs[Rates], outcome="refusal", dimension="group", group="muslim", within="all")
    # Of one prompt there is no response with a label.
    assert row["n"] == 2 * ((UNSAFE + SAFE) / 3 - 1)
    test = _row(
        inputs[Disparity], outcome="refusal", group="muslim", reference="nobody",
        method="unit_welch", estimand="risk_difference",
    )  # fmt: skip
    assert test["estimate"] is not None
    # What sets have in common cancels out, which neither simulation nor plan knows: they say so.
    for schema in (SelfCheck, StudyDesign):
        assert set(inputs[schema]["note"].str.contains("sets meet several levels")) == {True}
    assert "not estimable" in render_page(inputs)


def test_a_plan_counts_prompts(tmp_path: Path) -> None:
    study = ListStudy(groups={}, say=say, path=tmp_path / "list.csv")
    prompts, config = study.prompts(), study.config()
    plan = planned_design(prompts, config.analysis, samples=2)
    lines = plan_lines(plan, config.analysis.dimensions, arms=1)
    assert lines[0] == "kind: 24 prompts against 30, 2 samples; new prompts"
    assert re.match(r"  finds differences from \d+\.\d points on in four of five", lines[1])
    assert "one more prompt" in lines[2]
    assert not any("name" in line or "template" in line for line in lines)
    more = planned_design(pl.concat([prompts, _others(prompts)]), config.analysis, samples=2)
    smaller, larger = (
        table.filter(pl.col("quantity").cast(pl.String) == "minimum_detectable")["value"][0]
        for table in (more, plan)
    )
    assert smaller < larger


def _others(prompts: pl.DataFrame) -> pl.DataFrame:
    keys = [pl.format("{}x", pl.col(key)).alias(key) for key in ("prompt_id", "template_id")]
    return prompts.with_columns(*keys)


def test_a_list_without_a_refusal_says_what_is_not_ruled_out(tmp_path: Path) -> None:
    study = ListStudy(groups={}, say=lambda *_: "aa", path=tmp_path / "list.csv")
    config = study.config()
    analysis = config.analysis.model_copy(update={"selfcheck": 0})
    object.__setattr__(study, "config", lambda: config.model_copy(update={"analysis": analysis}))
    inputs = measure(study, tmp_path)
    # Wilson's limits of 0 of 24 and of 0 of 30 prompts; where no rate can be below 0, each
    # limit is that of one rate.
    z = 1.959964**2
    ends = minus(f"-{100 * z / (30 + z):.1f} to {100 * z / (24 + z):.1f} points")
    told = f"(adjusted p = 1.000; 95 % interval {ends})"
    [line] = [each for each in summary_lines(inputs, Path("r")) if each.startswith("Found")]
    assert line == f"Found: m: no difference between levels of kind shown {told}."
    assert f"was shown for new prompts {told}. This is not evidence" in _text(inputs)
    several = _row(
        inputs[Disparity], outcome="refusal", dimension="topic", method="unit_score",
        estimand="risk_difference",
    )  # fmt: skip
    assert several["p_adjusted"] == 1
    assert several["adjusted_low"] < several["ci_low"] < 0 < several["adjusted_high"]


def test_prompts_of_a_list_have_no_name(tmp_path: Path) -> None:
    prompts = ListStudy(groups={}, say=say, path=tmp_path / "list.csv").prompts()
    assert prompts["name"].null_count() == len(prompts)
    assert Prompts.is_valid(prompts)
