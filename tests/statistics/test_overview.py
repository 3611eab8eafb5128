from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.rates import rates
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {
    "x": {"A": ["raa", "ara"], "B": ["raa", "aaa"]},
    "y": {"C": ["rrr", "rra"], "D": ["rrr", "raa"]},
    "z": {"E": ["---", "---"], "F": ["---", "---"]},
}


def test_models_side_by_side(study: Callable[..., pl.DataFrame]) -> None:
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={
            "group": DimensionConfig(reference="x"),
            "arm": DimensionConfig(reference="plain"),
        },
        permutations=99,
    )
    models = [study(NAMES, model=model) for model in ("second", "first")]
    tables = [(rates(model, config), disparities(model, config)) for model in models]
    frame = overview([each for each, _ in tables], [each for _, each in tables])
    assert frame.select("model", "dimension").rows() == [
        ("second", "group"),
        ("second", "arm"),
        ("first", "group"),
        ("first", "arm"),
    ]
    group, arm = frame.row(0, named=True), frame.row(1, named=True)
    assert (group["n"], group["rate"]) == (24, pytest.approx(12 / 24))
    assert (group["lowest_group"], group["highest_group"]) == ("x", "y")
    assert group["spread"] == pytest.approx(9 / 12 - 3 / 12)
    tested = tables[0][1].filter(dimension="group", method="permutation_names")
    assert group["p_value"] == tested["p_value"][0]
    few = "x and y have 2 names each, but a test takes at least 4"
    assert group["note"] == f"z has no response that counts (all empty); {few}"
    assert arm["p_value"] is None
    assert "no randomisation over names" in arm["note"]
    # One level alone has no lowest and highest rate that lie 0 apart.
    assert (arm["lowest_group"], arm["lowest_rate"]) == ("plain", pytest.approx(12 / 24))
    assert arm["spread"] is None


def made_up(rows: list[tuple[str, str, float | None]], *, within: str = "all") -> pl.DataFrame:
    """Rates of one model by outcome, group and rate."""
    frame = pl.DataFrame(rows, schema=["outcome", "group", "rate"], orient="row")
    return frame.with_columns(
        model=pl.lit("m"),
        dimension=pl.when(pl.col("group") == "all").then(pl.lit("all")).otherwise(pl.lit("group")),
        within=pl.lit(within),
        n=pl.lit(9, pl.Int64),
        ci_low=pl.lit(0.1),
        ci_high=pl.lit(0.9),
        note=pl.lit(None, pl.String),
    )


def disparities_of(rows: list[tuple[str, str, str, float]]) -> pl.DataFrame:
    """Disparities by outcome, method, scope and p."""
    frame = pl.DataFrame(rows, schema=["outcome", "method", "scope", "p_value"], orient="row")
    return frame.with_columns(
        model=pl.lit("m"), dimension=pl.lit("group"), note=pl.lit(None, pl.String)
    )


def test_of_equal_rates_the_first_in_the_alphabet_is_named() -> None:
    equal = [("all", 0.5), ("d", 0.75), ("b", 0.25), ("c", 0.75), ("a", 0.25), ("0", None)]
    rates_ = made_up([("refusal", group, rate) for group, rate in equal])
    elsewhere = made_up([("refusal", "z", 1.0)], within="harmless")
    names = ("refusal", "permutation_names_f", str(Scope.NEW_NAMES), 0.04)
    other = ("refusal", "wilson", str(Scope.NEW_NAMES), 0.9)
    # A mean length is no rate, and has no row here.
    length = ("answer_length", "permutation_names_f", str(Scope.NEW_NAMES), 0.7)
    frame = overview([pl.concat([rates_, elsewhere])], [disparities_of([other, names, length])])
    [row] = frame.iter_rows(named=True)
    assert (row["lowest_group"], row["highest_group"]) == ("a", "c")
    numbers = ("n", "rate", "lowest_rate", "highest_rate", "spread", "p_value")
    assert [row[each] for each in numbers] == [9, 0.5, 0.25, 0.75, 0.5, 0.04]
    assert row["note"] is None


def test_a_prompt_list_has_no_names_to_randomise() -> None:
    """That needs no note; of names that were not randomised there is one."""
    rates_ = made_up([("refusal", "all", 0.5), ("refusal", "a", 0.5)])
    for scope, note in (
        (Scope.NEW_PROMPTS, None),
        (Scope.NEW_NAMES, "no randomisation over names: levels are not a property of names"),
    ):
        [row] = overview(
            [rates_], [disparities_of([("refusal", "wilson", str(scope), 0.9)])]
        ).iter_rows(named=True)
        assert (row["p_value"], row["note"]) == (None, note)
