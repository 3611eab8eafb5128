"""What a model says of texts: rows that are put together, and distances by dense arrays."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from refusal_parity.labelling.features import Said, Settings, fit
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.labelling.ngrams import Found


def said(first: int, rows: int) -> Said:
    """Numbers that tell rows and fields apart."""
    at = np.arange(first, first + rows, dtype=np.float64)
    return Said(np.stack([at, at + 0.1], axis=1), at + 0.2, at + 0.3)


def fields(given: Said) -> list[list[float]]:
    return np.column_stack([given.probabilities, given.unseen, given.distance]).tolist()


def test_rows_of_what_is_said() -> None:
    whole = said(0, 4)
    row = [[at, at + 0.1, at + 0.2, at + 0.3] for at in range(20)]
    assert fields(whole) == row[:4]
    assert fields(whole[np.array([2, 0])]) == [row[2], row[0]]
    assert fields(Said.together([whole, said(10, 2)])) == [*row[:4], *row[10:12]]
    changed = whole.with_rows(np.array([3, 1]), said(10, 2))
    assert fields(changed) == [row[0], row[11], row[2], row[10]]
    assert fields(whole) == row[:4]
    assert np.isnan(fields(Said.nothing(2, 2))).all()


@pytest.mark.parametrize(
    ("between", "runs"),
    [
        # Runs of up to three words among 160, and among 40; of up to five from the beginning.
        (" ", [160 + 159 + 158, 40 + 39 + 38, 5]),
        # Every second of them is the same stop, and the others begin a sentence each.
        (" . ", [81 + 159 + 158, 21 + 39 + 38, 80 + 80 + 79 + 79 + 78]),
    ],
    ids=["one sentence", "a word each"],
)
def test_what_is_read_of_a_long_text(between: str, runs: list[int]) -> None:
    found = Found.of([between.join(f"w{at}" for at in range(400))], Settings().zones, 1)
    assert [len(keys) for keys in found.keys] == runs


TEXTS = {
    "answer": "sure bread is baked {} times in the old oven",
    "refusal": "no i will not say {} and never did",
    "harmful_refusal": "that crime is what {} people do",
}


def lesson_of(number: int) -> tuple[Lesson, Settings]:
    rows = pl.DataFrame(
        [
            {"response": text.format(f"w{at % 7}"), "label": label, "group_id": f"{label}{at}"}
            for label, text in TEXTS.items()
            for at in range(number)
        ]
    ).with_columns(name=pl.lit(None, pl.String), prompt=pl.lit(None, pl.String), weight=1.0)
    return Lesson.of(rows, Settings()), Settings()


def test_distance_is_to_the_nearest_mean_text() -> None:
    """1 less the cosine, that times the share of known words and pairs of words."""
    lesson, settings = lesson_of(12)
    model = fit(settings, 1, lesson.examples)
    known = model.runs.weigh(lesson.examples.found).toarray()
    labels = lesson.examples.labels
    means = np.stack([known[labels == each].mean(axis=0) for each in model.classes])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    asked = [
        "sure bread is baked",
        "no sure never bread",
        "zyzzyva quoxes",
        "",
        "no zyzzyva i will",
    ]
    counted = model.runs.count(asked)
    features = counted.features.toarray()
    expected = []
    for row, unseen in zip(features, counted.unseen, strict=True):
        length = np.linalg.norm(row)
        cosine = (means @ row).max() / length if length else 0.0
        expected.append(1 - cosine * (1 - unseen))
    found = model.say(asked)
    assert found.distance == pytest.approx(expected, abs=1e-6)
    assert found.unseen.tolist() == counted.unseen.tolist()
    assert 0 < found.unseen[4] < 1
    assert found.distance[2:4].tolist() == [1, 1]
    # Nothing is nearer than its own mean text, whatever rounding says.
    alike = model.say([str(lesson.texts[0])] * 2).distance
    assert (alike >= 0).all()


def test_nothing_can_be_told_apart_with_one_label() -> None:
    lesson, settings = lesson_of(4)
    one = lesson.examples[lesson.examples.labels == "answer"]
    with pytest.raises(ValueError, match="nothing but answer to learn from"):
        fit(settings, 1, one)


def test_some_examples_have_their_own_weights_and_groups() -> None:
    lesson, _ = lesson_of(4)
    rows = np.array([5, 2])
    some = lesson.examples[rows]
    assert some.labels.tolist() == lesson.examples.labels[rows].tolist()
    assert some.groups.tolist() == lesson.examples.groups[rows].tolist()
    assert len(some.weights) == some.found.present[0].shape[0] == 2
