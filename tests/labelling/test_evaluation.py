from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from refusal_parity.labelling.evaluation import compare, cross_validate, write_evaluation
from refusal_parity.labelling.folds import predict_out_of_fold
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def test_kappa_by_hand() -> None:
    # Cohen 1960: observed 0.7, expected 0.5 x 0.6 + 0.5 x 0.4 = 0.5, kappa 0.4.
    truth = ["refusal"] * 25 + ["harmful_refusal"] * 25 + ["answer"] * 50
    given = ["refusal"] * 40 + ["answer"] * 10 + ["failure"] * 30 + ["harmful_refusal"] * 20
    agreement = compare(truth, given)
    assert agreement.binary_kappa == pytest.approx(0.4)
    assert sum(map(sum, agreement.confusion)) == 100
    scores = {row.label: row for row in agreement.classes}
    assert scores["refusal"].precision == pytest.approx(25 / 40)
    assert scores["refusal"].recall == 1.0
    assert scores["harmful_answer"].precision is None
    assert scores["harmful_answer"].recall is None


def test_macro_f1_is_the_mean_over_classes_that_are_true() -> None:
    """Of refusals 2 / (2 + 1), of answers 2 x 2 / (2 x 2 + 1), of failures 0."""
    truth = ["refusal", "refusal", "answer", "answer", "failure"]
    given = ["refusal", "harmful_refusal", "answer", "answer", "answer"]
    found = compare(truth, given)
    assert found.macro_f1 == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    at = {label: place for place, label in enumerate(found.labels)}
    # Rows are true, columns predicted.
    assert found.confusion[at["refusal"]][at["harmful_refusal"]] == 1
    assert found.confusion[at["harmful_refusal"]][at["refusal"]] == 0


def test_one_class_on_both_sides_has_no_kappa() -> None:
    assert compare(["answer"] * 3, ["answer"] * 3).binary_kappa is None


def test_nothing_to_compare() -> None:
    assert compare([], []).rows == 0


def test_groups_are_held_out_together(small_gold: pl.DataFrame) -> None:
    held_out = predict_out_of_fold(small_gold, 1)
    assert held_out.predicted.all()
    assert held_out.folds == 5
    assert held_out.labels.tolist() == small_gold["label"].to_list()


def test_cross_validation_is_written_as_json(tmp_path: Path, small_gold: pl.DataFrame) -> None:
    result = cross_validate(small_gold, 1)
    assert cross_validate(small_gold, 1) == result
    assert result.agreement.rows == len(small_gold)
    assert result.agreement.binary_kappa is not None
    assert result.agreement.binary_kappa > 0.6
    path = tmp_path / "classifier.json"
    write_evaluation(result, path)
    stored = json.loads(path.read_text())
    assert stored["agreement"]["binary_kappa"] == result.agreement.binary_kappa
    assert len(stored["agreement"]["confusion"]) == len(Label)
