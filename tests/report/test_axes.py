"""Where axes end, and which models have one of their own."""

from __future__ import annotations

import math

import pytest

from refusal_parity.report.axes import ceiling, reach_of


@pytest.mark.parametrize(
    ("values", "end"),
    [
        ([0.32, 0.1], 0.35), ([0.3], 0.3), ([0.98], 1.0), ([0.11], 0.15), ([0.1], 0.1),
        ([0.091], 0.095), ([0.031], 0.035), ([0.012], 0.015), ([0.002], 0.01), ([], 0.01),
        ([-0.4, None, math.nan, 0.0], 0.01),
    ],
)  # fmt: skip
def test_axes_end_at_a_round_number(values: list[float | None], end: float) -> None:
    assert ceiling(values) == pytest.approx(end, abs=1e-12)


def test_colours_and_shares_of_simulations_have_a_wider_scale() -> None:
    assert ceiling([0.02], least=0.1) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("others", "is_own"),
    [([0.05], False), ([0.051], True), ([-0.3, 0.0], True), ([None, math.nan], False)],
)
def test_a_model_whose_numbers_are_far_smaller_has_an_axis_of_its_own(
    others: list[float | None], *, is_own: bool
) -> None:
    ends: dict[str, list[float | None]] = {"rare": [None, -0.01, 0.002], "other": others}
    reach = reach_of(ends, "rare")
    assert reach.ends == (ends["rare"] if is_own else [*ends["rare"], *others])
    assert reach.note == ("\n(this model\u2019s own axis)" if is_own else "")
    assert reach_of(ends, "other").note == ""


def test_a_model_without_numbers_has_the_axis_of_all() -> None:
    assert reach_of({"silent": [None], "other": [0.3]}, "silent").ends == [None, 0.3]
