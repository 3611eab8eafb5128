"""Models against each other: against textbook tests where those say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t, ttest_1samp, ttest_ind

from refusal_parity.config import AnalysisConfig, DimensionConfig, ModelContrast
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.designs.model_weights import model_weights

if TYPE_CHECKING:
    from collections.abc import Callable

NEW_NAMES = "these templates, new names"
BOTH = "new templates and new names"
ESTIMANDS = ("rate_difference", "disparity_difference")


def config(**settings: Any) -> AnalysisConfig:
    return AnalysisConfig(
        outcomes=[Outcome.REFUSAL, Outcome.ANSWER_LENGTH],
        dimensions={"group": DimensionConfig(reference="x")},
        **settings,
    )


@pytest.fixture
def models(study: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    """Three models that refuse more and more, for y above all: 2 x 5 names, 4 templates."""
    random = np.random.default_rng(4)
    names = {group: random.uniform(0.1, 0.4, 5) for group in "xy"}

    def cell(chance: float) -> str:
        return "".join("r" if hit else "a" for hit in random.random(3) < chance)

    parts = []
    for step, model in enumerate(("small", "middle", "large")):
        groups = {
            group: {
                f"{group}{at}": [cell(rate + (0.1 + 0.1 * (group == "y")) * step) for _ in range(4)]
                for at, rate in enumerate(rates)
            }
            for group, rates in names.items()
        }
        parts.append(study(groups, model=model))
    return pl.concat(parts)


def differences(models: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    """Difference of two models' rates by group and name."""
    rates = models.group_by("group", "name_id", "model").agg(
        rate=(pl.col("label") == "refusal").mean()
    )
    wide = rates.pivot("model", index=["group", "name_id"], values="rate")
    return wide.select("group", d=pl.col(one) - pl.col(other))


def row(frame: pl.DataFrame, **key: Any) -> dict[str, Any]:
    found = frame.filter(outcome="refusal", **key)
    assert found.height == 1
    return found.row(0, named=True)


def test_new_names_has_the_errors_of_welch_on_paired_names(models: pl.DataFrame) -> None:
    # A doubling: the slope is the difference.
    series = {"size": {"small": 7.0, "large": 14.0}}
    frame = compare(models, config(model_series=series), ["small", "middle", "large"])
    by_name = differences(models, "large", "small")
    x, y = (by_name.filter(group=group)["d"].to_numpy() for group in "xy")
    theirs = ttest_ind(y, x, equal_var=False)
    slope = row(frame, contrast="size", estimand="disparity_trend", scope=NEW_NAMES)
    mine = row(frame, contrast="large - small", estimand=ESTIMANDS[1], scope=NEW_NAMES)
    for found in (slope, mine):
        assert found["estimate"] == pytest.approx(y.mean() - x.mean(), abs=1e-12)
        assert found["std_error"] == pytest.approx(slope["estimate"] / theirs.statistic, rel=1e-9)
        assert found["df"] == pytest.approx(theirs.df, rel=1e-9)
        assert found["n_prompts"] == 40
        assert (found["group"], found["reference"]) == ("y", "x")
    assert slope["statistic"] == pytest.approx(theirs.statistic, rel=1e-9)
    assert slope["p_value"] == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("scope", [NEW_NAMES, BOTH])
def test_limits_are_those_of_both_rates(models: pl.DataFrame, scope: str) -> None:
    """A model that refuses hardly anything: limits lean, and say the same as p."""
    rare = models.with_columns(
        label=pl.when((pl.col("model") == "small") & (pl.col("sample") > 0))
        .then(pl.lit("answer"))
        .otherwise("label")
    )
    frame = compare(rare, config(), ["small", "large"]).filter(scope=scope, outcome="refusal")
    for mine in frame.iter_rows(named=True):
        low, high = (abs(mine[end] - mine["estimate"]) for end in ("ci_low", "ci_high"))
        assert low != pytest.approx(high, rel=1e-3)
        assert (mine["p_value"] < 0.05) == (mine["ci_low"] > 0 or mine["ci_high"] < 0)
    whole = row(frame, estimand=ESTIMANDS[0])
    assert -1 <= whole["ci_low"] < whole["estimate"] < whole["ci_high"] <= 1


