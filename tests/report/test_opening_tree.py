"""The tree of openings: what is said of beginnings that several openings share."""

from __future__ import annotations

import pytest

from refusal_parity.report.opening_tree import tree_rows
from refusal_parity.report.openings import Leaf

# I | 'm | sorry;  I | 'm | unable;  I | can | 't;  Sorry;  I | cannot (without a row of its own).
LEAVES = [
    Leaf((5, 7, 1), "I'm sorry", 0.04, 0.01),
    Leaf((9,), "Sorry", 0.02, 0.03),
    Leaf((5, 8, 2), "I can't", 0.01, 0.005),
    Leaf((5, 7, 3), "I'm unable", 0.002, 0.001),
    Leaf((5, 6), "I cannot", 0.0004, 0.0002),
]


def test_each_beginning_has_the_sum_of_all_that_begin_so() -> None:
    rows = tree_rows(LEAVES[:4], LEAVES)
    assert [(row.leaf.text, row.depth, row.below) for row in rows] == [
        ("I …", 0, 4),
        ("I'm …", 1, 2),
        ("I'm sorry", 2, 0),
        ("I'm unable", 2, 0),
        ("I can't", 1, 0),
        ("Sorry", 0, 0),
    ]
    shared, apostrophe, *_ = (row.leaf for row in rows)
    assert shared.group == pytest.approx(0.04 + 0.01 + 0.002 + 0.0004)
    assert shared.reference == pytest.approx(0.01 + 0.005 + 0.001 + 0.0002)
    assert (apostrophe.group, apostrophe.reference) == pytest.approx((0.042, 0.011))


@pytest.mark.parametrize(
    ("texts", "beginning"),
    [
        (("I can't", "I cannot"), "I …"),
        (("Sorry, but", "Sorry, I"), "Sorry, …"),
        (("Unsafe", "Unable"), "…"),
        (("No way", "No"), "No …"),
    ],
)
def test_a_beginning_ends_with_a_whole_word(texts: tuple[str, str], beginning: str) -> None:
    leaves = [Leaf((1, at), text, 0.1, 0.2) for at, text in enumerate(texts)]
    first, *_ = tree_rows(leaves, leaves)
    assert first.leaf.text == beginning


def test_openings_that_share_nothing_have_no_row_above_them() -> None:
    rows = tree_rows([LEAVES[1], LEAVES[4]], [LEAVES[1], LEAVES[4]])
    assert [(row.leaf.text, row.below) for row in rows] == [("I cannot", 0), ("Sorry", 0)]
