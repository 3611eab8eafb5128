"""What a plan says of weighing: requests, responses, tokens and half-widths."""

from __future__ import annotations

from math import sqrt

import polars as pl
import pytest
from scipy.stats import t

from propensity_study import EVEN, UNEVEN, config_of
from refusal_parity.statistics.planning.weighing import weighing_design, weighing_plan_lines
from refusal_parity.tables import StudyDesign, filled
from refusal_parity.vocabulary import Scope

ASSUMED = {
    "rate": 0.01, "name": 1e-6, "template": 1e-4, "template_group": 1e-6, "cell": 2e-5,
    "sample": 0.0099,
}  # fmt: skip


def plan(names: float = 8.0) -> pl.DataFrame:
    rows = [
        {
            "model": "assumed", "outcome": "refusal", "dimension": "group", "scope": scope,
            "names": names, "reference_names": 8.0, "templates": 32.0, "samples": 3.0,
            "quantity": "minimum_detectable", "alpha": 0.05, "power": 0.8,
        }
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
    first, _, bring, wider = weighing_plan_lines(found)
    assert first == (
        f"  {EVEN}: weighing takes about 35,840 requests of one token and 896 responses that are "
        "given an opening, at most 50,176 tokens"
    )
    assert bring == (
        f"  group, 8 against 8, {Scope.NEW_NAMES}: intervals of a difference reach 0.28 points to "
        "each side, of drawn rates 1.1"
    )
    assert str(Scope.NEW_NAMES_AND_TEMPLATES) in wider


def test_where_nothing_can_be_weighed_nothing_is_said() -> None:
    study = config_of()
    cold = study.model_copy(
        update={"sampling": study.sampling.model_copy(update={"temperature": 0.0})}
    )
    found = weighing_design(plan(), cold, prompts=9)
    assert found.is_empty()
    assert weighing_plan_lines(found) == []
    alone = weighing_design(plan(names=1.0), study, prompts=9)
    notes = alone.filter(pl.col("model") == "assumed")["note"].to_list()
    assert set(notes) == {"not estimable: a group of one name"}
    assert len(weighing_plan_lines(alone)) == 2
