"""Columns of labels that stand in another order than their rows."""

from __future__ import annotations

import random

import polars as pl
import pytest

from refusal_parity.agreement.remarks import remarks
from refusal_parity.audit.shuffled import fits_by_chance

LABELS = ("answer", "refusal", "failure")


def labelled(seed: int, rows: int, accuracy: float = 0.8) -> tuple[list[str], list[str]]:
    """What the machine says of some rows, and what somebody says who mostly agrees."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    predicted = chance.choices(LABELS, (70, 25, 5), k=rows)
    given = [
        label if chance.random() < accuracy else chance.choices(LABELS, (70, 25, 5))[0]
        for label in predicted
    ]
    return given, predicted


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rows", [120, 400])
def test_a_column_that_was_sorted_or_turned_round_fits_by_chance(seed: int, rows: int) -> None:
    given, predicted = labelled(seed, rows)
    assert not fits_by_chance(given, predicted)
    assert not fits_by_chance(*labelled(seed, rows, accuracy=0.4))
    by_chance = [fits_by_chance(sorted(given), predicted), fits_by_chance(given[::-1], predicted)]
    # One in forty shuffled columns fits better than that.
    assert any(by_chance)


@pytest.mark.parametrize(
    ("given", "predicted"),
    [
        ([], []),
        # Too few to tell, and labels that know no order.
        (["answer", "refusal"] * 5, ["refusal", "answer"] * 5),
        (["answer"] * 200, ["answer", "refusal"] * 100),
    ],
)
def test_what_tells_nothing_is_not_told(given: list[str], predicted: list[str]) -> None:
    assert not fits_by_chance(given, predicted)


def test_the_file_is_named() -> None:
    given, predicted = labelled(3, 200)
    tasks = [f"t{at}" for at in range(200)]
    sample = pl.DataFrame({"task": tasks, "predicted": predicted})
    votes = pl.DataFrame(
        {
            "task": tasks * 2,
            "annotator": ["anna"] * 200 + ["ben"] * 200,
            "label": [*given, *sorted(given)],
            "adjudicated": False,
            "file": ["anna.csv"] * 200 + ["ben.xlsx"] * 200,
        }
    )
    [said] = remarks(votes, sample)
    assert said.startswith("ben.xlsx: ")
    assert "of 200 labels are the classifier's, as many as if they stood in any other" in said
