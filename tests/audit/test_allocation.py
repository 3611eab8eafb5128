"""How many of each stratum people are to label."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from predictions import predicted

from refusal_parity.audit.allocation import allocate, inclusion, kept
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig
from refusal_parity.tables import LeafSample


@pytest.mark.parametrize(
    ("sizes", "total", "floor", "drawn"),
    [
        ([100, 100], 10, 2, [5, 5]),
        ([90, 10], 10, 1, [9, 1]),
        ([90, 1, 9], 10, 2, [7, 1, 2]),
        ([5, 5], 100, 2, [5, 5]),
        ([50, 50, 50], 2, 2, [2, 2, 2]),
        ([3], 2, 1, [2]),
        # No floor is above a stratum's size.
        ([5, 1, 5], 3, 2, [2, 1, 2]),
        # Ten beyond the floors, of which the first stratum can give none.
        ([20, 60, 40], 70, 20, [20, 26, 24]),
        ([10, 10, 10], 4, 1, [2, 1, 1]),
        # Likewise where each has but one row beyond its floor.
        ([2, 2, 2], 4, 1, [2, 1, 1]),
    ],
)
def test_allocation(sizes: list[int], total: int, floor: int, drawn: list[int]) -> None:
    assert allocate(np.array(sizes), total, floor).tolist() == drawn


@pytest.mark.parametrize(
    ("sizes", "worths", "total", "floor", "drawn"),
    [
        # Nine tenths of the worth lie in three rows: what they cannot give the others do.
        ([3, 50], [90.0, 10.0], 10, 1, [3, 7]),
        # By worth and not by size: 8 beyond the floors, of which three quarters.
        ([50, 50], [3.0, 1.0], 10, 1, [7, 3]),
        # Of two beyond the floors one is the second's; the other is nobody's whole, and so again.
        ([9, 9, 9], [1.0, 3.0, 2.0], 5, 1, [1, 3, 1]),
        # Two rows for three strata with less than one each: to those that are worth most.
        ([9, 9, 9], [2.0, 4.0, 3.0], 5, 1, [1, 2, 2]),
    ],
)
def test_allocation_by_worth(
    sizes: list[int], worths: list[float], total: int, floor: int, drawn: list[int]
) -> None:
    assert allocate(np.array(sizes), total, floor, np.array(worths)).tolist() == drawn


@pytest.mark.parametrize(
    ("rows", "share", "rows_kept"),
    [(100, 0.3, 30), (60, 0.05, 3), (59, 0.05, 3), (10, 0.0, 0), (5, 1.0, 5), (3, 7 / 3, 3)],
)
def test_no_share_shrinks(rows: int, share: float, rows_kept: int) -> None:
    assert kept(np.ones(rows), share) == rows_kept


@pytest.mark.parametrize(
    ("worths", "count", "chances"),
    [
        ([1, 1, 1, 1], 2, [0.5, 0.5, 0.5, 0.5]),
        ([1, 1, 1, 10], 2, [1 / 3, 1 / 3, 1 / 3, 1]),
        ([1, 5, 100], 2, [1 / 6, 5 / 6, 1]),
        # With the largest for certain, the second is so too.
        ([1, 1, 6, 20], 3, [0.5, 0.5, 1, 1]),
        ([0.2, 0.3], 2, [1, 1]),
    ],
)
def test_inclusion_is_in_proportion_to_worth(
    worths: list[float], count: int, chances: list[float]
) -> None:
    found = inclusion(np.array(worths, dtype=float), count)
    assert found == pytest.approx(chances)
    # Of as many again the same share keeps as many.
    share = float((found / np.array(worths)).max())
    assert kept(np.array(worths, dtype=float), share) == count


def test_strata_that_stand_for_more_have_more_rows() -> None:
    """Two of as many rows, of which one stands for three quarters: 1 + 8 and 1 + 2 of 12."""
    rows = predicted(40).with_columns(
        weight=pl.when(pl.col("model") == "a").then(0.03).otherwise(0.01),
        stratum="model",
        opening=pl.lit("7"),
    )
    human = HumanConfig(probability=12, floor=1, informative=0)
    drawn = draw_sample(rows, human, (), LeafSample)
    sizes = dict(drawn.group_by("stratum").len().iter_rows())
    assert sizes == {"a": 9, "b": 3}
    assert set(drawn.filter(stratum="a")["inclusion_probability"].round(9)) == {9 / 20}


def test_every_stratum_has_its_floor_and_its_share() -> None:
    rows = predicted()
    sample = draw_sample(rows, HumanConfig(probability=120, floor=3, informative=40))
    drawn = sample.filter(set="probability")
    assert len(drawn) == 120
    assert len(sample) == 160
    sizes = rows.group_by("model", "group", "predicted").len()
    counted = drawn.group_by("stratum").agg(pl.len(), pl.col("inclusion_probability").unique())
    assert len(counted) == len(sizes)
    for row in sizes.iter_rows(named=True):
        stratum = f"{row['model']} / {row['group']} / {row['predicted']}"
        found = counted.row(by_predicate=pl.col("stratum") == stratum, named=True)
        assert found["len"] >= min(3, row["len"])
        assert found["inclusion_probability"] == [pytest.approx(found["len"] / row["len"])]
    # Horvitz and Thompson's estimate of the size is exact, stratum by stratum.
    assert (1 / drawn["inclusion_probability"]).sum() == pytest.approx(len(rows))


def test_of_strata_worth_the_same_the_first_get_what_is_left() -> None:
    drawn = allocate(np.full(40, 5), 57, 1)
    assert drawn.tolist() == [2] * 17 + [1] * 23
