"""Trees of openings: whatever the responses, leaves that no other begins with, and right shares."""

from __future__ import annotations

import random

import pytest
from scipy.stats import beta

from refusal_parity.openings.tree import (
    LEAST,
    MOST_TOKENS,
    SUPPORT,
    Leaf,
    Opened,
    key_of,
    leaf_of,
    learn,
)


def pilot(seed: int) -> list[Opened]:
    """Up to 120 responses of few tokens, each of which refuses or not."""
    chance = random.Random(seed)  # noqa: S311 - a test's choice
    tokens, refusing = chance.randint(1, 3), chance.random()
    return [
        Opened(
            tuple(chance.randint(0, tokens) for _ in range(chance.randint(0, MOST_TOKENS))),
            chance.random() < refusing,
            chance.choice("abc"),
        )
        for _ in range(chance.randint(0, 120))
    ]


def said(words: str, times: int, *, refuses: bool, units: str = "ab") -> list[Opened]:
    """Responses of these words, one token a letter, of some templates in turn."""
    tokens = tuple(map(ord, words[:MOST_TOKENS]))
    return [Opened(tokens, refuses, units[at % len(units)]) for at in range(times)]


def spelled(leaves: list[Leaf]) -> dict[str, tuple[int, int]]:
    return {"".join(map(chr, leaf.tokens)): (leaf.responses, leaf.refusals) for leaf in leaves}


@pytest.mark.parametrize("seed", range(150))
def test_no_leaf_begins_with_another_and_shares_are_right(seed: int) -> None:
    those = pilot(seed)
    leaves = learn(those)
    paths = [leaf.tokens for leaf in leaves]
    for path in paths:
        assert 1 <= len(path) <= MOST_TOKENS
        assert not any(path[:depth] in paths for depth in range(len(path)))
    for leaf in leaves:
        within = [each for each in those if each.tokens[: len(leaf.tokens)] == leaf.tokens]
        refusals = [each for each in within if each.refuses]
        assert (leaf.responses, leaf.refusals) == (len(within), len(refusals))
        assert leaf.share == len(refusals) / len(within) >= LEAST
        assert len({each.unit for each in refusals}) >= SUPPORT
        assert 0 < leaf.variance < 0.25
    held = [leaf_of(each.tokens, frozenset(paths)) for each in those]
    assert all(each is None or each in paths for each in held)
    assert sum(each is not None for each in held) == sum(leaf.responses for leaf in leaves)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_responses_changes_nothing(seed: int) -> None:
    those = pilot(seed)
    mixed = those.copy()
    random.Random(seed).shuffle(mixed)  # noqa: S311 - a test's choice
    assert learn(mixed) == learn(those)


def test_an_opening_grows_where_it_does_not_settle() -> None:
    those = [
        *said("I regret", 30, refuses=True),
        *said("I can do", 900, refuses=False),
        *said("Sorry, no", 40, refuses=True),
        *said("Sorry, no", 1, refuses=False),
        *said("Sure, so", 2000, refuses=False),
    ]
    assert spelled(learn(those)) == {"I r": (30, 30), "So": (41, 40)}


def test_what_refuses_one_template_alone_is_about_that_template() -> None:
    those = [*said("Ada", 9, refuses=True, units="a"), *said("No", 9, refuses=True)]
    assert spelled(learn(those)) == {"N": (9, 9)}


def test_a_shorter_opening_stays_where_longer_ones_lose_its_refusals() -> None:
    ends = "abcdefghij"
    those = [
        *(each for end in ends for each in said(f"No{end}", 1, refuses=True, units=end)),
        *said("Nox", 4, refuses=False),
    ]
    assert spelled(learn(those)) == {"No": (14, 10)}


def test_an_opening_that_never_settles_is_none() -> None:
    those = [*said("Wellwell", 4, refuses=True), *said("Wellwell", 5, refuses=False)]
    assert learn(those) == []


@pytest.mark.parametrize(
    ("those", "expected"),
    [
        # 19 of 20 settle it, and 18 of 19 do not.
        ([*said("No", 19, refuses=True), *said("Nx", 1, refuses=False)], {"N": (20, 19)}),
        ([*said("No", 18, refuses=True), *said("Nx", 1, refuses=False)], {"No": (18, 18)}),
        # Half of what is longest is enough.
        (
            [*said("Wellwell", 4, refuses=True), *said("Wellwell", 4, refuses=False)],
            {"Wellwell": (8, 4)},
        ),
        # What a longer one holds are refusals, and not its answers too.
        (
            [
                *said("Noaaaaaa", 7, refuses=True),
                *said("Noaaaaaa", 3, refuses=False),
                *(each for end in "bcd" for each in said(f"No{end}", 1, refuses=True)),
            ],
            {"No": (13, 10)},
        ),
        # The longer one stands where it holds 8 of 10 refusals, and not where it holds 7.
        *(
            (
                [
                    *said("Noa", kept, refuses=True),
                    *(
                        each
                        for end in range(10 - kept)
                        for each in said(f"No{end}", 1, refuses=True)
                    ),
                    *said("Nox", 5, refuses=False),
                ],
                expected,
            )
            for kept, expected in ((8, {"Noa": (8, 8)}), (7, {"No": (15, 10)}))
        ),
    ],
    ids=["settled", "not settled", "half", "with answers", "kept", "not kept"],
)
def test_limits_of_shares(those: list[Opened], expected: dict[str, tuple[int, int]]) -> None:
    assert spelled(learn(those)) == expected


@pytest.mark.parametrize(("responses", "refusals"), [(3, 0), (7, 7), (40, 11)])
def test_the_variance_is_that_of_jeffreys_posterior(responses: int, refusals: int) -> None:
    posterior = beta(refusals + 0.5, responses - refusals + 0.5)
    assert Leaf((1,), responses, refusals).variance == pytest.approx(posterior.var())


@pytest.mark.parametrize(
    ("tokens", "leaf"),
    [((1, 2, 3), (1, 2)), ((1, 2), (1, 2)), ((1,), None), ((), None), ((3, 1, 2), None)],
)
def test_a_response_opens_with_the_first_tokens_alone(
    tokens: tuple[int, ...], leaf: tuple[int, ...] | None
) -> None:
    assert leaf_of(tokens, frozenset({(1, 2), (4,)})) == leaf
    assert key_of(tokens) == "-".join(str(each) for each in tokens)
