"""A file with a method, and nothing else changed: it goes wherever methods go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.reference import methods_reference
from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.registry import Method
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]

ANALYSIS = AnalysisConfig.model_validate(
    {
        "outcomes": ["refusal", "answer_length"],
        "dimensions": {"group": {"reference": "x"}, "arm": {"reference": "plain"}},
        "permutations": 99,
        "bootstraps": 99,
        "selfcheck": 40,
    }
)


@pytest.fixture
def observations(study: Study) -> pl.DataFrame:
    random = np.random.default_rng(4)
    letters = lambda p: "".join(random.choice(list("ra"), 3, p=[p, 1 - p]))  # noqa: E731
    rates = {"x": 0.2, "y": 0.9, "z": 0.3}
    return study(
        {
            group: {f"{group}{at}": [letters(rate) for _ in range(5)] for at in range(8)}
            for group, rate in rates.items()
        }
    ).with_columns(words=pl.int_range(pl.len()) % 11 + 3)


def test_it_has_rows_where_it_suits(added_method: Method, observations: pl.DataFrame) -> None:
    table = disparities(observations, ANALYSIS)
    rows = table.filter(method=str(added_method))
    assert set(rows["dimension"]) == {"group"}
    assert set(rows["outcome"]) == {"refusal", "answer_length"}
    assert set(rows["scope"].cast(pl.String)) == {str(Scope.NEW_NAMES)}
    assert not rows["valid"].any()
    assert (
        rows["note"].str.ends_with("it takes the reference's rate as known; descriptive only").all()
    )
    row = rows.row(
        by_predicate=(pl.col("outcome") == "refusal")
        & (pl.col("group") == "y")
        & (pl.col("reference") == "x"),
        named=True,
    )
    # All eight names of y are above the reference: 2 / 2^8.
    assert row["p_value"] == pytest.approx(2 / 2**8)
    assert row["estimate"] == pytest.approx(
        row["k_group"] / row["n_group"] - row["k_reference"] / row["n_reference"]
    )
    # Nothing else changed.
    del METHODS[added_method]
    without = disparities(observations, ANALYSIS)
    METHODS[added_method] = added_method
    assert table.filter(pl.col("method") != str(added_method)).equals(without)


def test_the_self_check_runs_it(added_method: Method, observations: pl.DataFrame) -> None:
    rows = selfcheck(observations, ANALYSIS).filter(method=str(added_method))
    assert rows.height == 2
    assert (rows["n_simulations"] == 40).all()
    assert rows["false_positive_rate"].is_between(0, 1).all()


def test_the_list_of_the_documentation_has_it(added_method: Method) -> None:
    assert f"| `{added_method}` | {added_method.heading} |" in methods_reference()


def test_a_method_is_declared_once(added_method: Method) -> None:
    with pytest.raises(ValueError, match="method sign_of_names is declared twice"):
        Method(
            str(added_method),
            heading="",
            estimands=added_method.estimands,
            scope=added_method.scope,
            run=added_method.run,
        )
