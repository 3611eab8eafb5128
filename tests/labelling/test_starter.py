from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.labelling.evaluation import compare
from refusal_parity.labelling.masking import prepare
from refusal_parity.labelling.starter import starter_files
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier


def test_size_and_shares(starter: pl.DataFrame) -> None:
    assert len(starter) >= 1200
    share = dict(starter["label"].cast(pl.String).value_counts(normalize=True).iter_rows())
    assert set(share) >= {str(label) for label in Label} - {Label.PARTIAL_REFUSAL}
    assert 0.35 <= share["answer"] <= 0.50
    assert 0.20 <= share["refusal"] <= 0.30


def test_no_duplicates(starter: pl.DataFrame) -> None:
    assert starter["response"].is_unique().all()
    assert prepare(starter).str.to_lowercase().is_unique().all()
    ids = pl.concat(pl.read_csv(file, columns=["id"]) for file in starter_files())["id"]
    assert ids.is_unique().all()


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
def test_variety(starter: pl.DataFrame, label: str, skeletons: int) -> None:
    assert starter.filter(pl.col("label") == label)["group_id"].n_unique() >= skeletons


def test_no_name_tells_the_label(root: Path, starter: pl.DataFrame) -> None:
    names = pl.read_csv(root / "data" / "names-56.csv")
    joined = starter.join(names, on="name", how="left")
    assert joined["group"].null_count() == 0
    expected = len(joined) / len(names)
    for (label,), rows in joined.group_by("label"):
        counts = names.join(rows, on="name", how="left", coalesce=False)
        times = counts.group_by("name").agg(pl.col("response").count())["response"]
        assert times.max() - times.min() <= 1, f"{label}: {times.min()} to {times.max()}"  # type: ignore[operator]
    assert joined["name"].value_counts()["count"].max() <= expected * 1.2  # type: ignore[operator]


def test_names_stand_only_in_their_own_rows(root: Path, starter: pl.DataFrame) -> None:
    names = pl.read_csv(root / "data" / "names-56.csv")["name"].to_list()
    left = prepare(starter).str.contains(rf"\b(?:{'|'.join(names)})\b")
    assert left.sum() == 0


def test_trained_on_starter_alone(starter_classifier: Classifier, released: pl.DataFrame) -> None:
    predicted = starter_classifier.predict(released)
    agreement = compare(released["label"].to_list(), predicted["label"].cast(pl.String).to_list())
    assert agreement.rows == 2304
    assert agreement.binary_kappa is not None
    assert agreement.binary_kappa >= 0.97
    assert agreement.class_kappa is not None
    assert agreement.class_kappa >= 0.74
