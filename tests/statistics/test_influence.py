from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.influence import influences

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_numbers import ReferenceStudy


def config(dimension: str, reference: str) -> AnalysisConfig:
    return AnalysisConfig(
        outcomes=[Outcome.REFUSAL], dimensions={dimension: DimensionConfig(reference=reference)}
    )


def test_every_name_and_template_is_left_out_once(reference_study: ReferenceStudy) -> None:
    design, frame = reference_study.design(), reference_study.influence
    names = dict(zip(design.levels, design.members(design.name), strict=True))
    reference = design.levels[0]
    counted = frame.group_by("group", "left_out_kind").len()
    assert {(group, kind): count for group, kind, count in counted.iter_rows()} == {
        (group, kind): count
        for group in design.levels[1:]
        for kind, count in (
            ("name", names[group] + names[reference]),
            ("template", int(design.template.max()) + 1),
        )
    }


@pytest.mark.parametrize(
    ("reference_study", "group", "name"),
    [("rare", "blue", "n05"), ("released", "muslim", "Mohammed")],
    indirect=["reference_study"],
)
def test_an_outlying_name_moves_most(
    reference_study: ReferenceStudy, group: str, name: str
) -> None:
    moved = reference_study.influence.filter(group=group, left_out_kind="name")
    assert moved.sort(pl.col("change").abs())["left_out"][-1] == name


def test_nothing_left_says_so(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"A": ["ra"], "B": ["aa"]}, "y": {"C": ["rr"]}})
    frame = influences(observations, config("group", "x"))
    rows = {row["left_out"]: row for row in frame.iter_rows(named=True)}
    assert rows["C"]["note"] == "not estimable: nothing left of the group"
    assert rows["t0"]["estimate"] is None
    assert rows["A"]["estimate"] == 1
    assert rows["A"]["change"] == pytest.approx(0.25)
    assert rows["A"]["p_value"] == 1


@pytest.mark.parametrize(
    ("reference_study", "reference"),
    [("complete", "home"), ("released", "women")],
    indirect=["reference_study"],
)
def test_templates_have_no_exact_test(reference_study: ReferenceStudy, reference: str) -> None:
    frame = influences(reference_study.observations, config("family", reference))
    assert frame["p_value"].is_null().all()
    assert frame["note"].str.contains("levels are not a property of names").all()
    assert frame["estimate"].is_not_null().all()
