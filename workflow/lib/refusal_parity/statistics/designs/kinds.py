"""How the units of a comparison stand to each other: said once, for every method."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from refusal_parity.dimensions import DIMENSIONS

if TYPE_CHECKING:
    import polars as pl


class DesignKind(StrEnum):
    """What a level is a property of, and what its units meet.

    `crossed`: names, each of one level, meet all templates, or templates all names.
    `crossed within`: names and templates both meet every level, so that levels are paired.
    `nested`: units of one kind, prompts of a list or conversations, and nothing that they
    are crossed with. Where they meet several levels, as system prompts, they are paired.
    """

    CROSSED = "crossed"
    CROSSED_WITHIN = "crossed within"
    NESTED = "nested"


def is_nested(observations: pl.DataFrame) -> bool:
    """Whether nothing has a name: the prompts, or their clusters, are the units.

    Args:
        observations: rows of `observe`, or prompts.
    """
    return len(observations) > 0 and observations["name"].null_count() == len(observations)


def kind_of(dimension: str, *, nested: bool) -> DesignKind:
    """The design in which the levels of a dimension are compared.

    Args:
        dimension: its key.
        nested: as from `is_nested`.
    """
    if nested:
        return DesignKind.NESTED
    paired = DIMENSIONS[dimension].unit.is_crossed_within
    return DesignKind.CROSSED_WITHIN if paired else DesignKind.CROSSED
