from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import load_config
from refusal_parity.preference.measures import MEASURES
from refusal_parity.preference.places import NOBODY
from refusal_parity.report import ReportInputs, draw_all, summary_lines
from refusal_parity.report.audit import correctable_words
from refusal_parity.report.audit_tables import correctable_table
from refusal_parity.report.page import render_page
from refusal_parity.tables import GroupDifferences, GroupMeasures, Groups, PairLedger
from refusal_parity.text import interval, percent

if TYPE_CHECKING:
    from audits import MadeUp


def inputs_of(made: MadeUp, path: str = "pairs.jsonl") -> ReportInputs:
    study = {"study": "made-up", "preference": {"path": path, "format": "transcripts"}}
    return ReportInputs(
        config=load_config(study, where="test"),
        tables={
            PairLedger: made.ledger,
            Groups: made.groups,
            GroupMeasures: made.measures,
            GroupDifferences: made.differences,
        },
    )


@pytest.fixture(scope="module")
def page(planted: MadeUp) -> str:
    return render_page(inputs_of(planted))


def text_of(page: str) -> str:
    body = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split())).replace("\u00a0", " ")


def test_the_page_has_its_own_lead_and_sections(page: str) -> None:
    assert "Whom do the answers refuse that people prefer?" in page
    assert "Does a language model refuse" not in page
    assert re.findall(r'<section id="([a-z-]+)"', page) == [
        "answer", "groups", "labels", "pairs", "making", "downloads", "citing",
    ]  # fmt: skip


def test_the_answer_says_what_the_table_says(planted: MadeUp, page: str) -> None:
    row = planted.differences.filter(
        pl.col("measure") == "chosen_refuses",
        pl.col("group") == "muslim",
        pl.col("reference") == NOBODY,
    ).to_dicts()[0]
    said = text_of(page)
    assert "In 80 conversations that mention muslim, the preferred answer refused" in said
    assert f"({percent(row['mean_group'])} against {percent(row['mean_reference'])}; " in said
    assert f"95 % interval {interval(row['ci_low'], row['ci_high'])}" in said
    assert "Among requests that seem as harmful the difference is" in said
    assert "was shown for jewish, korean and mexican" in said


def test_every_measure_has_its_table(page: str) -> None:
    for measure in MEASURES:
        assert page.count(f"<summary>{measure.heading}</summary>") == 1


def test_the_figure_has_its_data_in_words(planted: MadeUp) -> None:
    [drawing] = draw_all(inputs_of(planted))
    assert drawing.kind == "groups"
    assert "muslim +" in drawing.alt


def test_groups_that_could_not_be_compared_are_counted(planted: MadeUp, page: str) -> None:
    between = planted.differences.filter(
        pl.col("reference") != NOBODY, pl.col("adjustment").cast(pl.String) == "none"
    )
    untested = between.filter(pl.col("p_value").is_null())
    notes = untested["note"].value_counts(sort=True)
    most, number = notes.row(0)
    assert 0 < len(untested) < len(between)
    said = f"Of {len(between):,} comparisons, as they are, {len(untested):,} could not be tested "
    assert f"{said}and are not listed: " in text_of(page)
    assert f"{most} ({number:,})" in text_of(page)
    # Where there is no table, a sentence stands in its place.
    numbers = ("p_value", "p_adjusted")
    nothing = planted.differences.with_columns(
        pl.when(pl.col("reference") == NOBODY).then(key).alias(key) for key in numbers
    )
    none = text_of(render_page(inputs_of(dataclasses.replace(planted, differences=nothing))))
    assert (
        f"against each other: Of {len(between):,} comparisons, as they are, {len(between):,} could"
        in none
    )


def test_nobody_labelled_is_said(page: str) -> None:
    said = text_of(page)
    assert "No person has labelled answers of this data yet" in said
    assert "take what the page says of harmful content for nothing" in said
    assert "Labelled by people" not in said
    assert "Corrected: by what people say" not in said


def test_what_people_make_of_a_difference_is_said(planted: MadeUp) -> None:
    is_it = (
        (pl.col("measure") == "chosen_refuses")
        & (pl.col("group") == "muslim")
        & (pl.col("reference") == NOBODY)
    )
    known = {
        "labelled": 120, "corrected": 0.125, "corrected_low": 0.01, "corrected_high": 0.24,
        "corrected_p_adjusted": 0.04,
    }  # fmt: skip
    differences = planted.differences.with_columns(
        *(pl.when(is_it).then(value).otherwise(name).alias(name) for name, value in known.items())
    )
    measures = planted.measures.with_columns(labelled=pl.lit(60, pl.Int64))
    said = text_of(
        render_page(
            inputs_of(dataclasses.replace(planted, differences=differences, measures=measures))
        )
    )
    assert (
        "Corrected by what people say of 120 pairs, it is +12.5 points (95 % interval 1.0 to 24.0; "
        "adjusted p = 0.040)."
    ) in said
    assert "Labelled by people" in said
    assert "Corrected: by what people say" in said
    lacking = planted.differences.with_columns(
        labelled=pl.lit(3, pl.Int64), corrected_note=pl.lit("17 more human labels needed in muslim")
    )
    said = text_of(render_page(inputs_of(dataclasses.replace(planted, differences=lacking))))
    assert "cannot correct it yet: 17 more human labels needed in muslim." in said


