from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from refusal_parity.labelling.ngrams import Found, Runs
from refusal_parity.labelling.zones import Zone

WHOLE = Zone(100, 2)


def known(texts: list[str], zone: Zone, least: int = 1) -> Runs:
    """The runs of texts, each of a group of its own."""
    return Runs.of(Found.of(texts, [zone], least), list(map(str, range(len(texts)))), least)


def counted(texts: list[str], zone: Zone, least: int = 1) -> int:
    """How many distinct runs there are."""
    return len(known(texts, zone, least).keys[0])


@pytest.mark.parametrize(
    ("zone", "runs"),
    [
        # a b . c b, a b, b ., . c, c b
        (Zone(100, 2), 4 + 4),
        (Zone(100, 1), 4),
        # Runs end with the zone, and begin with it.
        (Zone(2, 3), 2 + 1),
        # What begins a sentence: a, a b, and c, c b.
        (Zone(100, 2, starts=True), 2 + 2),
    ],
)
def test_runs_of_a_zone(zone: Zone, runs: int) -> None:
    assert counted(["a b . c b"], zone) == runs


def test_runs_do_not_cross_texts() -> None:
    assert counted(["a", "b", "", "c"], WHOLE) == 3


def test_rare_runs_are_left_out() -> None:
    texts = [*(f"a {k}" for k in range(18)), "a b", "a b"]
    # a, and b and a b that two of the twenty have.
    assert counted(texts, WHOLE, least=2) == 3
    # Too few texts to tell what is rare.
    assert counted(["a b", "a c"], WHOLE, least=2) == 5
    with pytest.raises(ValueError, match="no words"):
        known(["", ""], WHOLE)


@pytest.mark.parametrize(("texts", "runs"), [(20, 3), (19, 3 + 2 * 17)])
def test_how_many_texts_tell_what_is_rare(texts: int, runs: int) -> None:
    """Of all runs that were found, as in a fold: ten times as many texts as must have a run."""
    given = [*(f"a {k}" for k in range(texts - 2)), "a b", "a b"]
    found = Found.of(given, [WHOLE], 1)
    two_groups = [str(at % 2) for at in range(texts)]
    assert len(Runs.of(found, two_groups, 2).keys[0]) == runs


@pytest.mark.parametrize(("texts", "runs"), [(30, 3), (29, 3 + 2 * 26)])
def test_how_many_texts_runs_are_looked_for_in(texts: int, runs: int) -> None:
    """The same where they are found: three texts must have a run, so thirty tell what is rare."""
    given = [*(f"a {k}" for k in range(texts - 3)), "a b", "a b", "a b"]
    assert len(Found.of(given, [WHOLE], 3).keys[0]) == runs


@pytest.mark.parametrize(
    ("groups", "left"),
    [
        # Every text of its own: b and a b stand in two.
        (range(21), {"a", "b", "a b"}),
        # Both texts with b answer one request.
        ([*range(20), 19], {"a"}),
        # So few groups that nothing can be said of them.
        ([0] * 10 + [1] * 11, {"a", "b", "a b"}),
    ],
)
def test_runs_of_one_group_are_left_out(groups: list[int], left: set[str]) -> None:
    texts = [*(f"a {k}" for k in range(19)), "a b", "a b"]
    runs = Runs.of(Found.of(texts, [WHOLE], 2), list(map(str, groups)), 2)
    expected = known(sorted(left), WHOLE).keys[0]
    np.testing.assert_array_equal(runs.keys[0], expected)


def test_folds_see_their_own_rows_alone() -> None:
    texts = ["a b", "c d", "a b c"]
    found, rows = Found.of(texts, [WHOLE], 1), np.array([0, 2])
    runs = Runs.of(found[rows], ["0", "2"], 1)
    alone = known(["a b", "a b c"], WHOLE)
    np.testing.assert_array_equal(runs.keys[0], alone.keys[0])
    np.testing.assert_array_equal(
        runs.weigh(found[rows]).toarray(), alone.count(["a b", "a b c"]).features.toarray()
    )


def test_a_run_weighs_the_same_in_long_and_short_texts() -> None:
    runs = known(["i decline", "bread and butter", "i decline and bake"], WHOLE)
    short, long = runs.count(["i decline", "i decline and bake bread and butter"]).features
    both = short.minimum(long)
    np.testing.assert_array_equal(both.toarray(), short.toarray())


@pytest.mark.parametrize("least", [1, 8])
def test_weights_are_those_of_scikit_learn(least: int) -> None:
    texts = ["a b a b a", "b c .", "a b c d", "d d d", "c a b .", "e"] * 16
    vectorizer = TfidfVectorizer(
        token_pattern=r"\S+",  # noqa: S106 - what a word is
        ngram_range=(1, 2),
        min_df=least,
        binary=True,
        norm=None,
    )
    expected = vectorizer.fit_transform(texts).toarray()
    lengths = np.linalg.norm(expected, axis=1)
    expected /= np.median(lengths[lengths > 0])
    found = known(texts, WHOLE, least).count(texts).features.toarray()
    # Columns stand in another order: what two texts share does not hang on it.
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=1e-6)
    np.testing.assert_allclose(np.sort(found.sum(0)), np.sort(expected.sum(0)), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("a b c", 0.0),
        # c, a c and x of a, c, x, a c, c x: a alone is known.
        ("a c x", 3 / 5),
        ("x y", 1.0),
        ("x", 1.0),
        ("", 0.0),
    ],
)
def test_share_of_unseen_words_and_pairs(text: str, unseen: float) -> None:
    runs = known(["a b c"], WHOLE)
    assert runs.count(["a b c", text]).unseen[1] == pytest.approx(unseen)
