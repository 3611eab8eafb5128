"""How the units of a comparison stand to each other: said once, for every method."""

from __future__ import annotations

from enum import StrEnum

from refusal_parity.dimensions import DIMENSIONS


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


def kind_of(dimension: str, *, nested: bool) -> DesignKind:
    """The design in which the levels of a dimension are compared.

    Args:
        dimension: its key.
        nested: whether the prompts are of a list (`is_listed`).
    """
    if nested:
        return DesignKind.NESTED
    paired = DIMENSIONS[dimension].unit.is_crossed_within
    return DesignKind.CROSSED_WITHIN if paired else DesignKind.CROSSED
