"""How differences vary from template to template: by hand, and in simulated studies."""

from __future__ import annotations

import math
import statistics
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from failing_solvers import REASON, failing
from programs import program_of
from scipy.stats import t

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.template_effects import FEWEST, template_effects
from refusal_parity.statistics.variances.across_templates import across_templates

DRAWS = Draws(999, 1)


def _rates(names: int, templates: int, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).binomial(3, 0.3, (1, names, templates)) / 3


def test_variance_is_that_of_an_analysis_of_variance() -> None:
    """Mean squares by hand, with an interaction of group and template that is known."""
    rates = _rates(10, 14)
    ours = np.arange(10) < 6
    found = across_templates(rates, ours, DRAWS, 0.05)
    y = rates[0]
    differences = y[:6].mean(axis=0) - y[6:].mean(axis=0)
    noise = 0.0
    for part in (y[:6], y[6:]):
        total = sum(
            (part[i, t] - part[i].mean() - part[:, t].mean() + part.mean()) ** 2
            for i in range(len(part))
            for t in range(14)
        )
        noise += total / ((len(part) - 1) * 13) / len(part)
    assert found.mean[0] == pytest.approx(differences.mean())
    assert found.variance[0] == pytest.approx(differences.var(ddof=1) - noise)
    assert (found.new_low[0], found.new_high[0]) == (differences.min(), differences.max())
    assert found.new_level == pytest.approx(13 / 15)


def by_loops(y: np.ndarray, size: int) -> tuple[float, float, float]:
    """The variance of differences over templates, the names' part of it, and the error of its log.

    One mean after the other, as the documentation says it.
    """
    names, templates = y.shape

    def spread(kept: list[int], over: list[int]) -> float:
        ours = [name for name in kept if name < size]
        others = [name for name in kept if name >= size]
        return statistics.variance(
            statistics.fmean(y[name, at] for name in ours)
            - statistics.fmean(y[name, at] for name in others)
            for at in over
        )

    every, all_of = list(range(names)), list(range(templates))
    noise = 0.0
    for part in (y[:size], y[size:]):
        rows, columns, whole = part.mean(axis=1), part.mean(axis=0), part.mean()
        residual = part - rows[:, None] - columns + whole
        noise += (residual**2).sum() / ((len(part) - 1) * (templates - 1)) / len(part)

    def jackknife(without: list[float]) -> float:
        logs = [math.log(each) for each in without]
        return (len(logs) - 1) * statistics.pvariance(logs)

    error = math.sqrt(
        jackknife([spread(every, [x for x in all_of if x != at]) for at in all_of])
        + jackknife([spread([x for x in every if x != at], all_of) for at in range(size)])
        + jackknife([spread([x for x in every if x != at], all_of) for at in range(size, names)])
    )
    return spread(every, all_of), float(noise), error


@pytest.mark.parametrize(
    ("effect", "rejects"), [(0.0, False), (0.6, True)], ids=["no variance", "variance"]
)
def test_the_interval_is_the_jackknife_s(effect: float, *, rejects: bool) -> None:
    random = np.random.default_rng(8)
    rates = random.normal(0, 0.2, (1, 9, 13))
    rates[0, :5] += effect * random.normal(size=13)
    found = across_templates(rates, np.arange(9) < 5, DRAWS, 0.1)
    spread, noise, error = by_loops(rates[0], 5)
    reach = math.exp(t.isf(0.05, 12) * error)
    assert bool(found.p_value[0] < 0.1) is rejects
    assert found.variance[0] == pytest.approx(spread - noise)
    assert found.low[0] == pytest.approx(max(spread / reach - noise, 0) if rejects else 0)
    assert found.high[0] == pytest.approx(spread * reach - noise)


