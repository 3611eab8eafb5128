"""Differences between prompts of a list, adjusted for covariates: against statsmodels and CR2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from programs import program_of

from refusal_parity.config import AnalysisConfig
from refusal_parity.expansion import list_prompts
from refusal_parity.listed import read_list
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.designs.with_covariates import regressors
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.methods.adjusted import RARER, adjusted
from refusal_parity.statistics.variances.by_unit import by_unit
from refusal_parity.statistics.variances.contrasts import pair_weights
from refusal_parity.statistics.variances.cr2 import bias_reduced
from refusal_parity.tables import Labels, conform, empty

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType


def analysis(*covariates: str, dimension: str = "kind") -> AnalysisConfig:
    return AnalysisConfig.model_validate(
        {
            "outcomes": ["refusal"],
            "dimensions": {dimension: {"reference": "safe"}},
            "covariates": list(covariates),
        }
    )


def seen(
    folder: Path,
    kinds: Sequence[str],
    refused: Sequence[float],
    *,
    samples: int = 1,
    config: AnalysisConfig,
    **columns: Sequence[Any],
) -> pl.DataFrame:
    """Observations of a list whose prompts are refused with these chances."""
    path = folder / "list.csv"
    pl.DataFrame(
        {
            "prompt_id": [f"p{at:03}" for at in range(len(kinds))],
            "prompt": [f"Do number {at}." for at in range(len(kinds))],
            "kind": kinds,
            **columns,
        }
    ).write_csv(path)
    prompts = list_prompts(read_list(path), {"plain": None})
    random = np.random.default_rng(2)
    labels = pl.DataFrame(
        [
            {"prompt_id": key, "sample": sample, "model": "m", "truncated": False,
             "label": "refusal" if random.random() < chance else "answer", "filtered": False}
            for key, chance in zip(prompts["prompt_id"], refused, strict=True)
            for sample in range(samples)
        ],
        schema_overrides={"sample": pl.Int32},
    )  # fmt: skip
    table = pl.concat([empty(Labels), labels], how="diagonal_relaxed")
    # Tokens: two more in unsafe prompts, and by chance.
    tokens = [5 + 2 * (kind == "unsafe") + int(random.integers(3)) for kind in kinds]
    answered = labels.select("prompt_id", "sample", "model", response=pl.lit("No.")).join(
        prompts.select("prompt_id", prompt_tokens=pl.Series(tokens, dtype=pl.Int32)), on="prompt_id"
    )
    return observe(prompts, conform(table, Labels, where="labels"), config, answered)


def row(found: pl.DataFrame, config: AnalysisConfig, method: str = "unit_adjusted") -> Any:
    [one] = disparities(found, config).filter(method=method, reference="safe").to_dicts()
    return one


KINDS = ["safe"] * 40 + ["unsafe"] * 30
LENGTH = [float((at * 7) % 23) for at in range(70)]


def test_one_response_a_prompt_has_the_errors_of_statsmodels(tmp_path: Path) -> None:
    config = analysis("length")
    chances = [0.3 if kind == "safe" else 0.6 for kind in KINDS]
    found = seen(tmp_path, KINDS, chances, config=config, length=LENGTH)
    one = row(found, config)
    y = (found["label"] == "refusal").to_numpy().astype(float)
    x = np.column_stack([np.ones(70), found["kind"] == "unsafe", found["length"]]).astype(float)
    fit = sm.OLS(y, x).fit(cov_type="HC2")
    assert one["estimate"] == pytest.approx(fit.params[1])
    assert one["std_error"] == pytest.approx(fit.bse[1])
    assert one["note"] == "adjusted for length"
    assert one["valid"]
    assert one["scope"] == "new prompts"
    # Fewer than the 67 of independent errors of one variance.
    assert 40 < one["df"] < 67


def test_sets_that_meet_both_levels_are_as_in_the_regression_with_all_clusters(
    tmp_path: Path,
) -> None:
    config = analysis("length")
    sets = [f"s{at % 17 if at < 60 else at}" for at in range(70)]
    chances = [0.3 if kind == "safe" else 0.6 for kind in KINDS]
    found = seen(tmp_path, KINDS, chances, config=config, samples=2, length=LENGTH, set=sets)
    design = build_designs(found, "kind", ["safe", "unsafe"], [Outcome.REFUSAL])[Outcome.REFUSAL]
    cells = found.group_by("kind", "text_id").agg(pl.col("length").mean()).sort("kind", "text_id")
    fitted = regressors(design, cells.select("length").to_numpy(), "kind")
    assert fitted is not None
    absorbed = fitted.absorbed
    residual = design.k - design.n * (
        absorbed.contrasts @ absorbed.bread @ (absorbed.contrasts.T @ design.k) + fitted.mean[0]
    )
    weights = pair_weights(3).T
    ours = by_unit(absorbed, residual, design.name, design.level, weights)
    theirs = bias_reduced(absorbed, residual, design.name)
    assert ours.variance == pytest.approx(((theirs.root @ weights) ** 2).sum(axis=0))
    assert ours.df == pytest.approx(theirs.df)
    assert row(found, config)["std_error"] ** 2 == pytest.approx(ours.variance[0])


def test_a_difference_that_a_covariate_makes_goes_with_it(tmp_path: Path) -> None:
    config = analysis("length")
    length = [float(at % 10 + 8 * (kind == "unsafe")) for at, kind in enumerate(KINDS * 3)]
    chances = [0.1 + 0.045 * each for each in length]
    found = seen(tmp_path, KINDS * 3, chances, config=config, samples=2, length=length)
    plain, held = row(found, config, "unit_score"), row(found, config)
    assert plain["ci_low"] > 0
    assert held["ci_low"] <= 0 <= held["ci_high"]
    assert held["p_value"] > 0.05


def test_tokens_of_a_prompt_are_counted_by_the_model_itself(tmp_path: Path) -> None:
    config = analysis("tokens")
    found = seen(tmp_path, KINDS, [0.4] * 70, config=config)
    means = dict(found.group_by("kind").agg(pl.col("tokens").mean()).iter_rows())
    assert means["unsafe"] - means["safe"] == pytest.approx(2, abs=0.5)
    one = row(found, config)
    assert one["note"] == "adjusted for tokens"
    assert one["std_error"] > row(found, config, "unit_welch")["std_error"]


def test_prompts_without_the_number_are_left_out_and_counted(tmp_path: Path) -> None:
    config = analysis("length")
    lacking = [None if at in {3, 50} else each for at, each in enumerate(LENGTH)]
    found = seen(tmp_path, KINDS, [0.4] * 70, config=config, length=lacking)
    assert row(found, config)["note"] == (
        "adjusted for length, without 2 prompts that it is not known of (1 of safe, 1 of unsafe)"
    )


@pytest.mark.parametrize(("few", "valid"), [(RARER - 1, False), (RARER, True)])
def test_where_few_prompts_are_refused_it_is_no_finding(
    tmp_path: Path,
    few: int,
    valid: bool,  # noqa: FBT001
) -> None:
    config = analysis("length")
    chances = [float(at < few or (kind == "unsafe" and at % 2)) for at, kind in enumerate(KINDS)]
    found = seen(tmp_path, KINDS, chances, config=config, length=LENGTH)
    one = row(found, config)
    assert one["valid"] is valid
    assert one["estimate"] is not None
    assert (one["p_adjusted"] is not None) is valid
    assert ("fewer than 8 prompts or sets of safe have the outcome" in one["note"]) is not valid


def test_weighed_rates_are_not_adjusted_and_the_rows_say_so(tmp_path: Path) -> None:
    config = analysis("length")
    found = seen(tmp_path, KINDS, [0.4] * 70, config=config, length=LENGTH)
    [one] = adjusted(found, "kind", ["safe", "unsafe"], Outcome.WEIGHED_REFUSAL, config)
    assert (one.estimate, one.p_value, one.pair) == (None, None, ("unsafe", "safe"))
    assert one.note == (
        "not estimable: no count of weighed responses tells how far t can be trusted"
    )


def test_a_level_of_one_prompt_and_a_covariate_that_says_the_level_are_not_estimable(
    tmp_path: Path,
) -> None:
    config = analysis("length")
    alone = seen(tmp_path, [*KINDS[:40], "unsafe"], [0.5] * 41, config=config, length=LENGTH[:41])
    assert (
        row(alone, config)["note"]
        == "not estimable: unsafe has one prompt or set; adjusted for length"
    )
    same = [float(kind == "unsafe") for kind in KINDS]
    found = seen(tmp_path, KINDS, [0.5] * 70, config=config, length=same)
    assert row(found, config)["note"].startswith(
        "not estimable: levels and covariates cannot be told apart"
    )


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    config = analysis("length")
    found = seen(tmp_path, KINDS, [0.5] * 70, config=config, samples=3, length=LENGTH)
    other = found.sample(fraction=1.0, shuffle=True, seed=1)
    one, two = row(found, config), row(other, config)
    for number in ("estimate", "std_error", "df", "p_value"):
        assert one[number] == pytest.approx(two[number], rel=1e-9)


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that measures level and coverage."""
    return program_of("adjusted_lists")


@pytest.mark.parametrize("apart", [0.5, 1.5])
def test_level_and_coverage(program: ModuleType, apart: float) -> None:
    found = program.simulate(program.Scenario((40, 60), (0.3, 0.3), apart=apart), 120, 1)
    assert not found.beyond
    assert found.missed > 0
    assert found.counts > 0.9 * 120
