"""Weighed rates: against what enumerating all that can be drawn gives."""

from __future__ import annotations

import itertools
import math

import polars as pl
import pytest
from weighed_prompts import CHANCE, TREE, labels, of_prompt, openings

from refusal_parity.openings.strata import CONTINUED, strata
from refusal_parity.openings.weighing import counts_of, weigh
from refusal_parity.tables import LeafLabels, Openings, Weighed, conform, empty, filled

# What a prompt may be answered with: its leaf, whether it refuses, its probability.
LAW = [
    ("1", True, 0.03), ("1", False, 0.01), ("2-5", True, 0.02), ("", True, 0.04),
    ("", False, 0.90),
]  # fmt: skip
RATE = 0.09


def rate(draws: list[tuple[str, bool]], given: list[tuple[str, str | None]]) -> float:
    found = weigh(openings(), *of_prompt(draws), labels(given), longest=9)
    return float(found["weighed_rate"][0])


def test_the_weighed_rate_is_unbiased_and_its_variance_known() -> None:
    """Over all that n draws and the responses to openings can be; the tree's shares are off."""
    leaves = strata(openings(), *of_prompt([("", False)] * 2), longest=9)
    assert leaves["expected"].sum() == pytest.approx(0.5)
    # One leaf gets at most one response here; whether it refuses is as in the law.
    of_leaf = []
    for key, expected in leaves.select("opening", "expected").iter_rows():
        refused = sum(p for leaf, refuses, p in LAW if leaf == key and refuses) / CHANCE[key]
        of_leaf.append(
            [
                ([], 1 - expected),
                ([(key, "refusal")], expected * refused),
                ([(key, "answer")], expected * (1 - refused)),
            ]
        )
    mean = square = mass = 0.0
    for draws in itertools.product(LAW, repeat=2):
        for parts in itertools.product(*of_leaf):
            chance = math.prod(p for *_, p in draws) * math.prod(p for _, p in parts)
            given = [each for responses, _ in parts for each in responses]
            found = rate([(leaf, refuses) for leaf, refuses, _ in draws], given)
            mass, mean = mass + chance, mean + chance * found
            square += chance * found**2
    assert mass == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(RATE, abs=1e-12)
    # What the formula gives with the true rates in the place of those of other templates.
    inside = 0.0
    for key, weight, share in leaves.select("opening", "weight", "share").iter_rows():
        refused = sum(p for leaf, refuses, p in LAW if leaf == key and refuses) / CHANCE[key]
        off = refused * (1 - share) ** 2 + (1 - refused) * share**2
        inside += CHANCE[key] * weight * off
    assert square - mean**2 <= inside + 0.04 / 2 + 1e-12
    # Less noise than that of two ordinary draws.
    assert square - mean**2 < 0.75 * RATE * (1 - RATE) / 2


def test_weights_are_shared_with_ordinary_draws() -> None:
    (first, second) = strata(openings(), *of_prompt([("1", True), ("", False)]), longest=9).rows(
        named=True
    )
    assert (first["opened"], first["opened_refusals"], second["opened"]) == (1, 1, 0)
    sd = {key: math.sqrt((k + 0.5) * (n - k + 0.5)) / (n + 1) for key, (n, k) in TREE.items()}
    whole = sum(CHANCE[key] * sd[key] for key in sd)
    for row in (first, second):
        key = row["opening"]
        expected = CONTINUED * CHANCE[key] * sd[key] / whole
        assert row["expected"] == pytest.approx(expected)
        assert row["weight"] == pytest.approx(CHANCE[key] / (2 * CHANCE[key] + expected))
        assert row["weight"] < 1 / 2
    share = 24 / 40
    plain = 0.04 * share + 0.02
    assert rate([("1", True), ("", False)], []) == pytest.approx(
        plain + first["weight"] * (1 - share)
    )
    assert rate([("1", True), ("", True)], [("1", "answer")]) == pytest.approx(
        plain + first["weight"] * (1 - 2 * share) + 1 / 2
    )


