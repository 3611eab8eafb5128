from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.lengths import lengths

if TYPE_CHECKING:
    from collections.abc import Callable

CELLS = ["aar", "ara", "aaa", "raa"]
CONFIG = AnalysisConfig(
    outcomes=[Outcome.ANSWER_LENGTH],
    dimensions={"group": DimensionConfig(reference="x")},
    permutations=199,
    bootstraps=199,
)


@pytest.fixture
def worded(study: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    groups = {group: {f"{group}{at}": CELLS[at:] + CELLS[:at] for at in range(4)} for group in "xy"}
    groups["z"] = {"z0": ["rrr"], "z1": ["rrr"]}
    extra = pl.col("group").eq("y").cast(pl.Int64) * 7
    place = pl.col("name_id").str.slice(1).cast(pl.Int64) + pl.col("sample")
    return study(groups).with_columns(words=20 + extra + place)


def test_only_full_answers_count(worded: pl.DataFrame) -> None:
    table = lengths(worded, CONFIG)
    rows = {row["group"]: row for row in table.iter_rows(named=True)}
    answers = worded.filter(label="answer")
    for group in "xy":
        mine = answers.filter(group=group)["words"]
        assert rows[group]["n"] == mine.len()
        assert rows[group]["mean"] == pytest.approx(mine.mean())
        assert rows[group]["median"] == mine.median()
        assert rows[group]["ci_low"] < rows[group]["mean"] < rows[group]["ci_high"]
    assert rows["z"]["note"] == "no answer of known length"
    assert rows["all"]["n"] == answers.height


def test_differences_of_means_by_the_valid_methods(worded: pl.DataFrame) -> None:
    table = disparities(worded, CONFIG)
    methods = set(table["method"].cast(pl.String))
    assert methods.isdisjoint({"newcombe", "katz", "chi_square", "mantel_haenszel"})
    assert not [method for method in methods if method.startswith("glm_")]
    of_y = table.filter(group="y", reference="x")
    assert set(of_y["estimand"].cast(pl.String)) == {"mean_difference"}
    assert of_y["estimate"].to_numpy() == pytest.approx(7, abs=0.5)
    assert of_y["k_group"].is_null().all()
    exact = of_y.filter(method="permutation_names_exact").row(0, named=True)
    assert exact["note"] is None
    assert exact["p_value"] == pytest.approx(2 / 70)
    of_z = table.filter(group="z")
    assert of_z["note"].str.contains("z has no answer of known length").all()


def test_without_responses_nothing_is_known(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"A": CELLS}, "y": {"B": CELLS}})
    assert (lengths(observations, CONFIG)["n"] == 0).all()
    assert disparities(observations, CONFIG)["estimate"].is_null().all()
