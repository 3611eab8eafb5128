"""What differences that are not shown, or shown to be small, may hide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from propensity_report import propensity_inputs
from report_tables import disparity_row
from worded_study import pair, rate, study, whole

from propensity_study import EVEN, UNEVEN
from refusal_parity.outcomes import Outcome
from refusal_parity.report.odds import odds_ratio
from refusal_parity.report.small_effects import differing_odds
from refusal_parity.report.summary import summary_lines
from refusal_parity.report.wording import statement
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs

LARGE = "The margin of 5.0 points is as large as"
BEYOND = f"{LARGE} the whole rate of white names"
LACKS = f"{LARGE} all that the rate of white names lacks to 100 %"


@pytest.fixture(scope="module")
def described(root: Path) -> ReportInputs:
    return propensity_inputs(root, outcomes=["refusal"])


def small(
    refused: int, group_refused: int, p_small: float = 0.001, models: tuple[str, ...] = ("m",)
) -> ReportInputs:
    """768 responses a group; the difference is shown to be small where p_small says so."""
    counts = {
        "n_group": 768, "n_reference": 768, "k_group": group_refused, "k_reference": refused,
        "estimate": (group_refused - refused) / 768,
    }  # fmt: skip
    near: dict[str, Any] = {"ci_low": -0.01, "ci_high": 0.02, "p_adjusted": 0.8}
    equivalence = {"group": "muslim", "reference": "white", "estimate": counts["estimate"]}
    tests = [
        whole(0.5),
        *pair(**counts, **near),
        disparity_row(**equivalence, method="equivalence", p_adjusted=p_small),
    ]
    rates = [
        each
        for model in models
        for each in (
            rate(model, "muslim", k=group_refused),
            rate(model, "white", k=refused),
            rate(model, "all", 1536, refused + group_refused, dimension="all"),
        )
    ]
    return study([row | {"model": model} for model in models for row in tests], rates)


@pytest.mark.parametrize(
    ("refused", "group_refused", "words"),
    [
        (8, 12, f"{BEYOND} (1.0 %) or larger: a level that has it 5.8 times as often may still"),
        (38, 40, f"{BEYOND} (4.9 %) or larger: a level that has it 2.0 times as often may still"),
        (0, 4, f"{BEYOND} (0 %) or larger: any level that has it in less than 5.0 % may still"),
        (3, 4, f"{BEYOND} (0.39 %) or larger: a level that has it 14 times as often may still"),
        (39, 40, None),
        (200, 204, None),
        (728, 728, None),
        (760, 756, f"{LACKS} (1.0 %) or larger: a level that lacks it 5.8 times as often may"),
        (768, 764, f"{LACKS} (0 %) or larger: any level that lacks it in less than 5.0 % may"),
    ],
    ids=[
        "rare",
        "just below the margin",
        "none at all",
        "very rare",
        "just above it",
        "common",
        "high",
        "nearly all",
        "all",
    ],
)
def test_a_margin_as_large_as_the_rate_is_named(
    refused: int, group_refused: int, words: str | None
) -> None:
    found = statement(small(refused, group_refused), "m", Outcome.REFUSAL, "group")
    assert found.verdict is Verdict.EQUIVALENT
    said = " ".join(found.details)
    assert words in said if words else LARGE not in said


def test_nothing_is_said_of_a_margin_that_decides_nothing() -> None:
    found = statement(small(8, 12, p_small=0.3), "m", Outcome.REFUSAL, "group")
    assert found.verdict is Verdict.NOT_SHOWN
    assert BEYOND not in " ".join(found.details)


def test_the_terminal_names_such_a_margin(tmp_path: Path) -> None:
    line = summary_lines(small(8, 12), tmp_path)[1]
    assert "smaller than 5.0 points, which is more than its rate of 1.3 %" in line
    assert "more than its rate" not in summary_lines(small(200, 204), tmp_path)[1]
    line = summary_lines(small(760, 756), tmp_path)[1]
    assert "smaller than 5.0 points, which is more than the 1.3 % that its rate lacks to" in line


def test_the_terminal_names_it_over_many_models_too(tmp_path: Path) -> None:
    models = ("m", "m2", "m3", "m4")
    line = summary_lines(small(8, 12, models=models), tmp_path)[1]
    assert "; the margin of 5.0 points is more than the whole rate of 4 (m, m2, m3, m4)" in line
    assert "whole rate" not in summary_lines(small(200, 204, models=models), tmp_path)[1]
    line = summary_lines(small(760, 756, models=models), tmp_path)[1]
    assert "more than all that the rate lacks to 100 % of 4 (m, m2, m3, m4)" in line
    assert "whole rate" not in line


def test_odds_that_differ_stand_beside_rates_that_do_not(
    described: ReportInputs, tmp_path: Path
) -> None:
    found = statement(described, UNEVEN, Outcome.REFUSAL, "group")
    assert not found.shown
    shown = differing_odds(described, UNEVEN, "group")
    muslim = next(each for each in shown if each.level == "muslim")
    said = next(each for each in found.details if "On the scale of odds" in each)
    assert f"muslim names {odds_ratio(muslim.estimate)}" in said
    even = statement(described, EVEN, Outcome.REFUSAL, "group")
    assert not any("On the scale of odds" in each for each in even.details)
    line = summary_lines(described, tmp_path)[1]
    assert line.count("odds of refusing are shown to differ for") == 1
    [of_uneven] = [part for part in line.split(" (see refusal propensity)") if "odds" in part]
    assert "muslim" in of_uneven
