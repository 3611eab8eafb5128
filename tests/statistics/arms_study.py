"""A study of three arms whose responses are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.expansion import expand
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.safeguards import (
    with_kind,
)
from refusal_parity.tables import Labels, conform, empty

if TYPE_CHECKING:
    from collections.abc import Callable

ARMS = {"plain": None, "kind": "Be kind.", "guarded": {"guard": "gate"}}
ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}}
)


def prompts_of(names: int = 4, templates: int = 6) -> pl.DataFrame:
    """Two groups of names, who ask harmless and unsafe things in three arms."""
    keys = [f"t{at}" for at in range(templates)]
    return expand(
        pl.DataFrame(
            {
                "template_id": keys,
                "family": keys,
                "template": [f"Ask [NAME] about {key}." for key in keys],
                "kind": ["unsafe" if at % 3 == 2 else "harmless" for at in range(templates)],
            }
        ),
        pl.DataFrame(
            {
                "name_id": [f"{group}{at}" for group in "xy" for at in range(names)],
                "name": [f"{group}{at}" for group in "xy" for at in range(names)],
                "group": [group for group in "xy" for _ in range(names)],
            }
        ).with_columns(gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)),
        arms_of(ARMS),
    )


def observed_of(
    prompts: pl.DataFrame, refuses: Callable[[dict[str, Any]], bool], samples: int = 1
) -> pl.DataFrame:
    """Responses to them, refusals where that is said."""
    rows = [
        {
            "model": "m",
            "prompt_id": row["prompt_id"],
            "sample": sample,
            "label": "refusal" if refuses(row) else "answer",
            "truncated": False,
            "filtered": False,
        }
        for row in prompts.iter_rows(named=True)
        for sample in range(samples)
    ]
    labels = pl.concat(
        [empty(Labels), pl.DataFrame(rows).cast({"sample": pl.Int32})], how="diagonal_relaxed"
    )
    checked = conform(labels, Labels, where="labels")
    return with_kind(observe(prompts, checked, ANALYSIS, everything=True), prompts)


def in_plain(row: dict[str, Any]) -> bool:
    """Every third template, and every second name of y."""
    return int(row["template_id"][1:]) % 3 == 0 or row["name_id"] in {"y0", "y2"}


def planted(row: dict[str, Any]) -> bool:
    """Kindness lets y pass; the guard stops all of y's harmless requests and all unsafe ones."""
    if row["arm"] == "kind" and row["group"] == "y":
        return False
    if row["arm"] == "guarded" and (row["group"] == "y" or row["kind"] == "unsafe"):
        return True
    return in_plain(row)
