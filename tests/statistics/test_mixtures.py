"""Tests of levels that are other mixtures of pooled arms, or of names, than their reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.expansion import expand
from refusal_parity.statistics.designs.mixtures import mixtures
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.results import Pair
from refusal_parity.tables import Labels, conform, empty

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES, TEMPLATES, SAMPLES = 6, 12, 3
ANALYSIS = AnalysisConfig.model_validate(
    {
        "outcomes": ["refusal"],
        "dimensions": {
            "group": {"reference": "x"},
            "family": {"reference": "f0"},
            "arm": {"reference": "plain"},
        },
        "permutations": 99,
        "bootstraps": 99,
    }
)
REFUSAL = ANALYSIS.readings[0]
RATES = {"strict": 0.75, "plain": 0.10}

Cell = dict[str, Any]


def observed(
    asked: Callable[[Cell], bool],
    rate: Callable[[Cell], float],
    seed: int = 0,
    templates: int = TEMPLATES,
) -> pl.DataFrame:
    """A study of three groups and two arms, of which some prompts have no response."""
    keys = [f"t{at}" for at in range(templates)]
    names = [f"{group}{at}" for group in "xyz" for at in range(NAMES)]
    prompts = expand(
        pl.DataFrame(
            {
                "template_id": keys,
                "family": [f"f{at % 2}" for at in range(templates)],
                "template": [f"Ask [NAME] about {key}." for key in keys],
            }
        ),
        pl.DataFrame(
            {"name_id": names, "name": names, "group": [name[0] for name in names]}
        ).with_columns(gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)),
        arms_of({"strict": "Refuse much.", "plain": None}),
    )
    rng = np.random.default_rng(seed)
    rows = [
        {
            "model": "m",
            "prompt_id": cell["prompt_id"],
            "sample": sample,
            "label": "refusal" if rng.random() < rate(cell) else "answer",
            "truncated": False,
            "filtered": False,
        }
        for cell in prompts.iter_rows(named=True)
        if asked(cell)
        for sample in range(SAMPLES)
    ]
    labels = pl.concat(
        [empty(Labels), pl.DataFrame(rows).cast({"sample": pl.Int32})], how="diagonal_relaxed"
    )
    return observe(prompts, conform(labels, Labels, where="labels"), ANALYSIS)


def of_arm(cell: Cell) -> float:
    """Arms differ, groups do not."""
    return RATES[cell["arm"]]


def of_text(cell: Cell) -> float:
    """Some names and templates are refused, in either arm."""
    return float((int(cell["template_id"][1:]) + int(cell["name_id"][1:])) % 3 == 0)


def y_without_strict(cell: Cell) -> bool:
    """Nothing of y in the strict arm."""
    return cell["group"] != "y" or cell["arm"] == "plain"


def numbers(study: pl.DataFrame, dimension: str = "group") -> pl.DataFrame:
    return disparities(study, ANALYSIS).filter(pl.col("dimension") == dimension)


def test_a_level_that_lacks_a_pooled_arm_is_not_compared() -> None:
    rows = numbers(observed(y_without_strict, of_arm))
    with_y = rows.filter((pl.col("group") == "y") | (pl.col("reference") == "y"))
    assert with_y.height
    assert with_y["estimate"].null_count() == with_y["p_value"].null_count() == with_y.height
    assert (
        "y and x have different shares of the pooled arms, "
        "by which alone they differ by \N{MINUS SIGN}0.3"
        in (with_y.filter(pl.col("group") == "y")["note"][0])
    )
    other = rows.filter(pl.col("group") == "z", pl.col("reference") == "x", method="ols_two_way")
    assert other["p_value"].null_count() == 0
    of_all = rows.filter(pl.col("group").is_null())
    assert of_all["p_value"].null_count() == of_all.height
    # Too few names and templates for the calibrated test, too: that is not why.
    told = with_y.filter(method="calibrated", group="y")["note"]
    assert len(told)
    assert told.str.starts_with("not estimable: y and x have different shares").all()


def test_arms_that_two_levels_do_not_share_at_all() -> None:
    study = observed(
        lambda cell: (cell["group"] == "y") == (cell["arm"] == "plain"), lambda _cell: 0.3
    )
    found = mixtures(study, "group", ["x", "y", "z"], REFUSAL).torn
    assert found[Pair("y", "x")] == "y and x have none of the pooled arms in common"
    assert Pair("z", "x") not in found


@pytest.mark.parametrize(
    ("asked", "rate"),
    [
        pytest.param(lambda _cell: True, of_arm, id="whole"),
        pytest.param(y_without_strict, of_text, id="arms alike"),
        pytest.param(y_without_strict, lambda _cell: 0.0, id="nothing refused"),
        pytest.param(
            # Of each cell one arm, by chance: what it moves is in the error of the names.
            lambda cell: (int(cell["prompt_id"][:8], 16) % 2 == 0) == (cell["arm"] == "plain"),
            of_arm,
            id="by chance",
        ),
    ],
)
def test_mixtures_that_move_nothing_leave_the_test(
    asked: Callable[[Cell], bool], rate: Callable[[Cell], float]
) -> None:
    study = observed(asked, rate)
    assert mixtures(study, "group", ["x", "y", "z"], REFUSAL).torn == {}


@pytest.mark.parametrize(("dimension", "lacking"), [("family", "f1"), ("arm", "strict")])
def test_a_group_that_a_level_lacks_makes_no_difference_of_families_or_arms(
    dimension: str, lacking: str
) -> None:
    study = observed(
        lambda cell: cell[dimension] != lacking or cell["group"] != "y",
        lambda cell: 0.8 if cell["group"] == "y" else 0.1,
    )
    rows = numbers(study, dimension)
    assert rows["p_value"].null_count() == rows.height
    assert "different shares of the names" in rows["note"][0]
    assert mixtures(study, "group", ["x", "y", "z"], REFUSAL).torn == {}