def test_a_variance_that_is_far_below_what_names_make_of_it_is_none() -> None:
    # Two names of a group, whose profiles add up to nearly nothing.
    random = np.random.default_rng(2)
    profile = random.normal(0, 0.3, 14)
    rates = np.stack([profile, -profile, profile[::-1], -profile[::-1]])[None]
    rates = rates + random.normal(0, 0.002, rates.shape)
    found = across_templates(rates, np.arange(4) < 2, DRAWS, 0.05)
    assert found.variance[0] < 0
    assert (found.low[0], found.high[0]) == (0.0, 0.0)


def test_all_splits_of_the_names_are_compared() -> None:
    rates = _rates(8, 12, seed=9)
    ours = np.arange(8) < 4
    y = rates[0] - rates[0].mean(axis=1, keepdims=True)

    def squares(chosen: tuple[int, ...]) -> float:
        one = np.isin(np.arange(8), chosen)
        return float(((y[one].mean(axis=0) - y[~one].mean(axis=0)) ** 2).sum())

    all_splits = [squares(chosen) for chosen in combinations(range(8), 4)]
    expected = np.mean([each >= squares((0, 1, 2, 3)) - 1e-12 for each in all_splits])
    found = across_templates(rates, ours, DRAWS, 0.05).p_value[0]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("names", [(8, 8), (24, 24)], ids=["listed", "drawn"])
def test_the_order_of_names_and_templates_changes_nothing(names: tuple[int, int]) -> None:
    rates = _rates(sum(names), 20)
    ours = np.arange(sum(names)) < names[0]
    random = np.random.default_rng(2)
    order, other = random.permutation(sum(names)), random.permutation(20)
    first = across_templates(rates, ours, DRAWS, 0.05)
    second = across_templates(rates[:, order][:, :, other], ours[order], DRAWS, 0.05)
    assert first.p_value[0] == second.p_value[0]
    for key in ("mean", "variance", "low", "high", "new_low", "new_high"):
        np.testing.assert_allclose(getattr(first, key), getattr(second, key), atol=1e-12)


@pytest.mark.parametrize(
    ("spoil", "known"),
    [
        (np.zeros_like, [False, False]),
        (lambda rates: np.full_like(rates, 0.3), [False, False]),
        (lambda rates: np.where(np.arange(20) == 3, rates, 0.0), [True, False]),
    ],
    ids=["none", "constant", "one template"],
)
def test_what_does_not_vary_has_no_interval(spoil: Any, known: list[bool]) -> None:
    rates = spoil(_rates(10, 20))
    found = across_templates(rates, np.arange(10) < 5, DRAWS, 0.05)
    assert [np.isfinite(each[0]) for each in (found.p_value, found.high)] == known
    assert np.isfinite(found.variance[0])
    if not any(known):
        assert (found.variance[0], found.mean[0]) == pytest.approx((0.0, 0.0), abs=1e-12)


def _observations(names: int, templates: int, *, without: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(7)
    rows = [
        {
            "model": "m", "group": group, "name_id": f"{group}{name}", "template_id": f"t{at}",
            "text_id": f"t{at}", "label": "refusal" if random.random() < 0.3 else "answer",
            "arm": "plain",
        }
        for group in ("x", "y", "z")
        for name in range(names if group != "z" else 2)
        for at in range(templates)
        if not (group == "y" and name == 0 and at < without)
        for _ in range(2)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("templates", "without", "whole", "note"),
    [
        (24, 0, 24, None),
        (24, 3, 21, "3 templates without responses of every name"),
        (FEWEST, 0, FEWEST, "too few templates for an interval of a new one"),
        (FEWEST, 1, FEWEST - 1, f"fewer than {FEWEST} templates with all names"),
    ],
    ids=["whole", "gaps", "few", "fewer"],
)
def test_what_is_left_out_is_counted_and_what_is_missing_is_said(
    templates: int, without: int, whole: int, note: str | None
) -> None:
    analysis = AnalysisConfig.model_validate(
        {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}}
    )
    rows = template_effects(_observations(6, templates, without=without), analysis).to_dicts()
    by_group = {row["group"]: row for row in rows}
    first = by_group["y"]
    assert (first["templates"], first["left_out"]) == (whole, without)
    assert first["note"] is None if note is None else note in first["note"]
    assert (first["p_value"] is not None) == (whole >= FEWEST)
    assert "fewer than 4 names" in by_group["z"]["note"]
    assert by_group["z"]["sd"] is None


