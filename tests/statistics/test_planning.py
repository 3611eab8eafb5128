from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, AssumedVariance, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.planning.lines import plan_lines
from refusal_parity.statistics.planning.table import measured_design, planned_design
from refusal_parity.vocabulary import DesignQuantity

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]

ANALYSIS = AnalysisConfig(
    outcomes=[Outcome.REFUSAL], dimensions={"group": DimensionConfig(reference="white")}
)


def prompts(names: int, templates: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "name_id": f"{group}{name}",
                "group": group,
                "gender": ("woman", "man")[name % 2],
                "template_id": f"t{at}",
                "arm": "plain",
            }
            for group in ("white", "black")
            for name in range(names)
            for at in range(templates)
        ]
    )


def values(plan: pl.DataFrame) -> dict[tuple[str, float | None], float]:
    rows = plan.filter(pl.col("scope").cast(str) == "these templates, new names")
    rows = rows.select("quantity", "difference", "value")
    return {(str(quantity), difference): value for quantity, difference, value in rows.iter_rows()}


def test_a_plan_reads_back_to_itself() -> None:
    """As many names as are needed for 10 points find 10 points, and one fewer does not."""
    needed = values(planned_design(prompts(8, 24), ANALYSIS, samples=3))
    count = int(needed[DesignQuantity.NAMES_NEEDED, 0.10])
    for names, enough in ((count, True), (count - 1, False)):
        found = values(planned_design(prompts(names, 24), ANALYSIS, samples=3))
        assert (found[DesignQuantity.MINIMUM_DETECTABLE, None] <= 0.10) is enough
    one_more = values(planned_design(prompts(9, 24), ANALYSIS, samples=3))
    gain = needed[DesignQuantity.ONE_MORE_NAME, None]
    assert one_more[DesignQuantity.MINIMUM_DETECTABLE, None] == pytest.approx(
        needed[DesignQuantity.MINIMUM_DETECTABLE, None] + gain, abs=1e-12
    )


def test_what_cannot_be_reached_says_so() -> None:
    plan = planned_design(prompts(8, 24), ANALYSIS, samples=3)
    none = plan.filter(pl.col("quantity").cast(str) == "samples_needed", difference=0.02)
    assert none["value"].null_count() == none.height > 0
    assert none["note"].str.contains("no number of samples is enough").all()


def test_assumed_variances_are_those_of_the_config() -> None:
    calm = ANALYSIS.model_copy(update={"assumed": AssumedVariance(name=0.001)})
    assert (
        values(planned_design(prompts(8, 24), calm, samples=3))["minimum_detectable", None]
        < values(planned_design(prompts(8, 24), ANALYSIS, samples=3))["minimum_detectable", None]
    )


def test_group_and_gender_together_can_be_planned() -> None:
    both = {"group_gender": DimensionConfig(reference="white man")}
    plan = planned_design(
        prompts(8, 24), ANALYSIS.model_copy(update={"dimensions": both}), samples=3
    )
    assert set(plan["names"]) == set(plan["reference_names"]) == {4.0}


def test_lines_name_no_difference_of_more_than_100_points() -> None:
    wild = ANALYSIS.model_copy(update={"assumed": AssumedVariance(name=0.4)})
    lines = "\n".join(plan_lines(planned_design(prompts(2, 2), wild, samples=1), ["group"], arms=1))
    assert "mostly misses a difference, however large it is" in lines


def test_lines_say_the_main_numbers() -> None:
    lines = "\n".join(
        plan_lines(planned_design(prompts(8, 24), ANALYSIS, samples=3), ["group"], arms=1)
    )
    assert "group: 8 names against 8, 24 templates, 3 samples; these templates, new names" in lines
    # R: 0.22499 with the variances that the defaults round (tests/statistics/test_power.py).
    assert "finds differences from 22.5 points on in four of five studies" in lines
    assert "for 2 points" in lines


def test_lines_count_samples_of_each_system_prompt_and_leave_out_no_dimension() -> None:
    arms = pl.concat(
        [prompts(8, 24).with_columns(arm=pl.lit(arm)) for arm in ("plain", "strict", "kind")]
    )
    plan = planned_design(arms, ANALYSIS, samples=2)
    lines = plan_lines(plan, ["group", "arm", "family"], arms=3)
    text = "\n".join(lines)
    assert "24 templates, 2 samples under each of 3 system prompts; these templates" in text
    assert "one more sample of one system prompt" in text
    assert " or 5 samples under each of 3 system prompts" in text or "samples" not in lines[4]
    assert [line.partition(";")[0] for line in lines[-2:]] == [
        "arm: compares system prompts on the same names and templates",
        "family: compares templates on the same names",
    ]


def test_a_study_is_measured_by_its_own_variance(study: Study) -> None:
    random = np.random.default_rng(1)
    letters = np.array(list("ra"))

    def name() -> list[str]:
        return ["".join(random.choice(letters, 3)) for _ in range(6)]

    observations = study(
        {group: {f"{group}{at}": name() for at in range(5)} for group in ("white", "black")}
    )
    found = measured_design(observations, ANALYSIS)
    own = found.filter(pl.col("quantity").cast(str) == "minimum_detectable")
    assert own.height == 2
    assert own["names"].to_list() == [5.0, 5.0]
    assert own["samples"].to_list() == [3.0, 3.0]
    assert (own["value"] > 0).all()


def test_one_name_has_no_variance(study: Study) -> None:
    observations = study({"white": {"A": ["raa", "ara"], "B": ["rra", "aaa"]}, "x": {"C": ["raa"]}})
    found = measured_design(observations, ANALYSIS)
    assert found["value"].null_count() == found.height == 2
    assert found["note"].to_list() == ["not estimable: a group of one name"] * 2
