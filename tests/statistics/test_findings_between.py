"""Findings of models against each other."""

from __future__ import annotations

from typing import Any

import pytest
import reported
from reported import (
    a_row,
    found,
)

from refusal_parity.config import ModelContrast
from refusal_parity.vocabulary import Scope


def against(scope: Scope, group: str | None = None, **values: Any) -> dict[str, Any]:
    """A row of comparison.parquet: new against old."""
    kind = "rate" if group is None else "disparity"
    p = values.get("p_adjusted")
    return {
        "contrast": "new - old", "model": "new", "baseline": "old", "outcome": "refusal",
        "dimension": "all" if group is None else "group", "group": group,
        "reference": group and "white", "estimand": f"{kind}_difference", "scope": scope,
        "n_prompts": 150, "names_group": 6, "names_reference": group and 9, "templates_group": 10,
        "templates_reference": group and 10, "p_value": p,
        "family": p and f"between models: {kind}",
    } | values  # fmt: skip


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (
            {"estimate": 0.2, "ci_low": 0.1, "ci_high": 0.3, "p_adjusted": 0.01},
            {"estimate": 0.2, "ci_low": 0.15, "ci_high": 0.25, "p_adjusted": 0.002},
            {"verdict": "shown", "scope": Scope.NEW_NAMES_AND_TEMPLATES, "estimate": 0.2,
             "ci_low": 0.1, "names_ci_low": 0.15, "names_p_adjusted": 0.002, "fallback": None,
             "correction": "benjamini_hochberg", "margin": 0.05, "p_small": None},
        ),
        (
            {"estimate": 0.2, "ci_low": -0.1, "ci_high": 0.5, "p_adjusted": 0.2},
            {"estimate": 0.2, "ci_low": 0.15, "ci_high": 0.25, "p_adjusted": 0.002},
            {"verdict": "not_shown", "scope": Scope.NEW_NAMES_AND_TEMPLATES, "p_adjusted": 0.2},
        ),
        (
            {"note": "not estimable: one template"},
            {"estimate": 0.2, "ci_low": 0.15, "ci_high": 0.25, "p_adjusted": 0.002},
            {"verdict": "shown", "scope": Scope.NEW_NAMES, "p_adjusted": 0.002,
             "fallback": "not estimable: one template"},
        ),
        (
            {"estimate": 0.0, "note": "the models have the same rate in every prompt"},
            {"estimate": 0.0, "note": "the models have the same rate in every prompt"},
            {"verdict": "not_shown", "estimate": 0.0, "reason": None,
             "note": "the models have the same rate in every prompt"},
        ),
        (
            {"note": "not estimable: one name"},
            {"note": "not estimable: one name"},
            {"verdict": "not_estimable", "reason": "one name", "scope": None},
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("group", [None, "black"])
def test_models_against_each_other_are_findings_too(
    group: str | None, wide: dict[str, Any], narrow: dict[str, Any], expected: dict[str, Any]
) -> None:
    rows = [
        against(Scope.NEW_NAMES, group, **narrow),
        against(Scope.NEW_NAMES_AND_TEMPLATES, group, **wide),
    ]
    dimension = "all" if group is None else "group"
    row = found([a_row()], group, dimension=dimension, contrast="new - old", comparison=rows)
    assert {key: row[key] for key in expected} == expected
    assert (row["model"], row["baseline"], row["primary"]) == ("new", "old", False)
    assert (row["names_group"], row["names_reference"]) == (6, group and 9)
    assert row["method"] is None


def test_a_series_of_sizes_has_no_model() -> None:
    rows = [
        against(scope, estimate=0.1, p_adjusted=0.3)
        | {"contrast": "sizes", "model": None, "baseline": None, "estimand": "rate_trend"}
        for scope in (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
    ]
    row = found([a_row()], None, dimension="all", contrast="sizes", comparison=rows)
    assert (row["model"], row["estimand"], row["verdict"]) == (None, "rate_trend", "not_shown")


@pytest.mark.parametrize(("model", "correction"), [("new", "holm"), (None, "benjamini_hochberg")])
def test_declared_pairs_are_said_to_be_corrected_by_what_corrects_them(
    model: str | None, correction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = ModelContrast(model="new", baseline="old")
    declared = reported.ANALYSIS.model_copy(update={"model_contrasts": [pair]})
    monkeypatch.setattr(reported, "ANALYSIS", declared)
    rows = [
        against(scope, estimate=0.1, p_adjusted=0.3) | {"model": model}
        for scope in (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
    ]
    row = found([a_row()], None, dimension="all", contrast="new - old", comparison=rows)
    assert row["correction"] == correction