def test_numbers_are_those_of_the_responses() -> None:
    """Rates counted one by one, and a group whose responses have no label."""
    lost = pl.col("group") == "z"
    observations = _observations(6, 41).with_columns(
        label=pl.when(~lost).then("label"),
        filtered=pl.lit(value=False),
        exclusion=pl.when(lost).then(pl.lit("empty")),
    )
    analysis = AnalysisConfig.model_validate(
        {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}}
    )
    rows = {row["group"]: row for row in template_effects(observations, analysis).to_dicts()}
    refused: dict[tuple[str, str], list[bool]] = {}
    for row in observations.to_dicts():
        refused.setdefault((row["group"], row["template_id"]), []).append(row["label"] == "refusal")
    rates = {key: sum(each) / len(each) for key, each in refused.items()}
    differences = sorted(rates["y", f"t{at}"] - rates["x", f"t{at}"] for at in range(41))
    found = rows["y"]
    assert (found["group"], found["reference"]) == ("y", "x")
    assert found["estimate"] == pytest.approx(statistics.fmean(differences))
    assert (found["names_group"], found["names_reference"]) == (6, 6)
    assert (found["new_low"], found["new_high"]) == pytest.approx(
        differences[:: len(differences) - 1]
    )
    assert found["new_level"] == pytest.approx(40 / 42)
    y = np.array(
        [
            [
                observations.filter(name_id=f"{group}{name}", template_id=f"t{at}")["label"]
                .eq("refusal")
                .mean()
                for at in range(41)
            ]
            for group in "yx"
            for name in range(6)
        ]
    )
    spread, noise, error = by_loops(y, 6)
    assert found["sd"] == pytest.approx(math.sqrt(max(spread - noise, 0)))
    high = spread * math.exp(t.isf(0.025, 40) * error) - noise
    assert found["sd_high"] == pytest.approx(math.sqrt(max(high, 0)))
    missing = rows["z"]
    assert missing["note"] == "not estimable: z has no response that counts (all empty)"
    counts = ("names_group", "names_reference", "templates", "left_out")
    assert [missing[key] for key in counts] == [0, 0, 0, 0]


def test_a_solver_that_fails_leaves_the_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refusal_parity.statistics.template_effects.across_templates", failing)
    analysis = AnalysisConfig.model_validate(
        {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}}
    )
    told: list[str] = []
    rows = template_effects(_observations(6, 24), analysis, told.append).to_dicts()
    failed = next(row for row in rows if row["group"] == "y")
    counts = ("names_group", "names_reference", "templates", "left_out")
    assert [failed[key] for key in counts] == [6, 6, 0, 0]
    assert failed["note"] == REASON
    assert (failed["estimate"], failed["sd"], failed["p_value"]) == (None, None, None)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("pattern", "design", "rate", "shift", "times"),
    [
        ("MODERN", "32x8+8", 0.02, 0.0, 0.0),
        ("STRONG", "24x8+4", 0.5, 0.0, 0.0),
        ("MILD", "24x8+4", 0.02, 0.05, 3.0),
        ("STRONG", "32x8+8", 0.2, 0.05, 3.0),
    ],
)
def test_test_and_intervals_keep_their_word(
    pattern: str, design: str, rate: float, shift: float, times: float
) -> None:
    """Four scenarios of `benchmarks/template_effects.py`, of 60 studies each."""
    benchmark = program_of("template_effects")
    scenario = benchmark.Scenario(pattern, design, rate, shift, times)
    seen = benchmark.seen(scenario, 60, np.random.default_rng(11))
    if times == 0:
        assert seen.rejected <= 0.15
    else:
        assert seen.rejected > 0.15
        assert seen.estimate == pytest.approx(seen.truth, rel=0.35)
    assert seen.covered >= 0.85
    assert seen.new_covered >= seen.new_level - 0.1
