"""Why a level has no number: what befell its responses, in one sentence everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.uncounted import absent_levels, nothing_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]

REASONS = [
    ([], "no response"),
    (["no_response"], "no response"),
    (["left_out"], "no response that counts (all cut off)"),
    (["filtered", "filtered"], "no response that counts (all refused by the service)"),
    (["error", "empty"], "no response that counts (all empty or failed)"),
    (["no reason stated"], "no response that counts (all without a label)"),
    (["abstained"], "no response that counts (all too doubtful to label)"),
    (["no_response", "error"], "no response that counts (all failed or without a response)"),
]


@pytest.mark.parametrize(("reasons", "words"), REASONS)
def test_the_reason_says_what_befell_the_responses(reasons: list[str], words: str) -> None:
    assert nothing_of(reasons) == words
    # Commas and semicolons part the reasons of several levels.
    assert not set(words) & set(",;")


BEFALLEN = [
    ("left_out", False, "cut off"),
    ("filtered", True, "refused by the service"),
    ("error", False, "failed"),
    ("abstained", False, "too doubtful to label"),
    ("undecided", False, "cut off before anything was decided"),
]


def lost(study: Study, exclusion: str, *, filtered: bool) -> pl.DataFrame:
    """Eight names of two groups and four templates; nothing of group `y` counts."""
    cells = ["ra", "aa", "rr", "ar"]
    rows = study({group: {f"{group}{at}": cells for at in range(4)} for group in "xy"})
    gone = pl.col("group") == "y"
    return rows.with_columns(
        label=pl.when(~gone).then("label"),
        machine_label=pl.when(~gone).then("machine_label"),
        filtered=gone & pl.lit(filtered),
        truncated=gone & pl.lit(exclusion == "left_out"),
        exclusion=pl.when(gone).then(pl.lit(exclusion)),
    )


ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}, "permutations": 99}
)


@pytest.mark.parametrize(("exclusion", "filtered", "words"), BEFALLEN)
def test_absent_levels_say_why(study: Study, exclusion: str, words: str, *, filtered: bool) -> None:
    rows = lost(study, exclusion, filtered=filtered)
    found = absent_levels(rows, "group", ["x", "y", "z"], ["x"], Outcome.REFUSAL)
    assert found == {
        "y": f"y has no response that counts (all {words})",
        "z": "z has no response",
    }


def test_openings_that_were_not_weighed_say_that(study: Study) -> None:
    rows = lost(study, "left_out", filtered=False)
    found = absent_levels(rows, "group", ["x", "y"], ["x"], Outcome.PROPENSITY)
    assert found == {"y": "y has no prompt with a measured propensity"}


@pytest.mark.parametrize(("exclusion", "filtered", "words"), BEFALLEN)
def test_rates_and_tests_say_the_same(
    study: Study, exclusion: str, words: str, *, filtered: bool
) -> None:
    rows = lost(study, exclusion, filtered=filtered)
    of_levels = rates(rows, ANALYSIS).filter(dimension="group", within="all", group="y")
    assert of_levels["note"].to_list() == [f"no response that counts (all {words})"]
    notes = disparities(rows, ANALYSIS).filter(group="y")["note"].to_list()
    assert notes
    assert all(f"y has no response that counts (all {words})" in note for note in notes)
