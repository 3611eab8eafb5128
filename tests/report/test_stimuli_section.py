"""What the page says of names that differ in more than their group."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from report_study import changed, config_of, make_inputs

from refusal_parity.report.sections import stimuli
from refusal_parity.report.unlike import could_explain
from refusal_parity.report.wording import statement
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.balance import COUNTED, balance
from refusal_parity.tables import Findings, Prompts, Responses, Stimuli, conform, empty


def test_properties_in_which_groups_are_unlike_are_named() -> None:
    inputs = make_inputs(["m"])
    prompts = inputs[Prompts].with_columns(
        log_frequency=pl.when(group="white")
        .then(pl.col("name").str.len_chars() * 0.0 + 2.0 + (pl.col("gender") == "man"))
        .otherwise(1.0 + (pl.col("gender") == "man"))
    )
    responses = prompts.select(
        "prompt_id",
        model=pl.lit("m"),
        prompt_tokens=pl.when(group="chinese").then(pl.lit(3)).otherwise(1).cast(pl.Int32),
    )
    table = balance(prompts, responses.select(COUNTED), inputs.config.analysis)
    context = stimuli.SECTION.context(changed(inputs, stimuli=table))
    assert context is not None
    unlike = dict(context["unlike"])
    assert "lower log_frequency" in unlike["muslim"]
    assert "more tokens for m" in unlike["chinese"]
    assert not any("tokens" in each for each in unlike["muslim"])
    assert not any("gender" in each for each in unlike["muslim"])
    cells = [[cell.text for cell in row] for row in context["table"].rows]
    row = next(row for row in cells if row[0] == "log_frequency" and "muslim" in row)
    assert "1.50" in row
    assert "2.50" in row
    # One point apart, and each group's variance is 2/7.
    assert "\u22121.87" in row


def test_a_level_that_is_rarer_among_a_groups_names_is_named() -> None:
    inputs = make_inputs(["m"])
    men = pl.when(group="muslim").then(pl.lit("woman")).otherwise("gender")
    prompts = inputs[Prompts].with_columns(gender=men)
    table = balance(prompts, empty(Responses).select(COUNTED), inputs.config.analysis)
    context = stimuli.SECTION.context(changed(inputs, stimuli=table))
    assert context is not None
    unlike = dict(context["unlike"])
    assert "gender man in a lower share of names" in unlike["muslim"]


def test_what_cannot_be_told_is_said() -> None:
    inputs = make_inputs(["m", "other"])
    prompts = inputs[Prompts].with_columns(
        p_group=pl.when(group="white").then(pl.lit(0.5)).when(group="black").then(pl.lit(None))
        .otherwise(pl.col("name").str.len_chars() * 0.1)
    )  # fmt: skip
    responses = prompts.select("prompt_id", model=pl.lit("m"), prompt_tokens=pl.lit(5, pl.Int32))
    table = balance(prompts, responses.select(COUNTED), inputs.config.analysis)
    context = stimuli.SECTION.context(changed(inputs, stimuli=table))
    assert context is not None
    assert context["untold"] == ["p_group of black: not known of any name of black"]
    assert context["uncounted"] == ["other"]


def test_a_study_without_the_table_has_no_such_section() -> None:
    assert stimuli.SECTION.context(make_inputs(["m"])) is None


def test_what_could_explain_a_difference_is_named_beside_it() -> None:
    inputs = make_inputs(["m", "other"])
    prompts = inputs[Prompts].with_columns(
        log_frequency=pl.when(group="white").then(2.0).otherwise(1.0) + (pl.col("gender") == "man")
    )
    responses = prompts.select(
        "prompt_id", model=pl.lit("other"),
        prompt_tokens=pl.when(group="muslim").then(pl.lit(3)).otherwise(1).cast(pl.Int32),
    )  # fmt: skip
    table = balance(prompts, responses.select(COUNTED), inputs.config.analysis)
    of_muslim = (pl.col("group") == "muslim") & (pl.col("reference") == "white")
    verdict = pl.when(of_muslim).then(pl.lit("shown")).otherwise(pl.lit("not_shown"))
    found = inputs[Findings].with_columns(verdict=verdict)
    known = changed(inputs, stimuli=table).with_tables({Findings: found})
    for model in known.models:
        details = statement(known, model, known.outcome, "group").details
        [said] = [each for each in details if "could explain the difference as well" in each]
        assert said.startswith("What else differs between muslim names and white names: ")
        assert "lower log_frequency" in said
        # Of its own tokens alone.
        assert ("more tokens for other" in said) == (model == "other")


def test_what_a_difference_is_adjusted_for_is_not_named_again() -> None:
    level = "\u05e9\u05dc\u05d5\u05dd"
    row = {"model": "all", "dimension": "group", "group": level, "reference": "white"}
    row |= {"mean": 1.0, "mean_reference": 2.0, "std_difference": -0.5}
    row |= {"n_names": 8, "n_reference": 8}
    rows = pl.DataFrame([row | {"property": each} for each in ("letters", "log_frequency")])
    table = conform(
        pl.concat([empty(Stimuli), rows], how="diagonal_relaxed"), Stimuli, where="stimuli"
    )
    inputs = changed(
        make_inputs(["m"]), config=config_of(["m"], covariates=["log_frequency"]), stimuli=table
    )
    found = Finding(model="m", outcome="refusal", dimension="group", group=level, reference="white")
    # Marks of direction stand around it and are not shown as signs.
    both = f"What else differs between \u2068{level}\u2069 names and white names"
    rest = "This could explain the difference as well."
    assert could_explain(inputs, "m", [found]) == [
        f"{both}: fewer letters and lower log_frequency. {rest}"
    ]
    held = replace(found, covariates_estimate=0.1)
    assert could_explain(inputs, "m", [held]) == [
        f"{both}, beside what it is adjusted for: fewer letters. {rest}"
    ]
    assert could_explain(inputs, "m", [replace(found, group="black")]) == []


def test_what_else_levels_differ_in_stands_in_one_sentence() -> None:
    row = {"model": "all", "dimension": "group", "reference": "white", "property": "letters"}
    row |= {"mean_reference": 2.0, "n_names": 8, "n_reference": 8}
    more = row | {"group": "black", "mean": 3.0, "std_difference": 0.5}
    fewer = row | {"group": "muslim", "mean": 1.0, "std_difference": -0.5}
    table = conform(
        pl.concat([empty(Stimuli), pl.DataFrame([more, fewer])], how="diagonal_relaxed"),
        Stimuli,
        where="stimuli",
    )
    first = Finding(model="m", outcome="refusal", dimension="group", group="muslim")
    first = replace(first, reference="white")
    both = [first, replace(first, group="black")]
    [said] = could_explain(changed(make_inputs(["m"]), stimuli=table), "m", both)
    assert said == (
        "What else differs from white names: fewer letters in muslim names; more letters in black "
        "names. This could explain the differences as well."
    )
