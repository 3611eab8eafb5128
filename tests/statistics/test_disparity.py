"""Which methods a table of disparities holds, and that its rows agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.errors import InputError
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_numbers import ReferenceStudy

    Study = Callable[..., pl.DataFrame]

MIXED = ["raa", "ara", "rra", "aaa"]
LOGISTIC = ("cluster_name", "cluster_template", "cluster_two_way")


def test_missing_dimension_says_so(study: Study) -> None:
    config = AnalysisConfig(dimensions={"gender": DimensionConfig(reference="men")})
    with pytest.raises(InputError, match="No prompt has a gender"):
        disparities(study({"x": {"A": MIXED}}), config)


@pytest.mark.parametrize("reference_study", ["arms"], indirect=True)
def test_families_and_arms_take_the_methods_that_fit(reference_study: ReferenceStudy) -> None:
    frame = reference_study.disparities.filter(pl.col("dimension") != "group")
    methods = {dimension: set(part["method"]) for (dimension,), part in frame.group_by("dimension")}
    textbook = {"newcombe", "katz", "chi_square", "ols_two_way", "ols_cr2_two_way", "equivalence"}
    logistic = {f"glm_{key}" for key in ("cr2_name", *LOGISTIC)}
    assert methods == {
        "family": textbook,
        "arm": textbook | logistic | {"mantel_haenszel", "ols_cr2_name"},
    }
    family = frame.filter(method="ols_two_way", dimension="family").drop_nulls("group")
    counts = frame.filter(method="newcombe", dimension="family").drop_nulls("group")
    assert family["estimate"].to_list() == pytest.approx(counts["estimate"].to_list(), abs=1e-12)
    assert family["note"].str.contains("other sentences are compared").all()
    by_name = frame.filter(method="ols_cr2_name", dimension="arm").sort("valid")
    assert by_name["valid"].to_list() == [False, True, True, True]
    assert by_name["estimand"].to_list() == ["global", *["risk_difference"] * 3]


@pytest.mark.parametrize("method", ["ols_cr2_two_way", "equivalence", "ols_cr2_name"])
def test_a_pair_is_the_same_whatever_the_reference(study: Study, method: str) -> None:
    random = np.random.default_rng(4)
    observed = study(
        {
            level: {
                f"{level}{at}": ["".join(random.choice(list("ra"), 3)) for _ in range(5)]
                for at in range(3)
            }
            for level in "xyz"
        }
    )

    def pair(reference: str) -> dict[str, Any]:
        dimensions = {"group": DimensionConfig(reference=reference)}
        config = AnalysisConfig(
            outcomes=[Outcome.REFUSAL], dimensions=dimensions, permutations=99, bootstraps=99
        )
        found = disparities(observed, config).filter(
            pl.col("group").is_in(["y", "z"]),
            pl.col("reference").is_in(["y", "z"]),
            method=method,
            estimand="risk_difference",
        )
        return found.row(0, named=True)

    first, last = pair("y"), pair("x")
    sign = 1 if first["group"] == last["group"] else -1
    assert first["estimate"] == pytest.approx(sign * last["estimate"], abs=1e-12)
    for column in ("std_error", "df", "p_value"):
        assert first[column] == pytest.approx(last[column], rel=1e-9), column
