"""The tree of openings as rows: each beginning that several share, and below it its openings."""

from __future__ import annotations

from itertools import groupby, takewhile
from typing import TYPE_CHECKING, NamedTuple

from refusal_parity.report.openings import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Row(NamedTuple):
    """A row of the tree.

    Attributes:
        leaf: an opening; or, of a beginning that several share, what all of them have together.
        depth: how many such beginnings it stands below.
        below: rows that stand below it; none below an opening.
    """

    leaf: Leaf
    depth: int
    below: int


def tree_rows(shown: Sequence[Leaf], leaves: Sequence[Leaf]) -> list[Row]:
    """Rows in the order of the branches, a beginning before the openings that have it.

    Args:
        shown: the openings that get a row.
        leaves: all openings; those without a row count in their beginnings all the same.
    """
    return list(_rows(sorted(shown, key=lambda leaf: leaf.token_ids), leaves, length=0, depth=0))


def _rows(
    shown: Sequence[Leaf], leaves: Sequence[Leaf], *, length: int, depth: int
) -> Iterator[Row]:
    """Rows of openings whose first `length` tokens are the same."""
    for _, alike in groupby(shown, key=lambda leaf: leaf.token_ids[length]):
        members = list(alike)
        if len(members) == 1:
            yield Row(members[0], depth, below=0)
            continue
        common = members[0].token_ids[: _alike([leaf.token_ids for leaf in members])]
        below = list(_rows(members, leaves, length=len(common), depth=depth + 1))
        yield Row(_together(common, members, leaves), depth, below=len(below))
        yield from below


def _together(common: tuple[int, ...], members: Sequence[Leaf], leaves: Sequence[Leaf]) -> Leaf:
    """What all openings with a beginning have together."""
    under = [leaf for leaf in leaves if leaf.token_ids[: len(common)] == common]
    return Leaf(
        common,
        _beginning([leaf.text for leaf in members]),
        sum(leaf.group for leaf in under),
        sum(leaf.reference for leaf in under),
    )


def _beginning(texts: Sequence[str]) -> str:
    """The whole words with which texts begin alike, and dots."""
    same = texts[0][: _alike(texts)]
    if any(text[len(same) : len(same) + 1].isalnum() for text in texts) and same[-1:].isalnum():
        # The next token goes on within a word.
        same = same.rpartition(" ")[0]
    return f"{same.rstrip()} …".lstrip()


def _alike(sequences: Sequence[Sequence[object]]) -> int:
    """How many items all of them begin with."""
    return len(list(takewhile(lambda items: len(set(items)) == 1, zip(*sequences, strict=False))))