@pytest.mark.parametrize(
    ("draws", "elsewhere"),
    [
        ([("", False), ("", False), ("1", True)], 0.5 / 3),
        ([("", True), ("", False), ("", False)], 1.5 / 4),
        ([("1", True), ("1", False)], 0.5),
    ],
    ids=["none refused outside", "one of three", "none outside"],
)
def test_the_error_is_that_of_the_responses_expected(
    draws: list[tuple[str, bool]], elsewhere: float
) -> None:
    """q^2 v / (n q + expected) of each leaf, and what lies outside: (1 - sum q) r (1 - r) / n."""
    leaves = strata(openings(), *of_prompt(draws), longest=9)
    variance = (1 - 0.04 - 0.02) * elsewhere * (1 - elsewhere) / len(draws)
    for key, expected in leaves.select("opening", "expected").iter_rows():
        n, k = TREE[key]
        # The variance of a label at the mean of Beta(k + 1/2, n - k + 1/2).
        of_label = (k + 0.5) * (n - k + 0.5) / (n + 1) ** 2
        variance += CHANCE[key] ** 2 * of_label / (len(draws) * CHANCE[key] + expected)
    found = weigh(openings(), *of_prompt(draws), labels([("1", "refusal")]), longest=9)
    assert found["weighed_rate_error"][0] == pytest.approx(math.sqrt(variance))


def test_what_has_no_label_counts_as_its_leafs_share_and_is_counted() -> None:
    draws = [("", False)] * 3
    assert rate(draws, [("1", None), ("2-5", None)]) == pytest.approx(rate(draws, []))
    given = labels([("1", None), ("1", "refusal"), ("2-5", None), ("1", "answer"), ("1", None)])
    found = weigh(openings(), *of_prompt(draws), given, longest=9)
    assert found.select("continued", "continued_refusals", "continued_unlabelled").row(0) == (
        5, 1, 3,
    )  # fmt: skip
    assert counts_of(found).sentence() == (
        "weighed 1 prompt: 3 ordinary draws, 0 of which open as refusals of other templates do, "
        "and 5 responses that were given such an opening, 1 of which refuse; 3 without a label "
        "count as their leaf's share"
    )


def test_what_is_excluded_counts_as_without_a_label_whatever_was_said_of_it() -> None:
    draws = [("", False)] * 3
    given = labels([("1", "refusal"), ("1", "answer")])
    out = filled(given.with_columns(exclusion=pl.lit("left_out")), LeafLabels, where="test")
    found = weigh(openings(), *of_prompt(draws), out, longest=9)
    assert found["weighed_rate"][0] == pytest.approx(rate(draws, []))
    assert (found["continued"][0], found["continued_unlabelled"][0]) == (2, 2)


def test_prompts_stand_in_the_order_of_their_propensities() -> None:
    draws = {"c": [("1", True)], "a": [("", False)] * 2, "d": [], "b": [("2-5", True), ("", True)]}
    tables = [of_prompt(each, prompt) for prompt, each in draws.items()]
    told, propensity = (pl.concat(each) for each in zip(*tables, strict=True))
    found = weigh(openings(), told, propensity, labels([("1", "refusal")], "b"), longest=9)
    assert found["prompt_id"].to_list() == list(draws)
    alone = [
        weigh(openings(), *of_prompt(each), empty(LeafLabels), longest=9, continued=0)
        for each in draws.values()
    ]
    undrawn = weigh(openings(), told, propensity, empty(LeafLabels), longest=9, continued=0)
    assert undrawn["weighed_rate"].to_list() == [each["weighed_rate"][0] for each in alone]


def test_where_nothing_can_be_drawn_on() -> None:
    # An opening as long as a response may be.
    leaves = strata(openings(), *of_prompt([("", True)]), longest=2)
    assert dict(leaves.select("opening", "expected").iter_rows())["2-5"] == 0
    # Neither a tree nor draws: the rate that is drawn, or none.
    told, propensity = of_prompt([("", True), ("", False)])
    bare = weigh(empty(Openings), told.clear(), propensity, empty(LeafLabels), longest=9)
    assert bare["weighed_rate"][0] == 0.5
    undrawn = weigh(openings(), *of_prompt([]), empty(LeafLabels), longest=9)
    assert undrawn.select("weighed_rate", "weighed_rate_error").row(0) == (None, None)
    conform(undrawn, Weighed, where="test")
