"""Which templates and names each stage of a study has."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.errors import InputError
from refusal_parity.prompts import Stimuli
from refusal_parity.stages import (
    NAMES,
    TEMPLATES,
    at_stage,
    check_stages,
    name_places,
    of_stage,
    template_places,
)
from refusal_parity.statistics import enough
from refusal_parity.statistics.methods import calibrated

if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = {"north": 12, "south": 12, "west": 6}


def _analysis(grow: str, stages: list[int], **changes: Any) -> AnalysisConfig:
    rule = {"half_width": 0.05, "grow": grow, "stages": stages, "seed": changes.pop("seed", 1)}
    dimensions = {"group": {"reference": "north"}, "gender": {"reference": "man"}}
    return AnalysisConfig.model_validate({"dimensions": dimensions, "stop_when": rule} | changes)


def _stimuli(templates: int = 40, groups: dict[str, int] | None = None) -> Stimuli:
    names = [
        {
            "name_id": f"{group}-{at}",
            "name": f"N{group}{at}",
            "group": group,
            # One in three of the north are women, half of the others.
            "gender": "woman" if at % (3 if group == "north" else 2) == 0 else "man",
            "commonness": None,
        }
        for group, size in (groups or GROUPS).items()
        for at in range(size)
    ]
    sentences = [
        {
            "template_id": f"t{at}",
            "family": "rare" if at % 4 == 0 else "usual",
            "template": f"[NAME] {at}",
        }
        for at in range(templates)
    ]
    return Stimuli(pl.DataFrame(sentences), pl.DataFrame(names))


@pytest.mark.parametrize(
    ("grow", "stages"),
    [("templates", [20, 28, 40]), ("names", [9, 10, 12]), ("samples", [1, 2, 3])],
    ids=["templates", "names", "samples"],
)
def test_each_stage_is_among_the_next(grow: str, stages: list[int]) -> None:
    stimuli, analysis = _stimuli(), _analysis(grow, stages)
    check_stages(stimuli, analysis, where="here")
    found = [at_stage(stimuli, analysis, stage) for stage in (1, 2, 3)]
    for earlier, later in pairwise(found):
        assert set(earlier.templates["template_id"]) <= set(later.templates["template_id"])
        assert set(earlier.names["name_id"]) <= set(later.names["name_id"])
    assert found[2].templates.equals(stimuli.templates)
    assert found[2].names.equals(stimuli.names)
    sizes = {
        "templates": [len(each.templates) for each in found],
        "names": [each.names["group"].value_counts()["count"].max() for each in found],
        "samples": stages,
    }
    assert sizes[grow] == stages
    responses = pl.DataFrame(
        {
            "template_id": ["t0", "t0", found[0].templates["template_id"][0]],
            "name_id": ["north-0", "north-0", found[0].names["name_id"][0]],
            "sample": [0, 2, 0],
        }
    )
    rule = analysis.stop_when
    assert rule is not None
    seen = [
        responses.filter(of_stage(stimuli, analysis, rule, stage)).height for stage in (1, 2, 3)
    ]
    assert seen[2] == 3
    assert sorted(seen) == seen
    # The last row is one of the first stage, whatever grows.
    assert of_last(responses, of_stage(stimuli, analysis, rule, 1))


@pytest.mark.parametrize(
    ("grow", "stages", "sizes"),
    [
        ("templates", [20, 30], [20 * 30 * 3, 30 * 30 * 3]),
        # Six, eight and so on of each group that has as many.
        ("names", [8, 12], [40 * (8 + 8 + 6) * 3, 40 * 30 * 3]),
        ("samples", [1, 3], [40 * 30, 40 * 30 * 3]),
    ],
    ids=["templates", "names", "samples"],
)
def test_a_response_is_of_a_stage_by_template_name_and_sample(
    grow: str, stages: list[int], sizes: list[int]
) -> None:
    stimuli, analysis = _stimuli(), _analysis(grow, stages)
    rule = analysis.stop_when
    assert rule is not None
    samples = pl.DataFrame({"sample": range(3)})
    every = stimuli.templates.join(stimuli.names, how="cross").join(samples, how="cross")
    for stage, size in enumerate(sizes, start=1):
        kept = every.filter(of_stage(stimuli, analysis, rule, stage))
        there = at_stage(stimuli, analysis, stage)
        assert len(kept) == size
        assert set(kept["template_id"]) == set(there.templates["template_id"])
        assert set(kept["name_id"]) == set(there.names["name_id"])
        assert set(kept["sample"]) == set(range(stages[stage - 1] if grow == "samples" else 3))


def of_last(rows: pl.DataFrame, is_taken: pl.Expr) -> bool:
    return bool(rows.select(is_taken.alias("taken"))["taken"][-1])


def test_the_stage_is_the_one_that_was_opened() -> None:
    stimuli, analysis = _stimuli(), _analysis("templates", [20, 28, 40])
    assert len(at_stage(stimuli, analysis).templates) == 20
    rule = analysis.stop_when
    assert rule is not None
    opened = analysis.model_copy(update={"stop_when": rule.at(2)})
    assert len(at_stage(stimuli, opened).templates) == 28
    assert at_stage(stimuli, AnalysisConfig()) is stimuli


def test_names_of_each_level_are_taken_evenly() -> None:
    stimuli, analysis = _stimuli(), _analysis("names", [6, 12])
    first = at_stage(stimuli, analysis, 1).names
    assert dict(first["group"].value_counts().iter_rows()) == dict.fromkeys(GROUPS, 6)
    women = first.filter(pl.col("gender") == "woman")["group"].value_counts()
    assert dict(women.iter_rows()) == {"north": 2, "south": 3, "west": 3}


def test_levels_are_those_of_the_primary_dimension() -> None:
    stimuli = _stimuli()
    family = {"primary_family": {"dimension": "gender"}}
    first = at_stage(stimuli, _analysis("names", [12, 15], **family), 1).names
    assert dict(first["gender"].value_counts().iter_rows()) == {"man": 12, "woman": 12}
    # Of the other dimension's words each has about its share, 8, 6 and 3 of 17 men.
    men = first.filter(pl.col("gender") == "man")["group"].value_counts()
    assert dict(men.iter_rows()) == {"north": 6, "south": 4, "west": 2}


def test_families_are_spread_over_the_order_and_sets_stay_whole() -> None:
    templates = _stimuli().templates
    place = template_places(templates, 1)
    assert sorted(place) == list(range(40))
    for size in (4, 8, 20):
        rare = (templates["family"] == "rare").filter(place < size).sum()
        assert rare == size // 4
    kinds = templates.drop("family").with_columns(
        kind=pl.Series(["unsafe" if at % 5 == 0 else "harmless" for at in range(40)])
    )
    place = template_places(kinds, 1)
    for size in (5, 10, 20):
        assert (kinds["kind"] == "unsafe").filter(place < size).sum() == size // 5
    sets = templates.with_columns(set=pl.Series([f"s{at // 2}" for at in range(40)]))
    place = template_places(sets, 1)
    assert set(place) == set(range(20))
    assert (place[::2] == place[1::2]).all()


@pytest.mark.parametrize(
    "places",
    [
        lambda stimuli, seed: dict(
            zip(
                stimuli.templates["template_id"],
                template_places(stimuli.templates, seed),
                strict=True,
            )
        ),
        lambda stimuli, seed: dict(
            zip(
                stimuli.names["name_id"],
                name_places(stimuli.names, _analysis("names", [8, 12]), seed),
                strict=True,
            )
        ),
    ],
    ids=["templates", "names"],
)
def test_the_order_hangs_on_the_seed_and_not_on_the_file(
    places: Callable[[Stimuli, int], dict[str, int]],
) -> None:
    stimuli = _stimuli()
    turned = Stimuli(stimuli.templates.reverse(), stimuli.names.reverse())
    assert places(stimuli, 1) == places(turned, 1)
    assert places(stimuli, 1) != places(stimuli, 2)


@pytest.mark.parametrize(
    ("grow", "stages", "changes", "what"),
    [
        ("templates", [12, 24], {}, "begins with 12 templates and 30 names"),
        ("templates", [20, 48], {}, "ends with 48 templates, and the files have 40"),
        ("names", [4, 16], {"groups": dict.fromkeys("abcdefg", 8)}, "largest level of group has 8"),
        ("names", [4, 12], {}, "begins with 40 templates and 12 names"),
        ("names", [12, 13], {"groups": {"a": 12, "b": 13, "c": 3}}, "begins with 3 names of 'c'"),
        ("samples", [1, 2], {"templates": 19}, "begins with 19 templates"),
        ("samples", [1, 2], {"dimension": "family"}, "'family' is no property of names"),
    ],
)
def test_what_a_study_cannot_grow_by(
    grow: str, stages: list[int], changes: dict[str, Any], what: str
) -> None:
    dimension = changes.pop("dimension", "group")
    dimensions = {dimension: {"reference": "a"}}
    analysis = _analysis(
        grow, stages, dimensions=dimensions, primary_family={"dimension": dimension}
    )
    groups = changes.get("groups", {"a": 12, "b": 12, "c": 6})
    if grow == "names" and not changes:
        groups = {"a": 12, "b": 12, "c": 12}
    stimuli = _stimuli(changes.get("templates", 40), groups)
    with pytest.raises(InputError) as raised:
        check_stages(stimuli, analysis, where="x.yaml")
    assert what in str(raised.value)
    assert raised.value.where == "x.yaml, analysis.stop_when"


def test_a_matched_set_counts_as_one_template_of_the_first_stage() -> None:
    stimuli = _stimuli()
    pairs = stimuli.templates.with_columns(set=pl.Series([f"s{at // 2}" for at in range(40)]))
    in_sets = Stimuli(pairs, stimuli.names)
    with pytest.raises(InputError, match="begins with 12 templates and 30 names"):
        check_stages(in_sets, _analysis("templates", [12, 20]), where="x")
    with pytest.raises(InputError, match="ends with 21 templates, and the files have 20"):
        check_stages(in_sets, _analysis("templates", [20, 21]), where="x")


def test_names_of_no_level_do_not_count_for_the_first_stage() -> None:
    stimuli = _stimuli(groups={"north": 12, "south": 11})
    nobody = stimuli.names.head(4).with_columns(
        name_id=pl.lit("none-") + pl.col("name_id"), group=pl.lit(None, pl.String)
    )
    both = Stimuli(stimuli.templates, pl.concat([stimuli.names, nobody]))
    with pytest.raises(InputError, match="begins with 20 templates and 23 names"):
        check_stages(both, _analysis("templates", [20, 40]), where="x")


def test_a_first_stage_is_large_enough_for_the_test_that_decides() -> None:
    assert (TEMPLATES, NAMES) == (calibrated.TEMPLATES, calibrated.NAMES)
    assert enough.LEAST == 4