def test_rates_are_compared_within_groups_of_names(models: pl.DataFrame) -> None:
    frame = compare(models, config(), ["small", "middle", "large"])
    by_name = differences(models, "middle", "small")
    mine = row(frame, contrast="middle - small", estimand=ESTIMANDS[0], scope=NEW_NAMES)
    x, y = (by_name.filter(group=group)["d"].to_numpy() for group in "xy")
    assert mine["estimate"] == pytest.approx(by_name["d"].mean(), abs=1e-12)
    error = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / 5 / 4)
    assert mine["std_error"] == pytest.approx(error, rel=1e-9)
    assert mine["dimension"] == "all"


def test_one_level_is_the_paired_t_test(models: pl.DataFrame) -> None:
    one = models.filter(pl.col("group") == "x")
    series = {"size": {"small": 7.0, "large": 14.0}}
    frame = compare(one, config(model_series=series), ["small", "large"])
    by_name = differences(one, "large", "small")["d"].to_numpy()
    mine = row(frame, contrast="size", estimand="rate_trend", scope=NEW_NAMES)
    assert mine["p_value"] == pytest.approx(ttest_1samp(by_name, 0).pvalue, rel=1e-9)


def test_trend_is_the_slope_over_doublings(models: pl.DataFrame) -> None:
    series = {"size": {"small": 7.0, "middle": 14.0, "large": 28.0}}
    frame = compare(models, config(model_series=series), ["small", "middle", "large"])
    trend = row(frame, contrast="size", estimand="rate_trend", scope=BOTH)
    rates = models.group_by("model").agg(rate=(pl.col("label") == "refusal").mean())
    by_model = dict(rates.iter_rows())
    # Three equal steps: the slope is half the difference of the ends.
    assert trend["estimate"] == pytest.approx(
        (by_model["large"] - by_model["small"]) / 2, abs=1e-12
    )
    assert trend["model"] is None
    assert row(frame, contrast="size", estimand="disparity_trend", scope=BOTH)["estimate"] > 0


def test_no_slope_goes_beyond_what_rates_can_differ_by(
    study: Callable[..., pl.DataFrame],
) -> None:
    """Of a quarter of a doubling, rates that go from 0 to 1 make 4."""
    sizes = {"small": 8.0, "large": 8.0 * 2**0.25}
    said = {"small": {"x": "rrra", "y": "aarr"}, "large": {"x": "aaar", "y": "rraa"}}
    few = pl.concat(
        study(
            {
                group: {f"{group}{at}": [label] for at, label in enumerate(labels)}
                for group, labels in of_groups.items()
            },
            model=model,
        )
        for model, of_groups in said.items()
    )
    frame = compare(few, config(model_series={"size": sizes}), list(sizes))
    for estimand, farthest in (("rate_trend", 4.0), ("disparity_trend", 8.0)):
        found = row(frame, contrast="size", estimand=estimand, scope=NEW_NAMES)
        half = t.isf(0.025, found["df"]) * found["std_error"]
        by_t = found["estimate"] - half, found["estimate"] + half
        assert max(map(abs, by_t)) > farthest
        within = [min(max(end, -farthest), farthest) for end in by_t]
        assert [found["ci_low"], found["ci_high"]] == pytest.approx(within)


def test_configured_contrasts_replace_the_first_model(models: pl.DataFrame) -> None:
    pairs = [ModelContrast(model="large", baseline="middle")]
    found = model_weights(config(model_contrasts=pairs), ["small", "middle", "large"])
    assert [each.key for each in found] == ["large - middle"]
    keys = [each.key for each in model_weights(config(), ["small", "middle", "large"])]
    assert keys == ["middle - small", "large - small"]
    assert compare(models, config(), ["small"]).is_empty()