def test_which_groups_labels_are_too_few_for_is_said(planted: MadeUp) -> None:
    leading = pl.col("measure") == "chosen_refuses"
    people = planted.measures.with_columns(
        labelled=pl.when(leading & (pl.col("group") == "jewish"))
        .then(pl.col("n"))
        .otherwise(pl.lit(7, pl.Int64)),
        corrected=pl.when(leading & (pl.col("group") == "jewish")).then(0.25),
        pairs_wanted=pl.when(leading & (pl.col("group") == "muslim"))
        .then(pl.lit(13, pl.Int64))
        .when(leading & (pl.col("group") == NOBODY))
        .then(pl.lit(1, pl.Int64)),
    )
    inputs = inputs_of(dataclasses.replace(planted, measures=people))
    groups = people.filter(leading, pl.col("group").is_in([NOBODY, "all"]).not_()).height
    assert correctable_words(inputs) == (
        f"How often the preferred answer refused is corrected for 1 of {groups} groups (1 of them "
        "so small that all their pairs were read). No difference is corrected yet, for all groups "
        "are compared with conversations that mention nobody, and of these 1 more pair is wanted. "
        "All groups together want 13 more pairs at most; one that mentions two groups counts for "
        "both. What is rarer, such as harmful content, wants more (pairs_wanted in "
        "group_measures.parquet)."
    )
    table = correctable_table(inputs)
    assert table is not None
    texts = {row[0].text: [cell.text for cell in row[2:]] for row in table.rows}
    assert texts["muslim"] == ["7", "13"]
    assert texts["jewish"][1] == "0"
    nobody = inputs_of(planted)
    assert (correctable_words(nobody), correctable_table(nobody)) == ("", None)


def test_three_lines_for_the_terminal(planted: MadeUp, even: MadeUp) -> None:
    first, found, left_out = summary_lines(inputs_of(planted), Path("r/report.html"))
    assert first == "Report: r/report.html"
    assert "unadjusted: muslim +" in found
    assert "adjusted for harm: muslim +" in found
    assert left_out == "Left out: no pair; all 840 are analysed."
    assert "unadjusted: no difference shown" in summary_lines(inputs_of(even), Path("r"))[1]


def test_what_was_left_out_is_said(planted: MadeUp) -> None:
    ledger = planted.ledger.with_columns(
        n=pl.when(pl.col("case").cast(pl.String) == "tie").then(7).otherwise("n")
    )
    inputs = dataclasses.replace(inputs_of(planted), tables={PairLedger: ledger})
    assert summary_lines(inputs, Path("r"))[2] == (
        "Left out: 7 of 847 pairs: 7 (neither answer is preferred)."
    )


def test_answers_without_a_label_are_said(planted: MadeUp) -> None:
    share = pl.when(pl.col("measure") == "unlabelled", pl.col("group") == "all").then(0.25)
    measures = planted.measures.with_columns(mean=share.otherwise("mean"))
    inputs = inputs_of(dataclasses.replace(planted, measures=measures))
    said = (
        "no pair; all 840 are analysed; 210 pairs (25.0 %) with an answer too doubtful to label, "
        "which count only where that answer does not matter."
    )
    assert summary_lines(inputs, Path("r"))[2] == f"Left out: {said}"
    assert said in text_of(render_page(inputs))


def test_how_far_the_lexicon_can_be_trusted_is_said(planted: MadeUp) -> None:
    said = text_of(render_page(inputs_of(planted)))
    assert "muslim religion 80 0 0 16 of 16" in said
    assert "sikh religion 0 0 0 \u2013" in said


def test_a_length_is_said_in_words(planted: MadeUp) -> None:
    said = text_of(render_page(inputs_of(planted)))
    found = re.search(r"muslim, the preferred answer had ([0-9.]+) fewer words on average", said)
    row = planted.differences.filter(
        pl.col("measure") == "chosen_words", pl.col("group") == "muslim",
        pl.col("reference") == NOBODY,
    ).to_dicts()[0]  # fmt: skip
    assert found is not None
    assert float(found[1]) == pytest.approx(-row["estimate"], abs=0.05)
    # The interval counts in the direction of the sentence.
    ends = f"95 % interval {-row['ci_high']:.1f} to {-row['ci_low']:.1f}; adjusted"
    assert ends in said[found.start() :][:300]


def test_groups_without_a_test_are_further_ones_only_beside_others(page: str) -> None:
    said = text_of(page)
    assert "Preferred answer has harmful content 4 groups could not be tested: " in said
    assert "further group" not in said


def test_foreign_text_is_escaped(planted: MadeUp) -> None:
    evil = "<img src=x onerror=alert(1)>"
    made = dataclasses.replace(
        planted,
        groups=planted.groups.with_columns(pl.col("group").replace("muslim", evil)),
        measures=planted.measures.with_columns(pl.col("group").replace("muslim", evil)),
        differences=planted.differences.with_columns(pl.col("group").replace("muslim", evil)),
    )
    page = render_page(inputs_of(made, path=f"{evil}.jsonl"))
    assert "<img" not in page
    assert "onerror" in page
