"""A plan in lines for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.dimensions import ARM, DIMENSIONS, Unit
from refusal_parity.statistics.planning.rows import ONE_MORE, QUANTITIES, SOUGHT
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

_RARE: Final = 0.05
"""Rate up to which log-odds of prompts find more than their draws."""
_COMPARED: Final = {
    Unit.TEMPLATE: "templates on the same names",
    Unit.SET: "wordings of the same matched sets and names",
    Unit.PROMPT: "{arms} on the same names and templates",
}


def plan_lines(plan: pl.DataFrame, dimensions: Iterable[str], *, arms: int) -> list[str]:
    """A plan as lines for the terminal: one block for each dimension, scope and size.

    Args:
        plan: table of StudyDesign, as from `planned_design`.
        dimensions: what the study compares.
        arms: how many arms there are, over which the plan's samples are counted together.
    """
    keys = ["dimension", "scope", "names", "reference_names", "templates", "samples"]
    lines = []
    for key, part in plan.group_by(keys, maintain_order=True):
        dimension, scope, names, reference, templates, samples = key
        listed = scope == Scope.NEW_PROMPTS
        of = f"{names:g} prompts against {reference:g}, "
        if not listed:
            of = f"{names:g} names against {reference:g}, {templates:g} templates, "
        lines.append(f"{dimension}: {of}{_samples(samples, arms)}; {scope}")
        is_ratio = pl.col("quantity").cast(pl.String) == DesignQuantity.DETECTABLE_ODDS_RATIO
        lines += _odds_lines(part.filter(is_ratio).to_dicts())
        rows = part.filter(~is_ratio).to_dicts()
        if not rows:
            continue
        values = {(row["quantity"], row["difference"]): row["value"] for row in rows}
        own = values.get((DesignQuantity.MINIMUM_DETECTABLE, None))
        if own is None:
            lines.append(f"  {rows[0]['note']}")
            if len(rows) == 1:
                continue
        else:
            lines.append(
                f"  finds differences from {100 * own:.1f} points on in four of five studies"
                if own < 1
                else "  mostly misses a difference, however large it is"
            )
            if rows[0]["note"]:
                lines.append(f"  {rows[0]['note']}")
            gains = ", ".join(
                f"one more {_unit(what, arms, listed)} {-100 * gain:.2f}"
                for quantity, what in ONE_MORE.items()
                if (gain := values.get((quantity, None))) is not None
            )
            lines.append(f"  points less with {gains}")
        for difference in SOUGHT:
            needed = " or ".join(
                _needed(values[quantity, difference], what, arms, listed)
                for quantity, what in QUANTITIES.items()
                if values.get((quantity, difference)) is not None
            )
            lines.append(f"  for {100 * difference:g} points: {needed or 'nothing alone suffices'}")
    lines += [
        f"{key}: compares {_compared(key)}; for that the plan assumes no "
        "variances, and it gives no smallest difference"
        for key in dimensions
        if DIMENSIONS[key].unit not in {Unit.NAME, Unit.LISTED}
    ]
    return lines


def _compared(dimension: str) -> str:
    return _COMPARED[DIMENSIONS[dimension].unit].format(arms=DIMENSIONS[ARM.key].plural)


def _odds_lines(rows: list[dict[str, Any]]) -> list[str]:
    """What measured propensities would find, where refusals are rare enough to gain by it."""
    return [
        f"  with openings weighed, {_points(row)} in four of five studies"
        for row in rows
        if row["value"] is not None and row["rate"] <= _RARE
    ]


def _points(row: dict[str, Any]) -> str:
    """An odds ratio with the rate that it makes of the others'."""
    odds = row["value"] * row["rate"] / (1 - row["rate"])
    return (
        f"odds ratios from {row['value']:.2f} on ({100 * odds / (1 + odds):.2g} % against "
        f"{100 * row['rate']:.2g} %)"
    )


def _unit(what: str, arms: int, listed: bool) -> str:  # noqa: FBT001 - see `_needed`
    one = "prompt" if listed and what == "names" else what.removesuffix("s")
    return f"{one} of one {DIMENSIONS[ARM.key].heading}" if arms > 1 and what == "samples" else one


def _samples(samples: float, arms: int) -> str:
    """Samples of a name and template, which a plan counts over all arms together."""
    each = samples / arms
    text = f"{each:g} sample{'s' * (each != 1)}"
    return text if arms == 1 else f"{text} under each of {arms} {DIMENSIONS[ARM.key].plural}"


def _needed(count: float, what: str, arms: int, listed: bool) -> str:  # noqa: FBT001 - of all lines
    if what == "names":
        return f"{count:.0f} {'prompts' if listed else 'names'} a group"
    return (
        _samples(arms * math.ceil(count / arms), arms)
        if what == "samples"
        else f"{count:.0f} {what}"
    )
