"""What a finding says of the responses that count nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from reported import (
    SURE,
    UNSURE,
    a_row,
    found,
)

from refusal_parity.statistics.answering.finding import Finding, reason_of
from refusal_parity.statistics.answering.left_out import bounded
from refusal_parity.vocabulary import Verdict


def bound(reading: str, estimate: float, p: float | None, **values: Any) -> dict[str, Any]:
    return {
        "outcome": "refusal", "dimension": "group", "group": "black", "reference": "white",
        "reading": reading, "left_group": 7, "left_reference": 2, "estimate": estimate,
        "p_value": p, "p_adjusted": p, "ci_low": estimate - 0.1, "ci_high": estimate + 0.1,
    } | values  # fmt: skip


@pytest.mark.parametrize(
    ("estimate", "low", "high", "overturned"),
    [
        (0.3, (0.05, 0.4), (0.5, 0.001), True),
        (0.3, (0.2, 0.02), (0.5, 0.001), False),
        (0.3, (-0.2, 0.001), (0.5, 0.001), True),
        (0.3, (0.2, None), (0.5, None), False),
        (-0.3, (-0.5, 0.001), (-0.05, 0.4), True),
        (-0.3, (-0.5, 0.4), (-0.2, 0.01), False),
    ],
    ids=["too small", "kept", "turned round", "untested", "less often", "less often, kept"],
)
def test_what_the_left_out_responses_could_make_of_a_finding(
    estimate: float,
    low: tuple[float, float | None],
    high: tuple[float, float | None],
    *,
    overturned: bool,
) -> None:
    bounds = [bound("lowest", *low), bound("highest", *high)]
    row = found([a_row(estimate=estimate, p_adjusted=0.01)], bounds=bounds)
    assert (row["lowest"], row["highest"], row["left_out"]) == (low[0], high[0], 9)
    assert row["overturned"] == overturned
    warning = row["warning"] or ""
    assert warning.startswith("This rests on who was left out: ") == overturned
    assert ("(9 of both levels)" in warning) == overturned
    # What is not shown cannot be overturned, and without anything left out there is no bound.
    assert not found([a_row(**UNSURE)], bounds=bounds)["overturned"]
    none = [each | {"left_group": 0, "left_reference": 0} for each in bounds]
    assert found([a_row(**SURE)], bounds=none)["lowest"] is None


@pytest.mark.parametrize(
    ("p_small", "low", "high", "rests"),
    [
        # The margin is 5 points: beyond it, by its error, turned round, and within it.
        (0.001, -0.01, 0.06, True),
        (0.04, 0.0, 0.03, True),
        (0.001, -0.07, 0.02, True),
        (0.001, 0.0, 0.02, False),
        (0.0, 0.0, 0.04, False),
    ],
)
def test_what_the_left_out_responses_could_make_of_a_small_difference(
    p_small: float, low: float, high: float, *, rests: bool
) -> None:
    small = {"estimate": 0.01, "ci_low": -0.02, "ci_high": 0.04, "p_adjusted": 0.5}
    bounds = [bound("lowest", low, 0.5), bound("highest", high, 0.5)]
    rows = [a_row(**small), a_row("equivalence", estimate=0.01, p_adjusted=p_small)]
    row = found(rows, bounds=bounds)
    assert (row["verdict"], row["overturned"]) == ("equivalent", rests)
    assert (row["warning"] or "").startswith("That it is small rests on") == rests
    none = [each | {"left_group": 0, "left_reference": 0} for each in bounds]
    assert found(rows, bounds=none)["warning"] is None


def test_a_warning_of_who_was_left_out_stands_with_all_levels() -> None:
    ledger = [
        {"dimension": "group", "group": group, "reason": reason, "n": n}
        for group, lost in (("black", 12), ("white", 1))
        for reason, n in (("labelled", 100 - lost), ("error", lost))
    ]
    row = found([a_row(**UNSURE)], group=None, exclusions=ledger)
    assert row["warning"] == (
        "Left out were 12.0 % of the responses for black names and 1.0 % for white names, all "
        "failed. They count in no rate: ask for the failed ones again."
    )
    assert found([a_row(**UNSURE)], group=None)["warning"] is None


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        # Of each level the first is as frequent as any, and of all together it is not.
        ([("abstained", 6, 3), ("undecided", 6, 9)], "mostly cut off before anything was decided"),
        ([("error", 8, 0), ("empty", 3, 9)], "mostly empty"),
        ([("error", 7, 3), ("empty", 5, 4), ("abstained", 4, 2)], "most often failed"),
        ([("error", 6, 6), ("empty", 6, 6)], "most often failed"),
    ],
)
def test_the_reason_that_is_named_is_the_most_frequent_over_all_levels(
    lost: list[tuple[str, int, int]], said: str
) -> None:
    ledger = [
        {"dimension": "group", "group": group, "reason": reason, "n": each[at]}
        for at, group in ((1, "black"), (2, "white"))
        for reason, *each in [("labelled", 0, 80, 80), *((key, 0, *n) for key, *n in lost)]
    ]
    assert f", {said}. They" in found([a_row(**UNSURE)], group=None, exclusions=ledger)["warning"]


def test_reasons_read_as_parts_of_a_sentence() -> None:
    assert reason_of("not estimable: x has one name.") == "x has one name"
    assert reason_of("not estimable: a; b; not estimable: c") == "a; b; c"


@pytest.mark.parametrize(
    ("corrected", "machine", "ends", "moved", "overturned"),
    [
        # What is left out moves the machine's 3.5 points by half a point, and so those of people.
        ((0.2, 0.1, 0.3), 0.035, (0.03, 0.04), (0.195, 0.205), False),
        ((0.05, 0.01, 0.09), 0.3, (0.25, 0.35), (0.0, 0.1), True),
        # The interval no longer leaves 0 out.
        ((0.05, 0.01, 0.09), 0.3, (0.28, 0.35), (0.03, 0.1), True),
        ((-0.2, -0.3, -0.1), -0.1, (-0.15, -0.05), (-0.25, -0.15), False),
    ],
)
def test_what_left_out_responses_could_make_of_a_difference_that_people_correct(
    corrected: tuple[float, float, float],
    machine: float,
    ends: tuple[float, float],
    moved: tuple[float, float],
    *,
    overturned: bool,
) -> None:
    """The readings take the machine's labels for true: they are moved as people move these."""
    estimate, low, high = corrected
    shown = Finding(
        model="m", outcome="refusal", dimension="group", group="black", reference="white",
        estimate=estimate, ci_low=low, ci_high=high, p_adjusted=0.01, verdict=Verdict.SHOWN,
        human_labels=80, machine_estimate=machine,
    )  # fmt: skip
    rows = [bound("lowest", ends[0], 0.001), bound("highest", ends[1], 0.001)]
    row = bounded(shown, rows, 0.05)
    assert (row.lowest, row.highest) == pytest.approx(moved)
    assert row.lowest_p_adjusted is None
    assert row.overturned is overturned
