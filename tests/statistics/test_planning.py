from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from programs import program_of
from scipy.stats import norm

from refusal_parity.config import AnalysisConfig, AssumedVariance, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.bias_reduced import ols_cr2_two_way
from refusal_parity.statistics.planning import simulated
from refusal_parity.statistics.planning.deciding import holm_of_rows
from refusal_parity.statistics.planning.lines import plan_lines
from refusal_parity.statistics.planning.power import Size, minimum_detectable, precision
from refusal_parity.statistics.planning.table import measured_design, planned_design
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.latent import latent_of
from refusal_parity.statistics.variances.components import Components
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.simulation.latent import Latent

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
    """As many names as are needed for 10 points find 10 points; both are of simulated studies."""
    needed = values(planned_design(prompts(8, 24), ANALYSIS, samples=3))
    count = int(needed[DesignQuantity.NAMES_NEEDED, 0.10])
    found = values(planned_design(prompts(count, 24), ANALYSIS, samples=3))
    assert found[DesignQuantity.MINIMUM_DETECTABLE, None] == pytest.approx(0.10, rel=0.08)
    one_more = values(planned_design(prompts(9, 24), ANALYSIS, samples=3))
    gain = needed[DesignQuantity.ONE_MORE_NAME, None]
    assert gain < 0
    assert one_more[DesignQuantity.MINIMUM_DETECTABLE, None] == pytest.approx(
        needed[DesignQuantity.MINIMUM_DETECTABLE, None] + gain, rel=0.08
    )


def test_other_dimensions_are_planned_by_the_formula() -> None:
    """Their tests are no family: as many names as are needed are just enough."""
    dimensions = {
        "group": DimensionConfig(reference="white"),
        "gender": DimensionConfig(reference="man"),
    }
    analysis = ANALYSIS.model_copy(update={"dimensions": dimensions})
    plan = planned_design(prompts(8, 24), analysis, samples=3)
    needed = values(plan.filter(dimension="gender"))
    count = int(needed[DesignQuantity.NAMES_NEEDED, 0.10])
    for names, enough in ((count, True), (count - 1, False)):
        other = planned_design(prompts(names, 24), analysis, samples=3)
        found = values(other.filter(dimension="gender"))
        assert (found[DesignQuantity.MINIMUM_DETECTABLE, None] <= 0.10) is enough
    # The variance of a group that refuses more is its own, and larger.
    parts = ANALYSIS.assumed
    own = Components(**{key: getattr(parts, key) for key in Components._fields})
    size = Size(8, 8, 24, 3)
    promised = minimum_detectable(precision(own, size, Scope.NEW_NAMES), 0.05, 0.8)
    assert needed[DesignQuantity.MINIMUM_DETECTABLE, None] > 1.05 * promised


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_four_of_five_studies_show_the_smallest_difference(rate: float) -> None:
    """Drawn response by response, apart from the package, and decided by Holm's procedure.

    150 studies: 80 % within four standard errors.
    """
    parts = Components(rate, *(rate * (1 - rate) * share for share in (0.03, 0.1, 0.01, 0.06, 0.8)))
    assumed = AssumedVariance(**parts._asdict())
    groups = ("white", "x", "y")
    study = pl.DataFrame(
        [
            {
                "name_id": f"{group}{name}",
                "group": group,
                "gender": "man",
                "template_id": f"t{at}",
                "arm": "plain",
            }
            for group in groups
            for name in range(7)
            for at in range(24)
        ]
    )
    plan = planned_design(study, ANALYSIS.model_copy(update={"assumed": assumed}), samples=3)
    both = plan.filter(pl.col("scope").cast(str) == str(Scope.NEW_NAMES_AND_TEMPLATES))
    [smallest] = both.filter(pl.col("quantity").cast(str) == "minimum_detectable")["value"]
    latent = latent_of(parts, 3)
    random = np.random.default_rng(11)
    means = latent.with_rates(np.array([rate, rate + smallest, rate])).mean
    level = np.repeat(np.arange(3), 7)
    shape = (150, len(level), 24)
    score = means[level][:, None] + np.zeros(shape)
    score += np.sqrt(latent.template) * random.standard_normal((150, 1, 24))
    score += np.sqrt(latent.template_group) * random.standard_normal((150, 3, 24))[:, level]
    score += np.sqrt(latent.name[0]) * random.standard_normal((*shape[:2], 1))
    score += np.sqrt(latent.cell) * random.standard_normal(shape)
    k = random.binomial(3, norm.cdf(score / np.sqrt(latent.sample))).astype(float)
    studies = Studies(Grid(groups, level, np.full(shape[1:], 3.0)), k)
    setting = Setting(0.05, 0.05, Draws(1, 1), Resamples(1, 1))
    [answers] = ols_cr2_two_way(studies, setting)
    p_values = np.nan_to_num(answers.values("p_value"), nan=1.0)
    shown = [holm(each)[0] < 0.05 for each in p_values]
    assert np.mean(shown) == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 150))


