from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.dimensions import list_up
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.resampling.leave_one_out import p_values, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def test_one_refusal_is_no_evidence_without_any_unit(study: Callable[..., pl.DataFrame]) -> None:
    """Nor where missing responses adjust names otherwise."""
    whole = {group: {f"{group}{at}": ["aa", "aa", "aa", "aa"] for at in range(5)} for group in "xy"}
    whole["y"]["y2"][1] = "ar"
    whole["x"]["x3"][1] = whole["y"]["y4"][0] = "a"
    whole["x"]["x0"][2] = ""
    frame = influences(study(whole), config("group", "x"))
    assert frame["estimate"].is_not_null().all()
    assert set(frame.filter(left_out_kind="template")["p_value"]) == {1.0}
    # With a name less it is rarer in the smaller group, and without its own name nowhere.
    names = dict(frame.filter(left_out_kind="name").select("left_out", "p_value").iter_rows())
    assert names["y2"] == 1
    assert min(names.values()) == pytest.approx(4 / 9)


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


def test_of_many_names_splits_are_drawn_and_the_note_says_so(
    study: Callable[..., pl.DataFrame],
) -> None:
    """Nine names against nine can be split in 48,620 ways."""
    random = np.random.default_rng(2)
    letters = {
        group: {f"{group}{at}": ["".join(random.choice(["r", "a"], 3))] for at in range(9)}
        for group in "xy"
    }
    analysis = config("group", "x").model_copy(update={"seed": 5})
    rows = influences(study(letters), analysis).filter(left_out_kind="name")
    assert set(rows["note"]) == {"p-value of random splits: there are too many to list"}
    counts = {
        name: cells[0].count("r") for group in letters.values() for name, cells in group.items()
    }
    names = sorted(counts)
    one_less = 1 - np.eye(18)
    ours = np.array([name.startswith("y") for name in names])
    k = np.array([counts[name] for name in names], dtype=float)
    expected = p_values(k[:, None] * one_less, 3 * one_less, ours, split(ours, seed=5))
    assert dict(rows.select("left_out", "p_value").iter_rows()) == pytest.approx(
        dict(zip(names, expected, strict=True))
    )


@pytest.fixture
def listed_groups() -> Iterator[None]:
    """The group is a property of the prompts of a list."""
    list_up(["group"])
    yield
    list_up(())


@pytest.mark.usefixtures("listed_groups")
def test_of_a_list_each_prompt_is_left_out_without_a_test() -> None:
    refused = {"p0": 3, "p1": 1, "p2": 0, "q0": 2, "q1": 2}
    rows = [
        {
            "model": "m", "group": "x" if prompt < "q" else "y", "name_id": None,
            "text_id": prompt, "label": "refusal" if at < times else "answer",
        }
        for prompt, times in refused.items()
        for at in range(4)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"name_id": pl.String})
    found = influences(frame, config("group", "x"))
    assert set(found["left_out_kind"].cast(pl.String)) == {"prompt"}
    assert found["p_value"].null_count() == len(found)
    assert found["note"].str.contains("levels are not a property of names").all()
    sides = {"x": ("p0", "p1", "p2"), "y": ("q0", "q1")}
    for left_out, estimate, change, *counts in found.select(
        "left_out", "estimate", "change", "n_group", "n_reference", "k_group", "k_reference"
    ).iter_rows():
        left = {
            side: [refused[each] for each in prompts if each != left_out]
            for side, prompts in sides.items()
        }
        rates = {side: sum(each) / (4 * len(each)) for side, each in left.items()}
        assert estimate == pytest.approx(rates["y"] - rates["x"])
        assert change == pytest.approx(estimate - (4 / 8 - 4 / 12))
        sizes = [4 * len(left["y"]), 4 * len(left["x"])]
        assert counts == [*sizes, sum(left["y"]), sum(left["x"])]
    assert found["left_out"].to_list() == sorted(refused)
