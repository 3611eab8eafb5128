from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.labelling.evaluation import compare
from refusal_parity.labelling.masking import prepare
from refusal_parity.labelling.starter import starter_files
from refusal_parity.labelling.wording import words_of
from refusal_parity.vocabulary import REFUSALS, Label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier

ALIKE = 0.5
"""Share of common runs of five words from which two texts are near-duplicates."""

FIRST_EDITION = "completion.csv"

OTHERS = ("ar", "fa", "fr", "hi", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh")
"""Languages of `languages.csv`."""


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """All columns of all files, with the file, and the style without its marks."""
    frames = [
        pl.read_csv(file, infer_schema=False).with_columns(file=pl.lit(file.name))
        for file in starter_files()
    ]
    return pl.concat(frames, how="diagonal").with_columns(
        manner=pl.col("style").str.replace_all(r"-(pair|cut)\b", "")
    )


@pytest.fixture(scope="module")
def held_out(root: Path) -> pl.DataFrame:
    """Responses to other requests that the classifier never learns from."""
    return pl.read_csv(root / "data" / "gold" / "held-out.csv", infer_schema=False)


@pytest.fixture(scope="module")
def formats(root: Path) -> pl.DataFrame:
    """Tables, headings, data and the like, which it does not learn from either."""
    return pl.read_csv(root / "data" / "gold" / "formats.csv", infer_schema=False)


def test_size_and_variety(rows: pl.DataFrame) -> None:
    assert len(rows) >= 6_000
    assert set(rows["label"]) == {str(label) for label in Label}
    assert set(rows["kind"]) == {"completion", "question", "instruction", "advice", "unsafe"}
    assert set(rows["language"]) == {"en", "de", "es", *OTHERS}
    both = rows.group_by("manner").agg(
        pl.len(), refusals=pl.col("label").is_in([str(label) for label in REFUSALS]).sum()
    )
    both = both.filter(
        pl.col("len") >= 20, pl.col("refusals") > 0, pl.col("refusals") < pl.col("len")
    )
    assert len(both) >= 25


def test_a_third_is_long(rows: pl.DataFrame) -> None:
    """Of what is not in `languages.csv`: some of these put no blanks between words."""
    words = rows.filter(~pl.col("language").is_in(OTHERS))["response"].str.count_matches(r"\S+")
    assert (words > 80).mean() >= 1 / 3


def test_no_language_tells_the_label(rows: pl.DataFrame) -> None:
    refuses = pl.col("label").is_in([str(label) for label in REFUSALS])
    of_others = rows.filter(pl.col("language").is_in(OTHERS)).group_by("language")
    shares = of_others.agg(pl.len(), share=refuses.mean())
    assert len(shares) == len(OTHERS)
    assert shares.filter((pl.col("len") < 45) | ~pl.col("share").is_between(0.4, 0.6)).rows() == []


@pytest.mark.parametrize("column", ["id", "response"])
def test_nothing_stands_twice(rows: pl.DataFrame, column: str) -> None:
    assert rows.filter(pl.col(column).is_duplicated())["id"].to_list() == []


def test_no_near_duplicates(
    rows: pl.DataFrame, held_out: pl.DataFrame, formats: pl.DataFrame
) -> None:
    """But for the hard pairs on one request, and the first edition, which is told below."""
    written = rows.filter(pl.col("file") != FIRST_EDITION)
    pairs = list(near_duplicates(pl.concat([written, held_out, formats], how="diagonal")))
    assert pairs == []


def near_duplicates(rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Ids of texts of two requests that share half of their runs of five words, or more."""
    runs = [
        {tuple(words[at : at + 5]) for at in range(max(len(words) - 4, 1))}
        for words in map(words_of, prepare(rows))
    ]
    holders: dict[tuple[str, ...], list[int]] = {}
    for at, own in enumerate(runs):
        for run in own:
            holders.setdefault(run, []).append(at)
    common: dict[tuple[int, int], int] = {}
    for texts in holders.values():
        for pair in combinations(texts, 2):
            common[pair] = common.get(pair, 0) + 1
    ids, groups = rows["id"].to_list(), rows["group_id"].to_list()
    for (one, other), shared in common.items():
        together = len(runs[one]) + len(runs[other]) - shared
        if groups[one] != groups[other] and shared >= ALIKE * together:
            yield ids[one], ids[other]


def test_near_duplicates_are_found() -> None:
    text = "one two three four five six seven eight nine ten"
    frame = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "response": [text, f"{text} eleven", f"{text} twelve", "nothing of the sort at all"],
            "name": None,
            "prompt": None,
            "group_id": ["1", "1", "2", "3"],
        },
        schema_overrides={"name": pl.String, "prompt": pl.String},
    )
    assert set(near_duplicates(frame)) == {("a", "c"), ("b", "c")}


@pytest.mark.parametrize(
    ("label", "skeletons"),
    [
        ("answer", 80),
        ("refusal", 60),
        ("harmful_refusal", 40),
        ("partial_answer", 40),
        ("failure", 40),
        ("harmful_answer", 20),
    ],
)
def test_variety_of_the_first_edition(rows: pl.DataFrame, label: str, skeletons: int) -> None:
    first = rows.filter(pl.col("file") == FIRST_EDITION, pl.col("label") == label)
    assert first["group_id"].n_unique() >= skeletons


def test_no_name_and_no_group_tells_the_label(root: Path, rows: pl.DataFrame) -> None:
    names = pl.read_csv(root / "data" / "names.csv").select("name", "group")
    named = rows.drop_nulls("name").join(names, on="name", how="inner")
    assert len(named) >= 2_000
    refuses = pl.col("label").is_in([str(label) for label in REFUSALS])
    share = named.select(refuses.mean()).item()
    by_group = named.group_by("group").agg(refuses.mean().alias("share"), pl.len())
    assert by_group.filter((pl.col("share") - share).abs() > 0.08).to_dicts() == []


def test_names_stand_only_in_their_own_rows(rows: pl.DataFrame) -> None:
    first = rows.filter(pl.col("file") == FIRST_EDITION)
    names = map(re.escape, first["name"].drop_nulls().unique())
    left = prepare(first).str.contains(rf"\b(?:{'|'.join(names)})\b")
    assert left.sum() == 0


def test_trained_on_starter_alone(starter_classifier: Classifier, released: pl.DataFrame) -> None:
    predicted = starter_classifier.predict(released)["label"].cast(pl.String)
    agreement = compare(released["label"].to_list(), predicted.to_list())
    assert agreement.rows == 2304
    assert agreement.binary_kappa is not None
    assert agreement.binary_kappa >= 0.98
    # Theirs are six classes, where a refusal in part is a partial answer.
    six = predicted.replace(str(Label.PARTIAL_REFUSAL), str(Label.PARTIAL_ANSWER))
    in_six = compare(released["label"].to_list(), six.to_list()).class_kappa
    assert in_six is not None
    assert in_six >= 0.74


def test_a_second_reading_agrees(rows: pl.DataFrame, held_out: pl.DataFrame) -> None:
    for frame, count in ((rows, 4404), (held_out, 293)):
        read = frame.filter(pl.col("reading_2").is_not_null())
        assert len(read) == count
        agreement = compare(read["reading_2"].to_list(), read["label"].to_list())
        assert agreement.binary_kappa is not None
        assert agreement.binary_kappa >= 0.9


def test_held_out_responses_are_to_other_requests(
    rows: pl.DataFrame, held_out: pl.DataFrame, formats: pl.DataFrame
) -> None:
    for frame in (held_out, formats):
        assert frame["id"].is_unique().all()
        for column in ("id", "prompt", "group_id"):
            assert set(frame[column]) & set(rows[column]) == set()
        assert set(frame["kind"]) == set(rows["kind"])
        assert set(frame["label"]) <= {str(label) for label in Label}


def test_no_format_tells_the_label(formats: pl.DataFrame) -> None:
    refuses = pl.col("label").is_in([str(label) for label in REFUSALS])
    shares = formats.group_by("style").agg(pl.len(), share=refuses.mean())
    assert shares.filter((pl.col("len") < 10) | ~pl.col("share").is_between(0.25, 0.7)).rows() == []
    labels = formats.group_by("group_id").agg(pl.col("label").n_unique())
    assert labels.filter(pl.col("label") < 2).rows() == []


def test_formats_never_learnt_from(starter_classifier: Classifier, formats: pl.DataFrame) -> None:
    said = starter_classifier.predict(formats)["label"].cast(pl.String)
    agreement = compare(formats["label"].to_list(), said.to_list())
    assert agreement.binary_kappa is not None
    assert agreement.binary_kappa >= 0.85
    answers = said.filter(formats["label"] == str(Label.ANSWER)).to_list()
    assert answers.count(str(Label.FAILURE)) <= 0.08 * len(answers)


def test_hard_responses_never_learnt_from(
    starter_classifier: Classifier, held_out: pl.DataFrame
) -> None:
    said = starter_classifier.predict(held_out)["label"].cast(pl.String).to_list()
    agreement = compare(held_out["label"].to_list(), said)
    assert agreement.binary_kappa is not None
    assert agreement.binary_kappa >= 0.65
