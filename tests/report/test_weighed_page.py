"""Weighed rates on the page: what they rest on, and what their differences are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from propensity_report import propensity_inputs
from report_study import changed

from propensity_study import EVEN, UNEVEN
from refusal_parity.outcomes import Outcome
from refusal_parity.report.page import render_page
from refusal_parity.report.propensity import ratios_table
from refusal_parity.report.results import differences_table
from refusal_parity.report.summary import summary_lines
from refusal_parity.report.weighed_wording import (
    learnt_sentences,
    weighed_sentences,
    would_bring,
)
from refusal_parity.report.wording import statement
from refusal_parity.tables import Pilots, Prompts, PropensityLevels, StudyDesign, Weighed, filled
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs


@pytest.fixture(scope="module")
def inputs(root: Path) -> ReportInputs:
    return propensity_inputs(
        root,
        outcomes=["refusal", "weighed_refusal"],
        primary_family={"outcome": "weighed_refusal", "dimension": "group"},
    )


def test_a_weighed_rate_is_answered_for_in_points(inputs: ReportInputs) -> None:
    assert inputs.questions[0] is Outcome.WEIGHED_REFUSAL
    assert inputs.outcome is Outcome.REFUSAL
    found = statement(inputs, EVEN, Outcome.WEIGHED_REFUSAL, "group")
    assert "5.0 points" in found.lead
    # The margin takes in the whole rate, which is some 1 %.
    assert any("times as often" in each for each in found.details)
    assert "which is more than its rate of" in "".join(summary_lines(inputs, "results/report.html"))
    table = differences_table(inputs, Outcome.WEIGHED_REFUSAL, "group")
    assert "Refusal, weighed by group (primary family)" in table.caption
    assert len(table.rows) == 12


def test_the_page_says_what_weighed_rates_rest_on(inputs: ReportInputs) -> None:
    first, second = weighed_sentences(inputs)
    assert first.startswith(f"Weighed rates of {EVEN} rest on 1,680 ordinary draws of 560 prompts,")
    assert "that were given an opening of the tree and drawn to the end" in first
    assert "no label" not in first
    some = pl.col("model") == UNEVEN
    one = some & pl.col("prompt_id").is_first_distinct().over("model")
    rows = inputs[Weighed].with_columns(
        continued=pl.when(some).then(3).otherwise(0),
        continued_refusals=pl.when(some).then(1).otherwise(0),
        continued_unlabelled=pl.when(one).then(1).otherwise(0),
    )
    lost = changed(inputs, weighed=rows)
    first, second = weighed_sentences(lost)
    assert "and on none that was given an opening." in first
    assert "have no label; each of these counts as the share of refusals" in second


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ({}, None),
        ({"muslim": 1}, None),
        (
            {"muslim": 10, "white": 1},
            "Of the responses that were given an opening, 50.0 % for muslim names",
        ),
        (dict.fromkeys(["muslim", "white", "chinese"], 20), "100.0 % for white names"),
    ],
)
def test_a_weighed_difference_says_of_whom_openings_have_no_label(
    inputs: ReportInputs, lost: dict[str, int], said: str | None
) -> None:
    """They count as others do, so that what is planted here would vanish without a word."""
    group = inputs[Prompts].select("prompt_id", "group")
    first = pl.col("prompt_id").is_first_distinct().over("model", "group")
    number = pl.col("group").replace_strict(lost, default=0, return_dtype=pl.Int64)
    rows = inputs[Weighed].join(group, on="prompt_id", maintain_order="left").with_columns(
        continued=pl.when(first).then(20).otherwise(0),
        continued_refusals=pl.lit(0),
        continued_unlabelled=pl.when(first).then(number).otherwise(0),
    )  # fmt: skip
    told = changed(inputs, weighed=rows.drop("group"))
    details = statement(told, UNEVEN, Outcome.WEIGHED_REFUSAL, "group").details
    found = [each for each in details if "have no label. Each counts as the share" in each]
    assert len(found) == (said is not None)
    assert all((said or "") in each for each in found)
    rates = statement(told, UNEVEN, Outcome.REFUSAL, "group").details
    assert not any("given an opening" in each for each in rates)


def test_the_page_says_what_people_make_of_weighed_rates(inputs: ReportInputs) -> None:
    """Nobody's labels, too few, and enough: three sentences, the last with its interval."""
    first, _ = weighed_sentences(inputs)
    assert first.endswith(
        "no people's labels correct them: snakemake draw_human_sample draw_leaf_sample writes what "
        "people are to label."
    )
    mine = pl.col("model") == EVEN
    read = inputs[PropensityLevels].with_columns(
        human_labels=pl.when(mine).then(41).otherwise(12),
        human_leaf_labels=pl.when(mine).then(9).otherwise(1),
        corrected_rate=pl.when(mine).then(0.0123),
        corrected_low=pl.when(mine).then(0.004),
        corrected_high=pl.when(mine).then(0.031),
        corrected_note=pl.when(~mine).then(pl.lit("8 more human labels needed in all")),
    )
    told = changed(inputs, propensity_levels=read)
    enough, few = weighed_sentences(told)
    assert "People labelled 41 responses of a probability sample, 9 of which were given" in enough
    assert "the rate over all prompts is 1.2 % (95 % interval 0.40 % to 3.1 %) instead" in enough
    assert "1 of which was given its opening. They do not correct weighed rates: 8 more" in few
    table = ratios_table(told)
    headings = [heading for heading, _ in table.columns]
    at = headings.index("Corrected rate")
    assert headings[at + 1] == "95 % interval of it"
    assert {str(row[at + 1].text) for row in table.rows} == {"0.40 % to 3.1 %", ""}
    assert "Corrected rate" not in [heading for heading, _ in ratios_table(inputs).columns]