def test_declared_contrasts_are_corrected_by_holm(models: pl.DataFrame) -> None:
    pairs = [
        ModelContrast(model=model, baseline=baseline)
        for model, baseline in (("middle", "small"), ("large", "middle"))
    ]
    series = {"size": {"small": 7.0, "middle": 14.0, "large": 28.0}}
    declared, not_declared = (
        compare(models, config(model_series=series, **more), ["small", "middle", "large"])
        for more in ({"model_contrasts": pairs}, {})
    )
    asked = declared.filter(
        pl.col("model").is_not_null(),
        outcome="refusal",
        estimand=ESTIMANDS[1],
        scope=BOTH,
    ).sort("p_value")
    assert set(asked["family"]) == {
        f"declared contrasts of models: refusal, {ESTIMANDS[1]}, {BOTH}"
    }
    low, high = asked["p_value"]
    assert asked["p_adjusted"].to_list() == pytest.approx([min(2 * low, 1), max(2 * low, high)])
    others = declared.filter(pl.col("model").is_null())
    assert others["family"].drop_nulls().str.starts_with("between models: ").all()
    assert not_declared["family"].drop_nulls().str.starts_with("between models: ").all()


def test_only_prompts_of_every_model_are_paired(models: pl.DataFrame) -> None:
    lost = (pl.col("model") == "large") & pl.col("prompt_id").str.starts_with("x0")
    fewer = models.with_columns(label=pl.when(~lost).then("label"))
    frame = compare(fewer, config(), ["small", "large"])
    assert frame["n_prompts"].unique().to_list() == [36]


@pytest.mark.parametrize("equal", [True, False], ids=["one model twice", "none refused"])
def test_models_that_do_the_same_differ_by_nothing(
    models: pl.DataFrame,
    equal: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    if equal:
        small = models.filter(model="small")
        models = pl.concat([small, small.with_columns(model=pl.lit("large"))])
    else:
        models = models.with_columns(label=pl.lit("answer"))
    frame = compare(models, config(), ["small", "large"])
    assert frame.height >= 4
    assert (frame["estimate"] == 0).all()
    assert frame["p_value"].is_null().all()
    assert set(frame["note"]) == {"the same rate in every prompt"}


@pytest.mark.parametrize(("groups", "estimate"), [("y", -1.0), ("xy", 0.0)])
def test_models_that_differ_alike_in_all_prompts(
    models: pl.DataFrame, groups: str, estimate: float
) -> None:
    # The small one refuses everything, of one group or of both; the large one nothing.
    refused = (pl.col("model") == "small") & pl.col("group").is_in(list(groups))
    label = pl.when(refused).then(pl.lit("refusal")).otherwise(pl.lit("answer"))
    frame = compare(models.with_columns(label=label), config(), ["small", "large"])
    mine = row(frame, estimand=ESTIMANDS[1], scope=BOTH)
    assert (mine["estimate"], mine["p_value"]) == (estimate, None)
    assert mine["note"].startswith("models differ alike in all prompts of a level")


def test_nothing_to_compare_says_so(models: pl.DataFrame) -> None:
    change = pl.when(pl.col("model") == "large").then(None).otherwise("label")
    frame = compare(models.with_columns(label=change), config(), ["small", "large"])
    assert frame.height >= 2
    assert frame["estimate"].is_null().all()
    assert frame["note"].str.contains("not estimable: ").all()


@pytest.mark.parametrize("level", ["x", "y"])
def test_a_level_that_a_model_lost_whole_says_so(models: pl.DataFrame, level: str) -> None:
    lost = (pl.col("model") == "large") & (pl.col("group") == level)
    frame = compare(
        models.with_columns(label=pl.when(~lost).then("label")), config(), ["small", "large"]
    )
    mine = row(frame, estimand=ESTIMANDS[1], scope=BOTH)
    assert (mine["estimate"], mine["p_value"]) == (None, None)
    assert mine["note"] == f"not estimable: no prompt of {level} has every model"


def test_levels_of_three_names_differ_between_models_without_a_test(models: pl.DataFrame) -> None:
    """Within one model they have no test either; rates over all names do."""
    few = models.filter(~pl.col("name_id").is_in(["y0", "y1"]))
    frame = compare(few, config(), ["small", "middle", "large"])
    disparities = frame.filter(outcome="refusal", estimand="disparity_difference")
    assert disparities["estimate"].null_count() == 0
    for column in ("ci_low", "ci_high", "p_value", "p_adjusted", "family"):
        assert disparities[column].null_count() == disparities.height
    assert set(disparities["note"]) == {"y has 3 names, but a test takes at least 4"}
    rates = frame.filter(outcome="refusal", estimand="rate_difference")
    assert rates["p_value"].null_count() == 0
