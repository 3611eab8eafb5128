"""Tables of a study with one arm whose cost is known, and what the page says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.config import StudyConfig
from refusal_parity.report.safeguards_wording import told
from refusal_parity.tables import SafeguardRates, Safeguards, conform, empty
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

GROUPS = ("all", "white", "muslim")
RATES = {
    ("plain", "harmless"): (0.10, 0.10, 0.10),
    ("guarded", "harmless"): (0.22, 0.12, 0.32),
    ("plain", "unsafe"): (0.40, 0.40, 0.40),
    ("guarded", "unsafe"): (0.90, 0.90, 0.90),
}


def rates(**other: Any) -> pl.DataFrame:
    rows = [
        {
            "model": "m",
            "arm": arm,
            "kind": kind,
            "outcome": "refusal",
            "dimension": "all" if group == "all" else "group",
            "group": group,
            "n": 100,
            "k": round(100 * rate),
            "n_stopped": 7 if arm == "guarded" else 0,
            "n_cut": 0,
            "n_left_out": 2,
            "rate": rate,
        }
        for (arm, kind), rates in RATES.items()
        for group, rate in zip(GROUPS, rates, strict=True)
    ]
    frame = pl.DataFrame(rows).with_columns(**other)
    return conform(
        pl.concat([empty(SafeguardRates), frame], how="diagonal_relaxed"),
        SafeguardRates,
        where="rates",
    )


def changes(p: float | None = 0.001) -> pl.DataFrame:
    rows = []
    for kind in ("harmless", "unsafe"):
        before, after = RATES["plain", kind], RATES["guarded", kind]
        costs = dict(zip(GROUPS, (b - a for a, b in zip(before, after, strict=True)), strict=True))
        for group, reference in (
            ("all", None),
            ("white", None),
            ("muslim", None),
            ("muslim", "white"),
        ):
            cost = costs[group] - (costs[reference] if reference else 0)
            rows.append(
                {
                    "model": "m",
                    "arm": "guarded",
                    "baseline": "plain",
                    "kind": kind,
                    "outcome": "refusal",
                    "dimension": "all" if group == "all" else "group",
                    "group": group,
                    "reference": reference,
                    "estimand": "disparity_difference" if reference else "rate_difference",
                    "scope": str(Scope.NEW_NAMES_AND_TEMPLATES),
                    "n_prompts": 100,
                    "names_group": 5,
                    "templates_group": 9,
                    "estimate": round(cost, 6),
                    "ci_low": round(cost - 0.05, 6),
                    "ci_high": round(cost + 0.05, 6),
                    "p_value": p,
                    "p_adjusted": p if cost else 1.0,
                    "left_arm": 0,
                    "left_baseline": 0,
                }
            )
    frame = pl.DataFrame(rows)
    return conform(
        pl.concat([empty(Safeguards), frame], how="diagonal_relaxed"), Safeguards, where="changes"
    )


def guarded_inputs(inputs: ReportInputs) -> ReportInputs:
    raw = inputs.config.model_dump(mode="json", exclude_unset=True)
    raw["models"] = {"m": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}}
    raw["prompts"] = {
        "templates": "t.csv",
        "names": "n.csv",
        "arms": {"plain": None, "guarded": {"guard": "g"}},
    }
    raw["guards"] = {"g": {"kind": "classifier", "harmful": ["u.csv"], "harmless": ["h.csv"]}}
    raw["analysis"] = {}
    return replace(inputs, config=StudyConfig.model_validate(raw)).with_tables(
        {SafeguardRates: rates(), Safeguards: changes()}
    )


def texts(inputs: ReportInputs) -> list[str]:
    """What is said of both kinds of request of the one arm."""
    [[arm]] = told(inputs).values()
    assert (arm.arm, arm.baseline) == ("guarded", "plain")
    return list(arm.kinds)
