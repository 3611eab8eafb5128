"""Arms that are pooled and of which some levels have less than others, or all have nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from whole_study import WholeStudy, measure

from refusal_parity.report.left_out import left_out_cautions
from refusal_parity.report.uneven_arms import uneven_arms
from refusal_parity.tables import Labels, Prompts

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs

NAMES = {group: {f"{group.title()}{at}": "man" for at in range(4)} for group in ("north", "south")}
LOST = "No response for the system prompt strict counts: what pools arms is about the others alone."
UNEVEN = (
    "Of the responses that count for south names, {} are for the system prompt strict, of those "
    "for north names 50.0 %: arms are not taken off a difference, and where they move one "
    "there is no test of it."
)
STRICT = pl.col("arm") == "strict"
SOUTH = pl.col("group") == "south"


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    whole = WholeStudy(
        groups=NAMES,
        say=lambda *_: "a",
        templates=("plain",) * 4,
        arms=("plain", "strict"),
        analysis={"dimensions": {"group": {"reference": "north"}}, "selfcheck": 0},
    )
    return measure(whole, tmp_path_factory.mktemp("pooled"))


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (pl.lit(False), []),  # noqa: FBT003 - nothing is lost
        (STRICT, [LOST]),
        (STRICT & SOUTH, [UNEVEN.format("0.0 %")]),
        # 4 of 16 are left of strict, beside 16 of plain.
        (STRICT & SOUTH & (pl.col("template_id") != "t0"), [UNEVEN.format("20.0 %")]),
        # One of 16: 48.4 against 50 %.
        (STRICT & (pl.col("prompt_id") == "South0-t0-strict"), []),
        (SOUTH, []),
        (pl.lit(True), []),  # noqa: FBT003 - nothing counts
    ],
    ids=["nothing", "an arm", "of a group", "in part", "hardly", "a group", "all"],
)
@pytest.mark.parametrize("filtered", [True, False])
def test_arms_that_count_less_for_a_level_are_told(
    pooled: ReportInputs, without: pl.Expr, said: list[str], *, filtered: bool
) -> None:
    prompts = pooled[Prompts].select("prompt_id", "arm", "group", "template_id", lost=without)
    labels = pooled[Labels].join(prompts.select("prompt_id", "lost"), on="prompt_id")
    none = labels.with_columns(
        label=pl.when("lost").then(None).otherwise("label"), filtered=pl.col("lost") & filtered
    ).drop("lost")
    given = pooled.with_tables({Labels: none})
    # What the service refused counts.
    expected = [] if filtered else said
    assert uneven_arms(given, "m") == expected
    assert list(left_out_cautions(given, "m"))[-len(expected) :] == expected or not expected


def test_every_dimension_but_that_of_arms_is_looked_at(pooled: ReportInputs) -> None:
    prompts = pooled[Prompts].with_columns(
        family=pl.when(pl.col("template_id") == "t0").then(pl.lit("other")).otherwise("family")
    )
    dimensions = {
        "arm": {"reference": "plain"},
        "group": {"reference": "north"},
        "family": {"reference": "plain"},
    }
    whole = WholeStudy(
        groups=NAMES, say=lambda *_: "a", arms=("plain", "strict"),
        analysis={"dimensions": dimensions,
                  "primary_family": {"outcome": "refusal", "dimension": "arm"}},
    )  # fmt: skip
    lost = STRICT & SOUTH & (pl.col("family") == "other")
    kept = prompts.filter(~lost).select("prompt_id")
    labels = pooled[Labels].join(kept, on="prompt_id", how="semi")
    given = replace(pooled, config=whole.config()).with_tables({Labels: labels, Prompts: prompts})
    # Of south 12 of 28 are left, of the family 4 of 12.
    assert uneven_arms(given, "m") == [
        UNEVEN.format("42.9 %"),
        UNEVEN.format("33.3 %")
        .replace("south names", "templates of the family other")
        .replace("north names", "templates of the family plain"),
    ]


def test_one_arm_is_never_uneven(tmp_path: Path) -> None:
    whole = WholeStudy(groups=NAMES, say=lambda *_: "a", analysis={"selfcheck": 0})
    assert uneven_arms(measure(whole, tmp_path), "m") == []
