"""Where rounding ends is stated here in numbers of its own, not by the module's constants."""

from __future__ import annotations

import math

import polars as pl
import pytest

from refusal_parity.statistics.rounding import exceeds, is_noise, less, settled


@pytest.mark.parametrize(
    ("variance", "largest", "expected"),
    [
        (0.0, 1.0, True),
        # A standard error of 1e-10 of the largest one is rounding, so a variance of 1e-20.
        (0.9e-20, 1.0, True),
        (1.1e-20, 1.0, False),
        (3.6e-20, 4.0, True),
        (4.4e-20, 4.0, False),
        (-1e-18, 1.0, True),
        (math.nan, 1.0, True),
        (0.0, 0.0, True),
    ],
)
def test_a_variance_of_rounding(variance: float, largest: float, *, expected: bool) -> None:
    assert is_noise(variance, largest) == expected
    assert is_noise([variance, 1.0], [largest, 1.0]).tolist() == [expected, False]


@pytest.mark.parametrize(
    ("one", "other", "largest", "expected"),
    [
        (0.5, 0.5, 1.0, False),
        (0.25, 0.5, 1.0, False),
        (0.5 * (1 + 0.9e-9), 0.5, 1.0, False),
        (0.5 * (1 + 1.1e-9), 0.5, 1.0, True),
        (0.9e-20, 0.0, 1.0, False),
        (1.1e-20, 0.0, 1.0, True),
        (2.2e-20, 0.0, 4.0, False),
        (math.nan, 0.5, 1.0, False),
    ],
)
def test_a_variance_above_another(
    one: float, other: float, largest: float, *, expected: bool
) -> None:
    assert exceeds(one, other, largest) == expected


@pytest.mark.parametrize(
    ("whole", "parts", "expected"),
    [
        (5.0, (2.0, 1.0), 2.0),
        (1.0, (4.0,), -3.0),
        # One ten thousand millionth of a part remains, and it's kept; 1e-13 isn't.
        (1.0, (1.0 - 1e-10,), 1e-10),
        (1.0, (1.0 - 1e-13,), 0.0),
        (0.1 + 0.2, (0.3,), 0.0),
        # The size is that of all that is summed, of either sign.
        (1e-13, (0.5, -0.5), 0.0),
        (1e-13, (), 1e-13),
        (1.7e-12, (0.5, 0.5 + 1.7e-12, -1.0), 0.0),
        (2.3e-12, (0.5, 0.5, -1.0), 2.3e-12),
        (math.nan, (1.0,), math.nan),
        (1.0, (math.nan,), math.nan),
    ],
)
def test_a_difference_is_nothing_where_only_rounding_is_left(
    whole: float, parts: tuple[float, ...], expected: float
) -> None:
    assert less(whole, *parts) == pytest.approx(expected, rel=1e-3, abs=0.0, nan_ok=True)


def test_numbers_near_0_are_cut() -> None:
    rows = [
        # An estimate below a thousand millionth of its standard error is 0.
        (0.9e-9, 1.0, 0.5, 0.0, 0.5),
        (-0.9e-9, 1.0, -0.5, 0.0, -0.5),
        (1.1e-9, 1.0, 0.5, 1.1e-9, 0.5),
        (1.1e-9, 2.0, 0.5, 0.0, 0.5),
        (0.25, None, 0.5, 0.25, 0.5),
        # Of which no standard error is told: a rounded 0 of rates is still 0.
        (-6.9e-18, None, 0.5, 0.0, 0.5),
        (0.9e-9, math.nan, 0.5, 0.0, 0.5),
        (1.1e-9, None, 0.5, 1.1e-9, 0.5),
        # A statistic below a thousandth has nine decimals.
        (0.25, 1.0, 9.123456789123e-4, 0.25, 9.12346e-4),
        (0.25, 1.0, -9.123456789123e-4, 0.25, -9.12346e-4),
        (0.25, 1.0, 1.123456789123e-3, 0.25, 1.123456789123e-3),
        (0.25, 1.0, 4e-10, 0.25, 0.0),
        (0.25, 1.0, None, 0.25, None),
    ]
    table = pl.DataFrame(
        rows, schema=["estimate", "std_error", "statistic", "cut", "rounded"], orient="row"
    )
    found = settled(table)
    assert found["estimate"].to_list() == table["cut"].to_list()
    assert found["statistic"].to_list() == table["rounded"].to_list()


def test_nothing_has_no_sign() -> None:
    table = pl.DataFrame({"estimate": [0.5], "std_error": [1.0], "statistic": [-1e-12]})
    assert math.copysign(1.0, settled(table)["statistic"].item()) == 1.0
