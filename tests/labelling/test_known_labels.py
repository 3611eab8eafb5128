"""A text that a classifier has labelled is not labelled again, and its row is the same."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.labelling.calibration import Calibration
from refusal_parity.labelling.classifier import Classifier, fold_of, train_further
from refusal_parity.labelling.known_labels import KnowingClassifier

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = (
    "Omar bakes bread.",
    "I cannot complete that sentence.",
    "Mei's meals are private.",
    "¿?",
    "Could you please provide the missing word?",
)


def _frame(*texts: str, prompt: str = "Omar eats", name: str | None = "Omar") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "response": texts,
            "name": name,
            "prompt": prompt,
            "prompt_id": [f"p{number}" for number in range(len(texts))],
        },
        schema_overrides={"name": pl.String},
    )


@pytest.fixture(scope="module")
def folded(small_classifier: Classifier, small_gold: pl.DataFrame) -> Classifier:
    """One with a model for each fold of the prompts."""
    human = small_gold.sort("response").head(60)
    human = human.with_columns(group_id=pl.format("p{}", pl.int_range(pl.len())))
    return train_further(small_classifier, small_gold, human)


@pytest.mark.parametrize("kind", ["small_classifier", "folded"])
def test_only_new_texts_are_labelled_and_all_rows_are_equal(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier: Classifier = request.getfixturevalue(kind)
    asked: list[int] = []
    predict = Classifier.predict

    def counting(self: Classifier, frame: pl.DataFrame) -> pl.DataFrame:
        asked.append(len(frame))
        return predict(self, frame)

    monkeypatch.setattr(Classifier, "predict", counting)
    steps = [
        (_frame(*TEXTS[:3]), 3, 0),
        (_frame(*TEXTS[:3]), 0, 3),
        (_frame(*TEXTS), 2, 3),
        (_frame(*TEXTS[:2], prompt="Omar sees"), 2, 0),
        (_frame(*TEXTS[:2], name="Mei"), 2, 0),
        (_frame(*TEXTS[:2], name=None), 2, 0),
        (_frame(), 0, 0),
    ]
    for frame, new, taken in steps:
        knowing = KnowingClassifier(classifier, tmp_path)
        asked.clear()
        given = knowing.predict(frame)
        assert (knowing.new, knowing.taken) == (new, taken)
        assert sum(asked) == new
        assert given.equals(predict(classifier, frame))
        assert given.schema == predict(classifier, frame).schema


def test_a_text_is_labelled_anew_in_another_fold(tmp_path: Path, folded: Classifier) -> None:
    """The classifier of its fold is another one."""
    keys = [f"p{at}" for at in range(50)]
    folds = fold_of(pl.Series(keys), len(folded.models))
    other = next(key for key, fold in zip(keys, folds, strict=True) if fold != folds[0])
    for key in ("p0", other):
        frame = _frame(TEXTS[1]).with_columns(prompt_id=pl.lit(key))
        knowing = KnowingClassifier(folded, tmp_path)
        assert knowing.predict(frame).equals(folded.predict(frame))
        assert (knowing.new, knowing.taken) == (1, 0)


def test_alike_rows_are_labelled_once(tmp_path: Path, small_classifier: Classifier) -> None:
    frame = _frame("Omar bakes.", "Omar bakes.", "Mei bakes.")
    knowing = KnowingClassifier(small_classifier, tmp_path)
    assert knowing.predict(frame).equals(small_classifier.predict(frame))
    assert len(pl.read_parquet(list(tmp_path.rglob("chunk-*.parquet")))) == 2


def test_another_classifier_takes_nothing_over_and_says_so(
    tmp_path: Path, small_classifier: Classifier
) -> None:
    frame, table = _frame(*TEXTS), tmp_path / "labels.parquet"
    said: list[str] = []
    other = replace(small_classifier, classifier_id="another", calibration=Calibration(2.0))
    for classifier in (small_classifier, small_classifier, other):
        knowing = KnowingClassifier(classifier, tmp_path / "store", say=said.append)
        assert knowing.predict(frame).equals(classifier.predict(frame))
        knowing.note_use(table)
    former = small_classifier.classifier_id
    ending = "of the same texts by the same classifier"
    warning = (
        f"another classifier than before: {former} gave this table's machine labels, now another "
        "does; none of the former's is taken over"
    )
    assert said == [
        f"0 of 5 machine labels are there already, {ending}; 5 are new",
        f"5 of 5 machine labels are there already, {ending}; 0 are new",
        warning,
        f"0 of 5 machine labels are there already, {ending}; 5 are new",
    ]


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_file_is_named_and_its_texts_are_labelled_again(
    tmp_path: Path, small_classifier: Classifier, seed: int
) -> None:
    frame = _frame(*TEXTS)
    for part in (frame[:2], frame[2:]):
        KnowingClassifier(small_classifier, tmp_path).predict(part)
    chunk = sorted(tmp_path.rglob("chunk-*.parquet"))[seed % 2]
    content = bytearray(chunk.read_bytes())
    chance = random.Random(seed)  # noqa: S311 - a test's choice
    if seed < 3:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    else:
        del content[chance.randrange(len(content)) :]
    chunk.write_bytes(content)
    said: list[str] = []
    knowing = KnowingClassifier(small_classifier, tmp_path, say=said.append)
    assert knowing.predict(frame).equals(small_classifier.predict(frame))
    assert said == [f"{chunk} is truncated or corrupt: its texts are labelled again"]
    assert knowing.taken in (2, 3)


def test_parts_of_what_was_asked_are_told_apart(
    tmp_path: Path, small_classifier: Classifier
) -> None:
    """The same letters, with another end of the name or the prompt."""
    knowing = KnowingClassifier(small_classifier, tmp_path)
    knowing.predict(_frame("Omar bakes.", name="Li", prompt="Ask"))
    for frame in (
        _frame("Omar bakes.L", name="i", prompt="Ask"),
        _frame("Omar bakes.", name="LiA", prompt="sk"),
        _frame("Omar bakes.", name="Li", prompt="Ask"),
    ):
        knowing.predict(frame)
    # The last is the first again, and one job writes each part beside the others.
    assert (knowing.new, knowing.taken) == (3, 1)
    again = KnowingClassifier(small_classifier, tmp_path)
    again.predict(_frame("Omar bakes.", "Omar bakes.", "Mei bakes.", name="Li", prompt="Ask"))
    assert (again.new, again.taken) == (1, 2)
    said: list[str] = []
    last = KnowingClassifier(small_classifier, tmp_path, say=said.append)
    last.predict(_frame("Mei bakes.", name="Li", prompt="Ask"))
    last.note_use(tmp_path / "labels.parquet")
    assert said[-1].startswith("1 of 1 machine label is there already")


def test_what_two_jobs_found_at_once_is_one(tmp_path: Path, small_classifier: Classifier) -> None:
    """Both began before either had written."""
    frame = _frame(*TEXTS)
    KnowingClassifier(small_classifier, tmp_path / "one").predict(frame)
    KnowingClassifier(small_classifier, tmp_path / "other").predict(frame[:3])
    folder = tmp_path / "one" / small_classifier.classifier_id
    for chunk in (tmp_path / "other").rglob("chunk-*.parquet"):
        chunk.rename(folder / chunk.name)
    knowing = KnowingClassifier(small_classifier, tmp_path / "one")
    assert knowing.predict(frame).equals(small_classifier.predict(frame))
    assert (knowing.new, knowing.taken) == (0, 5)
