"""What an arm changes, of each group and of all: estimates, tests, and limits by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from refusal_parity.statistics.arm_changes import (
    ArmMeans,
    change_of,
    change_of_all,
    difference_of_changes,
)
from refusal_parity.statistics.pairing import STILL
from refusal_parity.statistics.variances.effective import effective_of_rates
from refusal_parity.statistics.variances.level_means import contrast
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW = Scope.NEW_NAMES_AND_TEMPLATES


def changed(rates: Sequence[float], seed: int = 1, names: int = 6) -> pl.DataFrame:
    """Prompts of two groups of names and 10 templates, some responses to each.

    Args:
        rates: of x with the arm and without it, and of y.
        seed: of the responses.
        names: of each group.
    """
    random = np.random.default_rng(seed)
    rows = []
    for group, with_, without in (("x", *rates[:2]), ("y", *rates[2:])):
        for name in range(names):
            for at in range(10):
                one, other = random.binomial(4, with_) / 4, random.binomial(4, without) / 4
                rows.append(
                    {
                        "name_id": f"{group}{name}", "template_id": f"t{at}", "text_id": f"t{at}",
                        "group": group, "gender": None if at == 0 else "man", "change": one - other,
                        "n_with": 4, "n_without": 5,
                    }
                )  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize("rates", [(0.1, 0.3, 0.5, 0.1), (0.95, 0.6, 0.02, 0.3)], ids=str)
def test_the_test_says_what_the_interval_says(rates: tuple[float, ...]) -> None:
    """p is below alpha exactly where the interval at 1 - alpha leaves 0 out, on either side."""
    means = ArmMeans.of(changed(rates), "group")
    assert means is not None
    for weights in np.eye(2):
        first = change_of(means, weights, NEW, 0.05)
        assert first is not None
        p = first["p_value"]
        assert 0 < p < 1
        for alpha, outside in ((min(p * 1.02, 0.999), True), (p * 0.98, False)):
            row = change_of(means, weights, NEW, alpha)
            assert row is not None
            assert (row["ci_low"] > 0 or row["ci_high"] < 0) is outside
            assert row["p_value"] == p
        # At the quantile that the statistic is, of t with the degrees of freedom told.
        assert p == pytest.approx(2 * t.sf(abs(first["statistic"]), first["df"]))
        assert np.sign(first["statistic"]) == np.sign(first["estimate"])


def test_differences_of_changes_are_antisymmetric_and_agree_with_their_test() -> None:
    means = ArmMeans.of(changed((0.6, 0.3, 0.1, 0.3)), "group")
    assert means is not None
    one = difference_of_changes(means, 0, 1, NEW, 0.05)
    other = difference_of_changes(means, 1, 0, NEW, 0.05)
    assert one is not None
    assert other is not None
    frame = changed((0.6, 0.3, 0.1, 0.3))
    by_group = {key[0]: part["change"].mean() for key, part in frame.group_by("group")}
    assert one["estimate"] == pytest.approx(by_group["x"] - by_group["y"])
    assert other["estimate"] == pytest.approx(-one["estimate"])
    assert (other["ci_low"], other["ci_high"]) == pytest.approx((-one["ci_high"], -one["ci_low"]))
    assert other["p_value"] == pytest.approx(one["p_value"])
    p = one["p_value"]
    for alpha, outside in ((p * 1.02, True), (p * 0.98, False)):
        row = difference_of_changes(means, 0, 1, NEW, alpha)
        assert row is not None
        assert (row["ci_low"] > 0) is outside


def test_prompts_without_a_level_count_where_levels_are_not_set_apart() -> None:
    frame = changed((0.3, 0.2, 0.4, 0.1))
    whole, men = ArmMeans.of(frame, None), ArmMeans.of(frame, "gender")
    assert whole is not None
    assert men is not None
    assert (whole.levels, men.levels) == (("all",), ("man",))
    # The fewer of four responses with the arm and five without it.
    assert whole.responses.tolist() == [4.0 * frame.height]
    assert men.responses.tolist() == [4.0 * frame.height * 0.9]
    assert whole.change.mean[0] == pytest.approx(frame["change"].mean())
    kept = frame.filter(pl.col("template_id") != "t0")
    assert men.change.mean[0] == pytest.approx(kept["change"].mean())
    assert men.parts[0].mean[0] == pytest.approx(kept["change"].clip(0, 1).mean())
    assert men.parts[1].mean[0] == pytest.approx((-kept["change"]).clip(0, 1).mean())
    # 12 names and 9 templates: the fewer are what limits how much the rates can be known.
    assert men.units.tolist() == [9.0]


def test_sizes_are_of_their_levels_whatever_the_order_of_rows() -> None:
    frame = changed((0.3, 0.2, 0.4, 0.1))
    unlike = frame.filter((pl.col("group") == "x") | (pl.col("name_id") < "y3"))
    for rows in (unlike, unlike.reverse()):
        means = ArmMeans.of(rows, "group")
        assert means is not None
        assert means.levels == ("x", "y")
        assert means.responses.tolist() == [4.0 * 60, 4.0 * 30]
        assert means.units.tolist() == [6.0, 3.0]


def _apart(ours: float, others: float, together: float) -> float:
    return float(np.sqrt(ours**2 + others**2 - 2 * together * ours * others))


def _together(ours: float, others: float, difference: float) -> float:
    """Correlation of two estimates, from their variances and that of their difference."""
    return float(np.clip((ours + others - difference) / (2 * np.sqrt(ours * others)), -1, 1))


def _reach(means: ArmMeans, at: int, quantile: float, asked: list[int]) -> tuple[float, float]:
    """How far the limits of a level's change lie below and above, by Wilson's and MOVER.

    Args:
        means: of two levels.
        at: the level.
        quantile: of t.
        asked: levels whose parts are in one pool.
    """
    one = np.eye(2)[at]
    whole = contrast(means.change, one, NEW)
    every = [[contrast(part, each, NEW) for each in np.eye(2)] for part in means.parts]
    assert whole is not None
    rates = np.array([[each.mean @ weight for weight in np.eye(2)] for each in means.parts])
    variance = np.array([[each.std_error**2 if each else 0 for each in part] for part in every])
    n, units = np.tile(means.responses[asked], 2), np.tile(means.units[asked], 2)
    p, v = rates[:, asked].ravel(), variance[:, asked].ravel()
    worth = effective_of_rates(n, n * p, v, units, np.zeros(n.size, dtype=np.intp))
    worth = worth.reshape(2, -1)[:, asked.index(at)]
    rate, (added, taken) = rates[:, at], variance[:, at]
    a = quantile**2 / worth
    middle = (rate + a / 2) / (1 + a)
    half = np.sqrt(rate * (1 - rate) * a + a**2 / 4) / (1 + a)
    below, above = rate - (middle - half), middle + half - rate
    r = _together(added, taken, whole.std_error**2)
    assert abs(r) > 0.02
    return _apart(below[0], above[1], r), _apart(above[0], below[1], r)


@pytest.mark.parametrize(
    ("rates", "seed"),
    # In the last, one part of each change is worth all responses of its level.
    [((0.4, 0.3, 0.5, 0.3), 4), ((0.9, 0.6, 0.3, 0.4), 4), ((0.9, 0.6, 0.3, 0.4), 2)],
    ids=str,
)
def test_limits_of_changes_and_their_differences_by_hand(
    rates: tuple[float, ...], seed: int
) -> None:
    """Newcombe's from Wilson's limits of both parts, with the correlation of their estimates."""
    means = ArmMeans.of(changed(rates, seed=seed), "group")
    assert means is not None
    for at, weights in enumerate(np.eye(2)):
        found = change_of(means, weights, NEW, 0.1)
        assert found is not None
        below, above = _reach(means, at, float(t.isf(0.05, found["df"])), [at])
        assert found["ci_low"] == pytest.approx(found["estimate"] - below)
        assert found["ci_high"] == pytest.approx(found["estimate"] + above)
    between = difference_of_changes(means, 0, 1, NEW, 0.1)
    assert between is not None
    quantile = float(t.isf(0.05, between["df"]))
    (below, above), (lower, higher) = (_reach(means, at, quantile, [0, 1]) for at in (0, 1))
    alone = [contrast(means.change, each, NEW) for each in np.eye(2)]
    ours, others = (each.std_error**2 for each in alone if each is not None)
    r = _together(ours, others, between["std_error"] ** 2)
    assert between["ci_low"] == pytest.approx(between["estimate"] - _apart(below, higher, r))
    assert between["ci_high"] == pytest.approx(between["estimate"] + _apart(above, lower, r))


def test_the_change_of_all_weighs_groups_by_their_prompts() -> None:
    """Six names and two; without an error of their own where a group has one name."""
    frame = changed((0.6, 0.2, 0.3, 0.4))
    few = frame.filter((pl.col("group") == "x") | (pl.col("name_id") < "y2"))
    means = ArmMeans.of(few, "group")
    assert means is not None
    within = change_of(means, np.array([0.75, 0.25]), NEW, 0.05)
    found = change_of_all(few, NEW, 0.05)
    assert found == within
    assert found is not None
    assert found["estimate"] == pytest.approx(few["change"].mean())
    single = frame.filter((pl.col("group") == "x") | (pl.col("name_id") == "y0"))
    whole = ArmMeans.of(single, None)
    assert whole is not None
    alone = change_of_all(single, NEW, 0.05)
    assert alone is not None
    assert alone == change_of(whole, np.ones(1), NEW, 0.05)


def test_without_a_prompt_of_any_level_there_are_no_means() -> None:
    nobody = changed((0.3, 0.2, 0.4, 0.1)).with_columns(gender=pl.lit(None, pl.String))
    assert ArmMeans.of(nobody, "gender") is None


def test_an_arm_that_changes_nothing_on_average_has_p_of_1() -> None:
    frame = changed((0.3, 0.3, 0.3, 0.3))
    turned = frame.with_columns(-pl.col("change"), name_id=pl.col("name_id") + "'")
    means = ArmMeans.of(pl.concat([frame, turned]), None)
    assert means is not None
    row = change_of(means, np.ones(1), NEW, 0.05)
    assert row is not None
    assert row["estimate"] == pytest.approx(0, abs=1e-12)
    assert row["p_value"] == pytest.approx(1, abs=1e-6)
    assert row["ci_low"] == pytest.approx(-row["ci_high"], abs=1e-9)


@pytest.mark.parametrize(
    ("names", "expected"), [(6, {"estimate": 0.5, "note": STILL}), (1, None)], ids=["six", "one"]
)
def test_levels_that_differ_alike_everywhere_have_a_difference_alone(
    names: int, expected: dict[str, object] | None
) -> None:
    """Of one name each, nobody knows whether others differ as much."""
    of_template = 0.25 * pl.col("template_id").is_in(["t1", "t2"]).cast(pl.Float64)
    alike = changed((0.3, 0.3, 0.3, 0.3), names=names).with_columns(
        change=of_template + pl.when(pl.col("group") == "x").then(0.75).otherwise(0.25)
    )
    means = ArmMeans.of(alike, "group")
    assert means is not None
    assert difference_of_changes(means, 0, 1, NEW, 0.05) == expected