def test_the_page_says_what_weighing_would_bring(inputs: ReportInputs) -> None:
    """Of what was estimated, of what was not, and nothing of what has no such rows."""
    assert would_bring(inputs) == []
    assert "can weigh the first words" not in render_page(inputs)
    key = {
        "outcome": "weighed_refusal", "dimension": "group", "names": 8.0, "reference_names": 8.0,
        "templates": 32.0, "samples": 3.0, "alpha": 0.05, "power": 0.8, "rate": 0.0045,
    }  # fmt: skip
    wide = key | {"scope": str(Scope.NEW_NAMES_AND_TEMPLATES)}
    narrow = key | {"scope": str(Scope.NEW_NAMES)}
    asked = {"short_requests": 11_200.0, "continuations": 280.0, "weighing_tokens": 82_880.0}
    rows = [{"model": model, "quantity": each, "value": value} | narrow
            for model in (EVEN, UNEVEN) for each, value in asked.items()]  # fmt: skip
    for names, drawn, weighed in ((8.0, 0.012, 0.0041), (4.0, 0.017, 0.0056)):
        rows += [
            {"model": EVEN, "quantity": "half_width_drawn", "value": drawn} | wide,
            {"model": EVEN, "quantity": "half_width_weighed", "value": weighed} | wide,
            # Narrower, and for these templates alone: not what is promised.
            {"model": EVEN, "quantity": "half_width_drawn", "value": 0.001} | narrow,
            {"model": EVEN, "quantity": "half_width_weighed", "value": 0.0001} | narrow,
        ]
        for row in rows[-4:]:
            row["names"] = names
    rows += [
        {"model": UNEVEN, "quantity": each, "note": "not estimable: nobody <b>knows</b>"} | wide
        for each in ("half_width_drawn", "half_width_weighed")
    ]
    told = changed(inputs, design=filled(pl.DataFrame(rows), StudyDesign, where="test"))
    first, second = would_bring(told)
    assert first == (
        f"{EVEN}: refusals are rare (0.45 % of the responses), and the engine can weigh the "
        "first words of a response (sampling.openings: weigh). With the variances that this "
        "study shows, 95 % intervals of a single difference of rates would reach 0.41 to 0.56 "
        "points to each side instead of 1.2 to 1.7, if 5 % of its refusals open otherwise than "
        "those to other templates; how many do, only weighing can tell. It would take about "
        "11,200 requests of one token and 280 responses that are given an opening, at most 82,880 "
        "tokens."
    )
    assert second.endswith("What that would bring is not known: nobody <b>knows</b>.")
    assert "nobody &lt;b&gt;knows" in render_page(told)


def test_the_page_says_what_trees_were_learnt_from(inputs: ReportInputs) -> None:
    counts = {"responses": 1680, "refusals": 9, "unlabelled": 3, "shared": 0, "note": None}
    rows = [
        {"model": EVEN, "study": None, "model_there": EVEN} | counts,
        {"model": UNEVEN, "study": "first", "model_there": "<b>"} | counts | {"shared": 40},
    ]
    told = changed(inputs, pilot=filled(pl.DataFrame(rows), Pilots, where="test"))
    own, earlier = learnt_sentences(told)
    assert own == (
        f"The openings of {EVEN} were learnt from 1,680 labelled responses of this study, 9 of "
        "which refuse; 3 responses without a label are left out."
    )
    assert "of the earlier study first, where the model is called <b>, 9 of which" in earlier
    assert "; 40 are to templates that this study has too, which are weighed without" in earlier
