"""Which first tokens open refusals: the leaves of a tree of token paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_TOKENS: Final = 8
"""Depth of the tree at most."""

SETTLED: Final = 0.95
"""Share of refusals from which on an opening is not looked at any further."""

LEAST: Final = 0.5
"""Share of refusals below which an opening is none of refusals."""

KEPT: Final = 0.8
"""Share of an opening's refusals that longer ones must hold to stand in its place."""

SUPPORT: Final = 2
"""Refusals of so many units must open so: what opens one alone may be about that one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A labelled response.

    Attributes:
        tokens: its first ones, `MOST_TOKENS` at most.
        refuses: whether it refuses.
        unit: template, or prompt, that it answers.
    """

    tokens: tuple[int, ...]
    refuses: bool
    unit: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """An opening of refusals.

    Attributes:
        tokens: its tokens.
        responses: labelled responses that open so.
        refusals: refusals among these.
    """

    tokens: tuple[int, ...]
    responses: int
    refusals: int

    @property
    def share(self) -> float:
        """Of refusals among the responses."""
        return self.refusals / self.responses

    @property
    def variance(self) -> float:
        """Of the share: by Jeffreys' posterior, so that none of few responses has none."""
        first = self.refusals + 0.5
        whole = self.responses + 1.0
        return first * (whole - first) / (whole**2 * (whole + 1))


def learn(responses: Sequence[Opened]) -> list[Leaf]:
    """Find the openings of refusals among labelled responses.

    From the first token on, an opening grows by a token wherever it does not settle whether
    the response refuses: shares of refusals below `SETTLED` leave it open, and `LEAST` is the
    lowest with which an opening of `MOST_TOKENS` is one of refusals. Where what is longer
    holds too few of the refusals, the shorter opening stays.

    Args:
        responses: in any order, which changes nothing.

    Returns:
        Leaves, sorted by their tokens; none begins with another.
    """
    found = _below((), responses)
    return sorted(found, key=lambda leaf: leaf.tokens)


def _below(opening: tuple[int, ...], responses: Sequence[Opened]) -> Iterator[Leaf]:
    depth = len(opening)
    longer: dict[int, list[Opened]] = {}
    for each in responses:
        if len(each.tokens) > depth:
            longer.setdefault(each.tokens[depth], []).append(each)
    for token, those in longer.items():
        refusals = [each for each in those if each.refuses]
        if len({each.unit for each in refusals}) < SUPPORT:
            continue
        here = Leaf((*opening, token), len(those), len(refusals))
        if here.share >= SETTLED:
            yield here
            continue
        found = [] if depth + 1 == MOST_TOKENS else list(_below(here.tokens, those))
        held = sum(leaf.refusals for leaf in found)
        if here.share >= LEAST and held < KEPT * here.refusals:
            yield here
        else:
            yield from found


def leaf_of(tokens: Sequence[int], leaves: frozenset[tuple[int, ...]]) -> tuple[int, ...] | None:
    """The leaf that a response opens with; null outside the tree.

    Args:
        tokens: of the response.
        leaves: the tree's.
    """
    for depth in range(1, len(tokens) + 1):
        if (found := tuple(tokens[:depth])) in leaves:
            return found
    return None


def key_of(tokens: Sequence[int]) -> str:
    """An opening's key in tables."""
    return "-".join(map(str, tokens))
