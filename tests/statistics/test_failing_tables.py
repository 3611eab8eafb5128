"""Each table whose solver is made to fail: it is written, and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest
from failing_solvers import ANALYSIS, REASON, STATISTICS, WORDS, failing, observed

from refusal_parity.statistics import failures
from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.lengths import lengths
from refusal_parity.statistics.losses.shares import bounds, losses
from refusal_parity.statistics.mixed_models import mixed_models
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.planning.table import measured_design, planned_design
from refusal_parity.statistics.rates import rates

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]


class Table(NamedTuple):
    """A table, the solver behind some of its rows, and the numbers that these rows lose."""

    make: Callable[[pl.DataFrame, Any], pl.DataFrame]
    place: str
    lost: tuple[str, ...]
    note: str = REASON
    said: tuple[str, ...] = ("m, group, refusal, ",)


def _selfcheck(observations: pl.DataFrame, say: Any) -> pl.DataFrame:
    return selfcheck(observations, ANALYSIS, say)


def _compare(observations: pl.DataFrame, say: Any) -> pl.DataFrame:
    return compare(observations, ANALYSIS, ["m", "other"], say)


def _with_losses(observations: pl.DataFrame) -> pl.DataFrame:
    """Every seventh response without a label."""
    lost = pl.int_range(pl.len()) % 7 == 0
    return observations.with_columns(label=pl.when(~lost).then("label"))


def _plan(observations: pl.DataFrame, say: Any) -> pl.DataFrame:
    prompts = observations.unique("prompt_id", maintain_order=True)
    return planned_design(prompts, ANALYSIS, samples=3, say=say)


TABLES = {
    "mixed models": Table(
        lambda seen, say: mixed_models(seen, ANALYSIS, say),
        "mixed_models.fit_mixed_model",
        ("estimate", "std_error", "statistic", "p_value"),
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "measured design": Table(
        lambda seen, say: measured_design(seen, ANALYSIS, say),
        "planning.table.components",
        ("value", "rate", "var_name"),
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "power": Table(
        lambda seen, say: measured_design(seen, ANALYSIS, say),
        "planning.rows.precision",
        ("value", "rate", "var_name"),
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "plan": Table(
        _plan, "planning.rows.precision", ("value", "rate"), said=("assumed, group, refusal, ",)
    ),
    "model of the self-check": Table(
        _selfcheck, "checking.selfcheck.fit_latent", ("false_positive_rate", "rate")
    ),
    "comparison": Table(
        _compare,
        "arm_changes.contrast",
        ("estimate", "std_error", "p_value"),
        said=("other - m, refusal, ", "other - m, group, refusal, "),
    ),
    "means of the comparison": Table(
        _compare,
        "arm_changes.level_means",
        ("estimate", "std_error", "p_value"),
        said=("other - m, refusal, ", "other - m, group, refusal, "),
    ),
    "influence": Table(
        lambda seen, say: influences(seen, ANALYSIS, say),
        "influence.p_values",
        ("p_value",),
        f"p-value {REASON}",
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "lengths": Table(
        lambda seen, say: lengths(seen, ANALYSIS, say),
        "lengths.mean_errors",
        ("std_error", "ci_low", "ci_high"),
        f"interval {REASON}",
        said=("m, all, answer_length, ", "m, group, answer_length, "),
    ),
    "losses": Table(
        lambda seen, say: losses(_with_losses(seen), ANALYSIS, say),
        "losses.shares.level_means",
        ("std_error", "ci_low", "p_value"),
        said=("m, group, left_out, ",),
    ),
    "bounds": Table(
        lambda seen, say: bounds(_with_losses(seen), ANALYSIS, say),
        "losses.shares.contrast",
        ("std_error", "ci_low", "p_value"),
        said=("m, group, refusal, lowest, ", "m, group, no_full_answer, highest, "),
    ),
    "rates": Table(
        lambda seen, say: rates(seen, ANALYSIS, say),
        "rates.mean_errors",
        ("std_error", "ci_low", "ci_high"),
        f"clustered interval {REASON}",
        said=("m, group, refusal, ",),
    ),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_whose_solver_fails_is_written(
    study: Study, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    case = TABLES[table]
    seen = observed(study, "m", "other") if case.make is _compare else observed(study, "m")
    before = case.make(seen, failures.unheard)
    monkeypatch.setattr(f"{STATISTICS}.{case.place}", failing)
    heard: list[str] = []
    after = case.make(seen, heard.append)
    assert not before["note"].fill_null("").str.contains("numerical failure").any()
    failed = after.filter(pl.col("note").fill_null("").str.starts_with(case.note))
    assert failed.height
    for column in case.lost:
        assert failed[column].null_count() == failed.height, column
    # What does not rest on the solver is as it was.
    kept = [
        column
        for column in after.columns
        if column not in {*case.lost, "note", "p_adjusted", "family"}
        and before[column].null_count() < before.height
    ]
    if before.height == after.height and table in {"influence", "lengths", "rates"}:
        assert after.select(kept).equals(before.select(kept))
    for start in case.said:
        assert any(line.startswith(start) and WORDS in line for line in heard), heard


def test_a_method_that_fails_in_the_self_check_leaves_the_others(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    observations = observed(study, "m")
    before = selfcheck(observations, ANALYSIS)
    monkeypatch.setattr(f"{STATISTICS}.fits.logistic_fits.fit_logistic", failing)
    heard: list[str] = []
    after = selfcheck(observations, ANALYSIS, heard.append)
    failed = pl.col("method").cast(pl.String).str.starts_with("glm")
    assert after.filter(~failed).equals(before.filter(~failed))
    rows = after.filter(failed)
    assert (rows["note"] == REASON).all()
    assert (rows["n_simulations"] == 0).all()
    methods = {"glm_cluster_name", "glm_cluster_template", "glm_cluster_two_way"}
    # Both patterns of variance fail.
    assert len(heard) == 2 * len(methods)
    assert all(line.startswith("m, group, refusal, self-check of glm") for line in heard)


def test_the_overview_carries_the_reason(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    observations = observed(study, "m")
    monkeypatch.setattr(f"{STATISTICS}.methods.randomisation.permutation_names", failing)
    found = overview([rates(observations, ANALYSIS)], [disparities(observations, ANALYSIS)])
    assert found.height == len(ANALYSIS.readings)
    assert found["p_value"].null_count() == found.height
    assert found["note"].str.contains(REASON, literal=True).all()
    assert found["rate"].null_count() == 0
