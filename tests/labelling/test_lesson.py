"""Gold rows as they are learnt from: in one order, whatever that of the files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from refusal_parity.labelling.features import Settings
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.labelling.wording import Reader

BLANK = {
    "response": "No, I will not.", "label": "refusal", "name": "Ann", "prompt": "Who is Ann?",
    "group_id": "g1", "weight": 1.0,
}  # fmt: skip


def gold() -> pl.DataFrame:
    """Rows that differ in one column each, two of them in none; some without name or prompt."""
    changes = [
        {}, {}, {"response": "Sure, here it is."}, {"label": "failure"}, {"name": "Bob"},
        {"name": None}, {"prompt": "Who is it?"}, {"prompt": None}, {"group_id": "g0"},
        {"weight": 2.5}, {"response": "A long one, with Ann in it.", "weight": 0.5},
    ]  # fmt: skip
    return pl.DataFrame([BLANK | change for change in changes])


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_nothing_but_their_places(seed: int) -> None:
    rows, settings = gold(), Settings()
    first = Lesson.of(rows, settings)
    order = np.random.default_rng(seed).permutation(len(rows))
    other = Lesson.of(rows[order], settings)
    assert other.rows.equals(first.rows)
    assert other.texts.tolist() == first.texts.tolist()
    assert other.rows[other.place].equals(rows[order])
    assert first.rows[first.place].equals(rows)
    assert first.rows.columns == rows.columns


def test_examples_are_what_the_sorted_rows_say() -> None:
    settings = replace(Settings(), zones=Settings().zones[:2], min_documents=1)
    lesson = Lesson.of(gold(), settings)
    examples = lesson.examples
    assert examples.labels.tolist() == lesson.rows["label"].to_list()
    assert examples.weights.tolist() == lesson.rows["weight"].to_list()
    assert examples.groups.tolist() == lesson.rows["group_id"].to_list()
    assert examples.found.zones == settings.zones
    assert lesson.texts.tolist() == lesson.reader.read(lesson.rows)
    assert examples.found.present[0].shape[0] == len(lesson.rows) == len(gold())


def test_runs_that_few_texts_have_are_not_looked_for() -> None:
    """Thirty texts share two words, and each has one of its own."""
    rows = pl.DataFrame(
        [BLANK | {"response": f"so it {chr(97 + at // 6)}{chr(97 + at % 6)}q"} for at in range(30)]
    )
    for least, some in ((3, False), (1, True)):
        lesson = Lesson.of(rows, replace(Settings(), min_documents=least))
        assert (lesson.examples.found.present[0].sum(axis=0) == 1).any() == some


def test_a_reader_of_ones_own_reads_them() -> None:
    other = Reader.of(gold().with_columns(response=pl.lit("quite other words than those")))
    lesson = Lesson.of(gold(), Settings(), other)
    assert lesson.reader is other
    assert lesson.texts.tolist() == other.read(lesson.rows)
    assert Lesson.of(gold(), Settings()).reader is not other