def test_holm_of_many_studies_is_holm_of_each() -> None:
    p_values = np.random.default_rng(1).random((40, 5)) ** 3
    p_values[3, 2] = np.inf
    mine = holm_of_rows(p_values)
    for each, found in zip(p_values, mine, strict=True):
        known = np.isfinite(each)
        expected = holm(each[known])
        assert np.minimum(found[known], 1) == pytest.approx(expected, rel=1e-12)


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


@pytest.mark.parametrize(
    ("shares", "remarked"),
    [((0.8,) * 5, True), ((0.79, 0.8, 0.79, 0.8, 0.79), True), ((0.6, 0.7, 0.8, 0.9, 0.97), False)],
    ids=["level", "no more far than near", "rising"],
)
def test_a_difference_that_no_rising_line_gives_is_said(
    monkeypatch: pytest.MonkeyPatch, shares: tuple[float, ...], *, remarked: bool
) -> None:
    def share(_: Any, latent: Latent, group: int, __: Any, part: int) -> float:
        if part:
            return shares[part - 1]
        return 0.9 if abs(latent.rates[group] - latent.rates[0]) > 0.2 else 0.5

    monkeypatch.setattr(simulated, "_share_shown", share)
    plan = planned_design(prompts(8, 24), ANALYSIS, samples=3)
    lowest = plan.filter(pl.col("quantity").cast(str) == "minimum_detectable").filter(
        pl.col("value").is_not_null()
    )
    assert lowest.height == 2
    assert (lowest["note"] == simulated.ROUGHLY).fill_null(value=False).all() is remarked
    assert lowest["note"].null_count() == (0 if remarked else 2)
    lines = plan_lines(plan, ["group"], arms=1)
    assert (f"  {simulated.ROUGHLY}" in lines) is remarked


def test_lines_say_the_main_numbers() -> None:
    lines = "\n".join(
        plan_lines(planned_design(prompts(8, 24), ANALYSIS, samples=3), ["group"], arms=1)
    )
    assert "group: 8 names against 8, 24 templates, 3 samples; these templates, new names" in lines
    # With the variance at the reference's rate alone it would be 22.5.
    words = re.search(r"finds differences from ([\d.]+) points on in four of five studies", lines)
    assert words is not None
    assert 24 < float(words.group(1)) < 30
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


@pytest.mark.simulation
def test_four_of_five_calibrated_studies_show_the_smallest_difference() -> None:
    """Each of 80 studies, drawn apart from the package, is held against its own null model."""
    program = program_of("planned_studies")
    smallest = program.planned("24x32", "MILD", 0.2)
    share = program.shown("24x32", "MILD", (0.2, 0.2 + smallest), 80, 2)
    # Four standard errors of a share of 80.
    assert share == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 80))
