"""Differences adjusted for covariates, against a dense regression with all its dummies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from matched_study import EVEN, PLANTED, Law, config, labelled, observed, prompts

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.methods.adjusted import adjusted

if TYPE_CHECKING:
    import numpy.typing as npt

    from refusal_parity.config import AnalysisConfig

    FloatArray = npt.NDArray[np.float64]

BIRTHS = {"covariates": ["births"]}
OF_NAMES = {"dimensions": {"group": {"reference": "north"}}} | BIRTHS


def row(
    seen: pl.DataFrame, analysis: AnalysisConfig, *, method: str = "ols_cr2_adjusted", **of: str
) -> dict[str, Any]:
    [found] = disparities(seen, analysis).filter(method=method, **of).to_dicts()
    return found


def dense(seen: pl.DataFrame, level: str, cluster: str) -> tuple[float, float]:
    """Estimate and CR2 variance of a level's contrast, with a column for everything."""
    seen = seen.sort("prompt_id")
    columns = [
        *((seen["group"] == each).to_numpy() for each in ("south", "east")),
        seen["births"].to_numpy(),
        *((seen["text_id"] == each).to_numpy() for each in seen["text_id"].unique().sort()),
    ]
    x = np.column_stack(columns).astype(np.float64)
    y = (seen["label"] == "refusal").to_numpy().astype(np.float64)
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    residual = y - x @ beta
    at = ("south", "east").index(level)
    variance = 0.0
    for key in seen[cluster].unique().sort():
        rows = (seen[cluster] == key).to_numpy()
        part = x[rows]
        values, vectors = np.linalg.eigh(np.eye(len(part)) - part @ bread @ part.T)
        scale = np.where(values > 1e-9, 1 / np.sqrt(np.where(values > 1e-9, values, 1)), 0)
        root = (vectors * scale) @ vectors.T
        variance += float((bread @ part.T @ root @ residual[rows])[at] ** 2)
    return float(beta[at]), variance


def test_numbers_are_those_of_the_regression_with_every_dummy() -> None:
    seen = observed(PLANTED, seed=5, names=5, sets=4)
    found = row(seen, config(**OF_NAMES), group="south", reference="north")
    (estimate, by_name), (_, by_text) = (
        dense(seen, "south", cluster) for cluster in ("name_id", "text_id")
    )
    assert found["estimate"] == pytest.approx(estimate)
    # The cells' part is small beside both, and taken away once.
    together = found["std_error"] ** 2
    assert max(by_name, by_text) * (1 - 1e-9) <= together <= by_name + by_text
    assert found["note"] == "adjusted for births"
    assert found["valid"]


def test_units_of_a_covariate_change_nothing() -> None:
    seen = observed(PLANTED, seed=6, names=5, sets=4)
    far = seen.with_columns(births=pl.col("births") * 1e-6 - 3.0)
    first, second = (
        row(each, config(**OF_NAMES), group="south", reference="north") for each in (seen, far)
    )
    for number in ("estimate", "std_error", "df", "p_value"):
        assert first[number] == pytest.approx(second[number], rel=1e-6)


def test_a_difference_that_a_covariate_makes_goes_with_it() -> None:
    # What groups differ in is births alone: three points for each.
    seen = observed(Law(base=0.1, name=0.0, text_group=0.0), seed=7, names=8, sets=30)
    by_births = np.random.default_rng(1).random(len(seen)) < 0.1 + 0.03 * seen["births"].to_numpy()
    seen = seen.with_columns(label=pl.Series(np.where(by_births, "refusal", "answer")))
    analysis = config(**OF_NAMES)
    plain, held = (
        row(seen, analysis, method=method, group="east", reference="north")
        for method in ("ols_cr2_two_way", "ols_cr2_adjusted")
    )
    assert plain["ci_low"] > 0
    assert held["ci_low"] <= 0 <= held["ci_high"]


def test_the_order_of_rows_changes_nothing() -> None:
    seen = observed(PLANTED, seed=12, names=5, sets=4)
    analysis = config(**OF_NAMES)
    first, second = (
        adjusted(each, "group", ["north", "south", "east"], Outcome.REFUSAL, analysis)
        for each in (seen, seen.sample(fraction=1.0, shuffle=True, seed=1))
    )
    for one, other in zip(first, second, strict=True):
        assert one.numbers == pytest.approx(other.numbers, rel=1e-9)


def test_names_whose_covariate_is_not_known_are_counted() -> None:
    seen = observed(EVEN, seed=8, names=5, sets=4).with_columns(
        births=pl.when(pl.col("name_id").is_in(["south1", "east0"])).then(None).otherwise("births")
    )
    found = row(seen, config(**OF_NAMES), group="south", reference="north")
    assert found["note"] == (
        "adjusted for births, without 2 names that it is not known of (1 of east, 1 of south)"
    )


def test_a_factor_within_sets_is_adjusted_for_what_templates_differ_in() -> None:
    analysis = config(
        dimensions={"group": {"reference": "north"}, "form": {"reference": "completion"}},
        covariates=["length", "births"],
    )
    seen = observed(EVEN, seed=9, names=4, sets=6)
    table = disparities(seen, analysis).filter(method="ols_cr2_adjusted")
    assert set(table.filter(dimension="group")["note"]) == {"adjusted for births"}
    # Here a form is as long as it is: the two say the same.
    [note] = set(table.filter(dimension="form")["note"])
    assert note.startswith("not estimable: levels and covariates cannot be told apart, or ")
    assert note.endswith("; adjusted for length")


def test_without_covariates_there_is_no_row() -> None:
    seen = observed(EVEN, seed=1, names=4, sets=4)
    assert disparities(seen, config()).filter(method="ols_cr2_adjusted").is_empty()


def test_errors_hold_where_nothing_differs() -> None:
    analysis = config(**OF_NAMES)
    alarms = [
        found.p_value < 0.05
        for seed in range(40)
        for found in adjusted(
            observed(EVEN, seed=seed, names=6, sets=8, analysis=analysis),
            "group",
            ["north", "south", "east"],
            Outcome.REFUSAL,
            analysis,
        )
        if found.p_value is not None and found.reference == "north"
    ]
    assert len(alarms) == 80
    # Of 1 in 20 there are more than 10 among 80 in one run of 200.
    assert sum(alarms) <= 10


def test_tokens_are_counted_by_the_model_itself() -> None:
    analysis = config(dimensions={"group": {"reference": "north"}}, covariates=["tokens"])
    table = prompts(names=5, sets=4)
    labels = labelled(table, PLANTED, seed=4)
    # The last two names of each group take a token more, whatever the template takes.
    more = pl.col("name_id").str.contains("[34]$").cast(pl.Int32)
    answered = table.select(
        "prompt_id",
        model=pl.lit("m"),
        sample=pl.lit(0, pl.Int32),
        prompt_tokens=more + pl.col("template").str.len_chars().cast(pl.Int32),
        response=pl.lit("Yes."),
    )
    seen = observe(table, labels, analysis, answered)
    by_name = dict(seen.select("name_id", "tokens").unique().iter_rows())
    assert by_name["south3"] - by_name["south1"] == pytest.approx(1.0)
    assert by_name["north0"] == pytest.approx(by_name["east2"])
    found = row(seen, analysis, group="south", reference="north")
    assert found["note"] == "adjusted for tokens"
    assert found["std_error"] > 0
    # Where nobody counted, that is said of every name.
    unknown = row(observe(table, labels, analysis), analysis, group="south", reference="north")
    assert unknown["estimate"] is None
    assert "without 15 names that it is not known of" in unknown["note"]
