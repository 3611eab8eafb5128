from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, t
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.outcome_columns import with_outcome
from refusal_parity.statistics.proportions import wilson
from refusal_parity.statistics.rates import rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_numbers import ReferenceStudy

    Study = Callable[..., pl.DataFrame]

MIXED = ["raa", "ara", "rra", "aaa"]
OTHER = ["rrr", "rra", "ara", "aar"]


@pytest.mark.parametrize("alpha", [0.05, 0.2])
@pytest.mark.parametrize(("k", "n"), [(0, 30), (30, 30), (1, 3), (7, 96)])
def test_wilson(k: int, n: int, alpha: float) -> None:
    mine = wilson(np.array([float(k)]), np.array([float(n)]), alpha)
    low, high = proportion_confint(k, n, alpha=alpha, method="wilson")
    assert (mine.low[0], mine.high[0]) == pytest.approx((low, high), abs=1e-12)


def config(alpha: float = 0.05) -> AnalysisConfig:
    return AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={"group": DimensionConfig(reference="x")},
        alpha=alpha,
    )


def test_clustered_error_is_that_of_a_regression(reference_study: ReferenceStudy) -> None:
    labelled = with_outcome(reference_study.observations, Outcome.REFUSAL)
    for (group,), rows in labelled.group_by("group"):
        clusters = np.column_stack(
            [codes_of(rows[key].to_numpy().astype(str)) for key in ("name_id", "template_id")]
        )
        y = rows["refusal"].cast(pl.Float64).to_numpy()
        fit = OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": clusters})
        mine = reference_study.rates.filter(
            outcome="refusal", dimension="group", group=group, within="all"
        ).row(0, named=True)
        assert mine["std_error"] == pytest.approx(fit.bse[0], rel=1e-10)


def test_interval_is_wilson_s_at_the_effective_number_of_responses(
    reference_study: ReferenceStudy,
) -> None:
    """By the formulas of docs/method.md, group by group."""
    labelled = with_outcome(reference_study.observations, Outcome.REFUSAL)
    found = {}
    for (group,), rows in labelled.group_by("group"):
        y = rows["refusal"].cast(pl.Float64).to_numpy()
        parts = []
        for keys in (["name_id"], ["template_id"], ["name_id", "template_id"]):
            sums = (
                rows.with_columns(left=pl.Series(y - y.mean()))
                .group_by(keys)
                .agg(pl.col("left").sum())["left"]
                .to_numpy()
            )
            parts.append((len(sums) / (len(sums) - 1) * (sums**2).sum() / len(y) ** 2, len(sums)))
        (names, m), (templates, t_count), (cells, _) = parts
        whole = max(names + templates - cells, names, templates)
        df = whole**2 / (names**2 / (m - 1) + (whole - names) ** 2 / (t_count - 1))
        found[group] = (y.mean(), len(y), whole, df)
    spread = sum(p * (1 - p) for p, *_ in found.values())
    design_effect = sum(n * whole for _, n, whole, _ in found.values()) / spread
    for group, (p, n, whole, df) in found.items():
        variance = (whole + design_effect * p * (1 - p) / n) / 2
        effective = min(n, p * (1 - p) / variance)
        low, high = proportion_confint(
            p * effective, effective, alpha=2 * norm.sf(t.isf(0.025, df)), method="wilson"
        )
        mine = reference_study.rates.filter(
            outcome="refusal", dimension="group", group=group, within="all"
        ).row(0, named=True)
        assert (mine["ci_low"], mine["ci_high"]) == pytest.approx((low, high), rel=1e-9)


def test_a_rate_of_0_has_an_interval(study: Study) -> None:
    frame = rates(
        study({"x": {"A": MIXED, "B": OTHER}, "never": {"C": ["aaa"] * 4, "D": ["aaa"] * 4}}),
        config(),
    )
    row = frame.filter(dimension="group", within="all", group="never").row(0, named=True)
    assert (row["rate"], row["ci_low"]) == (0, 0)
    # Wider than if its responses were independent.
    assert row["wilson_high"] < row["ci_high"] < 1


def test_breakdowns_are_those_with_levels(study: Study) -> None:
    frame = rates(study({"x": {"A": MIXED, "B": OTHER}, "y": {"C": OTHER}}), config())
    assert set(frame.select("dimension", "within").iter_rows()) == {
        ("all", "all"),
        ("group", "all"),
        ("template", "all"),
        ("name", "all"),
        ("sample", "all"),
        ("group", "template"),
        ("name", "group"),
    }


def test_every_breakdown_adds_up(reference_study: ReferenceStudy) -> None:
    # Gender may be missing for a group: what is counted by it is less than everything.
    genderless = pl.any_horizontal(pl.col("dimension", "within").is_in(["gender", "group_gender"]))
    totals = (
        reference_study.rates.filter(~genderless, outcome="refusal")
        .group_by("dimension", "within")
        .agg(pl.col("n").sum(), pl.col("k").sum())
    )
    labelled = with_outcome(reference_study.observations, Outcome.REFUSAL)["refusal"]
    assert set(totals.select("n", "k").iter_rows()) == {(len(labelled), labelled.sum())}
    assert totals.height > 5


@pytest.mark.parametrize("reference_study", ["complete", "released"], indirect=True)
def test_group_and_gender_together_are_groups_within_genders(
    reference_study: ReferenceStudy,
) -> None:
    numbers = ["rate", "k", "n", "ci_low", "ci_high"]
    refused = reference_study.rates.filter(outcome="refusal")
    within = refused.filter(dimension="group", within="gender").select(
        pl.concat_str("group", "within_group", separator=" "), *numbers
    )
    together = refused.filter(dimension="group_gender", within="all").select("group", *numbers)
    assert len(together) > 2
    assert together.sort("group").equals(within.sort("group"))


def test_names_written_alike_stand_by_their_keys(study: Study) -> None:
    observations = study({"x": {"A": MIXED}, "y": {"B": OTHER}}).with_columns(
        pl.lit("Same").alias("name")
    )
    frame = rates(observations, config()).filter(dimension="name", within="all")
    assert frame.select("group", "k").rows() == [("A", 4), ("B", 7)]


def test_why_an_interval_is_missing(study: Study) -> None:
    observations = study(
        {
            "one": {"A": MIXED},
            "same": {"B": ["aaa"] * 4, "C": ["aaa"] * 4},
            "unlabelled": {"D": ["---"] * 4, "E": ["---"] * 4},
            "x": {"F": MIXED, "G": OTHER},
        }
    )
    frame = rates(observations, config()).filter(dimension="group", within="all")
    notes = dict(frame.select("group", "note").iter_rows())
    assert notes == {
        "one": "one name: no clustered interval",
        "same": "names and templates do not differ: no standard error",
        "unlabelled": "no response that counts (all empty)",
        "x": None,
    }
    assert frame.select("group", "n", "rate", "wilson_high").row(2) == ("unlabelled", 0, None, None)
    assert frame.filter(pl.col("note").is_not_null())["std_error"].is_null().all()


def test_models_do_not_mix(study: Study) -> None:
    first = study({"x": {"A": MIXED, "B": OTHER}}, model="first")
    second = study({"x": {"A": OTHER, "B": OTHER}}, model="second")
    both = rates(pl.concat([first, second]), config())
    for alone in (first, second):
        model = alone["model"][0]
        assert both.filter(model=model).sort(pl.all()).equals(rates(alone, config()).sort(pl.all()))
