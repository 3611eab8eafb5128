from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import changed, written

from refusal_parity.report import quality
from refusal_parity.report.sections import readings
from refusal_parity.report.writing import read_inputs
from refusal_parity.statistics import validity
from refusal_parity.tables import Labels, Quality, conform, empty

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs


def _with_quality(inputs: ReportInputs) -> ReportInputs:
    rows = [
        {
            "model": "demo-even",
            "outcome": outcome,
            "dimension": dimension,
            "group": group,
            "n": 40,
            "n_names": 4,
            "n_templates": 3,
            "mean": mean,
            "ci_low": mean - 2,
            "ci_high": mean + 2,
        }
        for outcome, mean in (("caveat", 12.5), ("reading_grade", -1.5))
        for dimension, group in (("all", "all"), (inputs.dimension, "black"))
    ]
    table = pl.concat([empty(Quality), pl.DataFrame(rows)], how="diagonal_relaxed")
    return changed(inputs, quality=conform(table, Quality, where="test"))


def test_a_study_without_measures_shows_none(inputs: ReportInputs) -> None:
    assert quality.means_table(inputs) is None


def test_means_stand_with_their_errors_and_what_they_are(inputs: ReportInputs) -> None:
    given = _with_quality(inputs)
    table = quality.means_table(given)
    assert table is not None
    assert [row[4].text for row in table.rows] == ["12.5", "12.5", "\u22121.5", "\u22121.5"]
    caveats, grades = quality.sentences(given)
    assert caveats.startswith("Answers with a caveat: the answer limits what it says")
    for sentence in (caveats, grades):
        assert "a description and no finding" in sentence
        assert "691 answers" in sentence
    errors = quality.errors_table(given)
    assert len(errors.rows) == 2 * 7
    assert readings.SECTION.context(given)["quality"] is not None


def test_a_measure_known_well_enough_may_find(
    inputs: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validity, "WIDEST", 0.5)
    assert all(
        "differences may be findings" in each for each in quality.sentences(_with_quality(inputs))
    )


@pytest.mark.parametrize(("cut", "held"), [(True, True), (False, True), (True, False)])
def test_answers_that_were_cut_off_are_counted(
    inputs: ReportInputs, tmp_path: Path, *, cut: bool, held: bool
) -> None:
    given = _with_quality(inputs)
    answers = pl.col("label").cast(pl.String).eq_missing("answer") & pl.lit(cut)
    labels = given[Labels].with_columns(truncated=answers)
    given = changed(given, labels=labels)
    read = given if held else read_inputs(given.config, written(given, tmp_path))
    table = quality.means_table(read.with_tables({Quality: given[Quality]}))
    assert table is not None
    number = labels.filter("truncated").height
    assert (f"{number:,} full answers that were cut off are in none" in table.caption) == cut


def test_list_and_judge_stand_side_by_side(inputs: ReportInputs) -> None:
    given = _with_quality(inputs)
    read = pl.when(pl.col("outcome").cast(pl.String) == "caveat")
    judged = given[Quality].with_columns(
        n_judged=read.then(pl.lit(1200)),
        judged_mean=read.then(pl.lit(20.0)),
        measured_mean=read.then(pl.lit(12.5)),
        judge_agreement=read.then(pl.lit(0.9)),
        judge_kappa=read.then(pl.lit(0.41)),
    )
    *_, said = quality.sentences(changed(given, quality=conform(judged, Quality, where="test")))
    assert said == (
        "demo-even: of 1,200 answers that the judge read too, answers with a caveat are 20.0 % by "
        "the judge and 12.5 % by the list; both say the same of 90.0 % (kappa 0.41)."
    )
    assert len(quality.sentences(given)) == 2
