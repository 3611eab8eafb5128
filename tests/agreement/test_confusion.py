"""Whose labels the classifier's are counted against."""

from __future__ import annotations

import polars as pl

from refusal_parity.agreement.confusion import confusions


def test_people_of_the_probability_sample_come_before_imported_labels() -> None:
    rows = pl.DataFrame(
        [
            # People read two of a model's responses by chance, and one because it was doubtful.
            ("a", "refusal", "answer", "refusal", 0.5),
            ("a", "refusal", "answer", "failure", 0.1),
            ("a", "answer", "answer", "refusal", None),
            # Somebody labelled it who imported it: no more is asked.
            ("a", "failure", "answer", None, None),
            # Of another model there are imported labels alone.
            ("b", "answer", "refusal", None, None),
            ("b", None, "refusal", None, None),
            ("b", "answer", None, None, None),
            ("b", "answer", "answer", "refusal", None),
        ],
        schema={
            "model": pl.String,
            "classifier": pl.String,
            "imported": pl.String,
            "human": pl.String,
            "inclusion_probability": pl.Float64,
        },
        orient="row",
    )
    found = confusions(rows).select(
        *(pl.col(each).cast(pl.String) for each in ("model", "yardstick", "truth", "given")), "n"
    )
    assert found.rows() == [
        ("a", "human", "failure", "refusal", 1),
        ("a", "human", "refusal", "refusal", 1),
        ("b", "imported", "answer", "answer", 1),
        ("b", "imported", "refusal", "answer", 1),
    ]
