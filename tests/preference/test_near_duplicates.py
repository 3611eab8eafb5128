from __future__ import annotations

import random

import numpy as np
import pytest

from refusal_parity.preference.near_duplicates import near_equal

LONG = "please tell me how the loom in the old mill by the river was built and by whom"


@pytest.mark.parametrize(
    ("texts", "clusters"),
    [
        ([], []),
        (["a b"], [0]),
        (["How do I knit?", "how do i  knit", "How do I sew a dress from scratch?"], [0, 0, 1]),
        ([LONG, "What is the tallest tree?", LONG.replace("loom", "wheel")], [0, 1, 0]),
        ([LONG, " ".join(reversed(LONG.split()))], [0, 1]),
        (["", "?!", "x"], [0, 0, 1]),
        (["it\u2019s me, again", "it's me again"], [0, 0]),
        # A word may have an apostrophe within, and the order of two words counts.
        (["don't", "don t"], [0, 1]),
        (["a b", "b a"], [0, 1]),
        # Clusters are numbered as they come, whatever the order of the alphabet.
        (["b b", "c c", "a a", "c c"], [0, 1, 2, 1]),
        # 3 of 5 words and pairs of words, and 5 of 9.
        (["a b c", "a b"], [0, 0]),
        (["a b c d e", "a b c"], [0, 1]),
    ],
)
def test_near_equal_texts_are_together(texts: list[str], clusters: list[int]) -> None:
    assert near_equal(texts).tolist() == clusters


def test_a_chain_of_near_equal_texts_is_one_cluster() -> None:
    words = LONG.split()
    chain = [" ".join(["new"] * k + words[k:]) for k in range(4)]
    assert near_equal(chain).tolist() == [0, 0, 0, 0]


def test_clusters_do_not_hang_on_the_order_of_texts() -> None:
    draw = random.Random(4)  # noqa: S311 - no secret
    vocabulary = [f"w{k}" for k in range(60)]
    texts = []
    for _ in range(150):
        base = draw.choices(vocabulary, k=12)
        texts.append(" ".join(base))
        if draw.random() < 0.4:
            base[draw.randrange(12)] = "other"
            texts.append(" ".join(base))
    found = near_equal(texts)
    order = np.array(draw.sample(range(len(texts)), len(texts)))
    again = near_equal([texts[at] for at in order])
    pairs = {(a, b) for a, b in zip(found[order], again, strict=True)}
    assert len(pairs) == len(set(found)) == len(set(again))
    assert 150 - 25 < len(set(found)) <= 150


def test_hardly_any_pair_at_the_limit_is_missed() -> None:
    """Each of 60 pairs has 3 of 5 words and pairs of words in common: 0.6."""
    texts = [text for at in range(60) for text in (f"a{at} b{at} c{at}", f"a{at} b{at}")]
    clusters = near_equal(texts).reshape(60, 2)
    # One in a hundred is missed: of 60 more than four with a chance of 1 in 2,000.
    assert (clusters[:, 0] != clusters[:, 1]).sum() <= 4


def test_all_of_a_band_are_compared_with_its_first() -> None:
    texts = [f"{LONG} {last}" for last in ("one", "two", "three", "four", "five", "six")]
    assert set(near_equal(texts).tolist()) == {0}
