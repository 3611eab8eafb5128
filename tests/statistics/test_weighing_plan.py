"""What a plan says of weighing: requests, responses, tokens and half-widths."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from scipy.stats import t

from propensity_study import EVEN, UNEVEN, config_of
from refusal_parity.openings.worth import RARE
from refusal_parity.statistics.planning.weighing import (
    half_widths_of,
    refused_units,
    weighing_design,
    weighing_plan_lines,
    weighing_would_bring,
    why_unknown,
)
from refusal_parity.tables import Labels, StudyDesign, filled
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig

ASSUMED = {
    "rate": 0.01, "name": 1e-6, "template": 1e-4, "template_group": 1e-6, "cell": 2e-5,
    "sample": 0.0099,
}  # fmt: skip


def plan(names: float = 8.0, **changes: Any) -> pl.DataFrame:
    alone = "not estimable: a group of one name" if names == 1 else None
    variances = {f"var_{key}": value for key, value in ASSUMED.items() if key != "rate"}
    rows = [
        {
            "model": "assumed", "outcome": "refusal", "dimension": "group", "scope": scope,
            "names": names, "reference_names": 8.0, "templates": 32.0, "samples": 3.0,
            "quantity": "minimum_detectable", "alpha": 0.05, "power": 0.8, "note": alone,
            "rate": ASSUMED["rate"], **variances,
        } | changes
        for scope in map(str, (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES))
    ]  # fmt: skip
    return filled(pl.DataFrame(rows), StudyDesign, where="test")


def test_what_weighing_takes_and_brings() -> None:
    study = config_of(assumed=ASSUMED)
    study = study.model_copy(
        update={"sampling": study.sampling.model_copy(update={"max_tokens": 16})}
    )
    found = weighing_design(plan(), study, prompts=1792)
    asked = found.filter(pl.col("model") != "assumed")
    assert asked.select("model", "quantity", "value").rows() == [
        (model, quantity, value)
        for model in (EVEN, UNEVEN)
        for quantity, value in (
            ("short_requests", 35_840.0),
            ("continuations", 896.0),
            ("weighing_tokens", 35_840.0 + 16 * 896),
        )
    ]
    half = found.filter(pl.col("model") == "assumed", pl.col("scope") == str(Scope.NEW_NAMES))
    # By hand: eight names a group, each with 32 templates and 3 responses.
    for quantity, sample in (("half_width_drawn", 0.0099), ("half_width_weighed", 0.000495)):
        [value] = half.filter(quantity=quantity)["value"]
        variance = 2 / 8 * (1e-6 + (2e-5 + sample / 3) / 32)
        assert value == pytest.approx(t.isf(0.025, 14) * sqrt(variance), rel=1e-9)
    first, _, bring, wider = weighing_plan_lines(found, study)
    assert first == (
        f"  {EVEN}: weighing takes about 35,840 requests of one token and 896 responses that are "
        "given an opening, at most 50,176 tokens"
    )
    assert bring == (
        f"  group, 8 against 8, {Scope.NEW_NAMES}: intervals of a difference reach 0.28 points to "
        "each side, of drawn rates 1.1, if 5 % of the refusals open otherwise than those to "
        "other templates"
    )
    assert str(Scope.NEW_NAMES_AND_TEMPLATES) in wider
    # Of a study that draws it is said what weighing would do, and only where refusals are rare.
    draws = drawn(study)
    first, _, bring, _ = weighing_plan_lines(found, draws)
    assert "weighing its openings (sampling.openings: weigh) would take about 35,840" in first
    assert "intervals of a difference would reach 0.28 points" in bring
    common = config_of(assumed=ASSUMED | {"rate": RARE + 0.01})
    assert weighing_plan_lines(found, drawn(common)) == []
    first, _, falls_back, *_ = weighing_plan_lines(found, common)
    assert first.startswith(f"  {EVEN}: weighing takes")
    assert falls_back.startswith("  where more than 5 % refuse and open too variously")


def drawn(study: StudyConfig) -> StudyConfig:
    """The study with openings that are not weighed."""
    sampling = study.sampling.model_copy(update={"openings": "draw"})
    return study.model_copy(update={"sampling": sampling})


def prompts(templates: int = 4) -> pl.DataFrame:
    rows = [
        {"prompt_id": f"{t}-{n}", "template_id": f"t{t}"} for t in range(templates) for n in "ab"
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("changes", "refused", "said"),
    [
        ({}, 2, None),
        ({}, 1, "1 template has a refusal, and openings are learnt from those of 2"),
        ({}, 0, "0 templates have a refusal, and openings are learnt from those of 2"),
        ({"samples": 1.0}, 2, "with one response a prompt, nobody knows"),
        ({"names": 1.0}, 2, "a group of one name"),
        (
            {"var_sample": None, "note": "not estimable: sets meet several levels"},
            2,
            "sets meet several levels",
        ),
    ],
)
def test_what_weighing_would_bring_to_a_study_that_draws(
    changes: dict[str, Any], refused: int, said: str | None
) -> None:
    """By its own variances; where these are not known, a reason and no number."""
    study = drawn(config_of())
    design = plan(**{"model": EVEN} | changes)
    found = weighing_would_bring(design, study, EVEN, prompts=prompts(), refused=refused)
    asked = {
        row["quantity"]: row["value"]
        for row in found.drop_nulls("value").iter_rows(named=True)
        if not str(row["quantity"]).startswith("half_width")
    }
    assert asked["short_requests"] == 8 * 20
    assert asked["continuations"] == 4
    halves = half_widths_of(found, EVEN)
    if said is not None:
        assert halves == []
        assert why_unknown(found).startswith(said)
        return
    expected = half_widths_of(
        weighing_design(plan(), config_of(assumed=ASSUMED), prompts=8), "assumed"
    )
    assert halves == expected
    assert len(halves) == 2
    assert all(each.weighed < each.drawn for each in halves)


@pytest.mark.parametrize(
    "changes", [{"rate": RARE + 0.001}, {"outcome": "harmful_refusal"}, {"rate": None}]
)
def test_what_is_not_rare_or_not_known_hears_nothing(changes: dict[str, Any]) -> None:
    study = drawn(config_of())
    design = plan(model=EVEN, **changes)
    few = prompts()
    assert weighing_would_bring(design, study, EVEN, prompts=few, refused=9).is_empty()
    # Neither does what is weighed already, nor what cannot be.
    design = plan(model=EVEN)
    assert weighing_would_bring(design, config_of(), EVEN, prompts=few, refused=9).is_empty()
    cold = study.model_copy(
        update={"sampling": study.sampling.model_copy(update={"temperature": 0.0})}
    )
    assert weighing_would_bring(design, cold, EVEN, prompts=few, refused=9).is_empty()


def test_templates_with_a_refusal_are_counted() -> None:
    """Not what has no label, nor what is left out, and each template once."""
    rows = [
        ("0-a", "refusal", None), ("0-b", "refusal", None), ("1-a", "answer", None),
        ("2-a", None, "empty"), ("3-a", "harmful_refusal", None),
    ]  # fmt: skip
    labels = filled(
        pl.DataFrame(
            [
                {
                    "model": EVEN, "prompt_id": key, "sample": 0, "label": label,
                    "exclusion": why, "truncated": False, "filtered": False,
                }
                for key, label, why in rows
            ]
        ),
        Labels,
        where="test",
    )  # fmt: skip
    assert refused_units(prompts(), labels) == 2
    assert refused_units(prompts(), labels.clear()) == 0
    # Of one template, prompts stand in the templates' place.
    assert refused_units(prompts(1), labels) == 2


def test_where_nothing_can_be_weighed_nothing_is_said() -> None:
    study = config_of()
    cold = study.model_copy(
        update={"sampling": study.sampling.model_copy(update={"temperature": 0.0})}
    )
    found = weighing_design(plan(), cold, prompts=9)
    assert found.is_empty()
    assert weighing_plan_lines(found, cold) == []
    alone = weighing_design(plan(names=1.0), study, prompts=9)
    notes = alone.filter(pl.col("model") == "assumed")["note"].to_list()
    assert set(notes) == {"not estimable: a group of one name"}
    # Two models, and what happens where refusals are common; no half-width.
    lines = weighing_plan_lines(alone, study)
    assert len(lines) == 3
    assert not any("reach" in line for line in lines)
