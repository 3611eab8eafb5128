"""Which rows a held-out prediction has learnt from, and how many folds there are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from refusal_parity.labelling.folds import FOLDS, LABELS, predict_out_of_fold


def gold(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    """Rows of response, label and group."""
    frame = pl.DataFrame(rows, schema=["response", "label", "group_id"], orient="row")
    return frame.with_columns(
        name=pl.lit(None, pl.String), prompt=pl.lit(None, pl.String), weight=1.0
    )


PLAIN = [
    (text, label, f"{label}{at}")
    for label, text in (("refusal", "no never"), ("answer", "sure bread"))
    for at in range(10)
]


def test_rows_of_one_group_are_held_out_together() -> None:
    """Their words stand in no other group, so that the model that predicts them met none."""
    odd = [(f"wibble glorp w{at}", "refusal", "odd") for at in range(8)]
    rows = gold([*odd[:4], *PLAIN, *odd[4:]])
    found = predict_out_of_fold(rows, 1)
    is_odd = (rows["group_id"] == "odd").to_numpy()
    assert found.said.unseen[is_odd].tolist() == [1] * 8
    assert found.said.unseen[~is_odd].tolist() == [0] * 20
    # Predictions stand in the order of the rows, whatever order they are learnt in.
    assert found.labels.tolist() == rows["label"].to_list()
    said = [LABELS[at] for at in found.probabilities[~is_odd].argmax(axis=1)]
    assert said == rows.filter(~is_odd)["label"].to_list()
    assert found.predicted.all()
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(28))
    unknown = [at for at, label in enumerate(LABELS) if label not in {"refusal", "answer"}]
    assert not found.probabilities[:, unknown].any()


@pytest.mark.parametrize(
    ("groups", "rows", "folds"),
    [
        (["a"] * 8, 8, 0),
        (["a", "b"] * 6, 12, 2),
        (list("abcdefgh"), 8, 4),
        (["a", "b", "c"] * 4, 12, 3),
        ([str(at) for at in range(40)], 40, FOLDS),
    ],
    ids=["one group", "two groups", "few rows of a label", "three groups", "many"],
)
def test_no_more_folds_than_groups_or_rows_of_a_label(
    groups: list[str], rows: int, folds: int
) -> None:
    """Labels in pairs, half of them refusals."""
    labels = [("refusal", "answer")[at // 2 % 2] for at in range(rows)]
    words = {"refusal": "no never", "answer": "sure bread"}
    found = predict_out_of_fold(
        gold([(words[label], label, group) for label, group in zip(labels, groups, strict=True)]), 1
    )
    assert found.folds == folds
    assert found.predicted.all() if folds else not found.predicted.any()


def test_a_fold_with_nothing_to_tell_apart_predicts_nothing() -> None:
    """Without the group of refusals there is but one label to learn from."""
    rows = gold([("no never", "refusal", "a")] * 4 + [("sure bread", "answer", "b")] * 4)
    found = predict_out_of_fold(rows, 1)
    assert found.folds == 2
    assert not found.predicted.any()
    assert np.isnan(found.said.distance).all()


def test_the_division_follows_the_seed() -> None:
    odd = [(f"word{at} no never", "refusal", f"g{at}") for at in range(12)]
    rows = gold([*odd, *PLAIN])
    one, again, other = (predict_out_of_fold(rows, seed).probabilities for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
