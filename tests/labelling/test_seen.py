from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from refusal_parity.labelling.classifier import HUMAN_FOLDS, fold_of, train, train_further
from refusal_parity.labelling.features import Said
from refusal_parity.labelling.folds import LABELS, OutOfFold, predict_out_of_fold
from refusal_parity.labelling.seen import Seen, row_keys


def test_a_gold_row_meets_the_fold_that_did_not_learn_it(small_gold: pl.DataFrame) -> None:
    held_out = predict_out_of_fold(small_gold, 1)
    classifier = train(small_gold, 1, held_out=held_out)
    given = classifier.say(small_gold).probabilities
    # Scaling keeps the order within a row.
    assert (given.argmax(1) == held_out.probabilities.argmax(1)).mean() == pytest.approx(1)
    fresh = small_gold.with_columns(prompt=pl.lit("another request"))
    learned = classifier.say(fresh).probabilities
    truth = held_out.labels
    at = np.array([LABELS.index(label) for label in truth])
    rows = np.arange(len(at))
    assert learned[rows, at].mean() > given[rows, at].mean() + 0.1


def test_keys_know_response_name_and_prompt() -> None:
    rows = pl.DataFrame(
        {
            "response": ["a", " a ", "a", "a", "b"],
            "name": ["x", "x", None, "x", "x"],
            "prompt": ["p", "p", "p", "q", "p"],
        }
    )
    keys = row_keys(rows)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_nothing_seen_changes_nothing() -> None:
    seen = Seen(np.array([], dtype="U16"), Said.nothing(0, len(LABELS)))
    given = Said.nothing(2, len(LABELS))
    frame = pl.DataFrame({"response": ["a", "b"], "name": [None, None], "prompt": [None, None]})
    assert seen.replace(given, frame) is given


def test_no_response_meets_its_own_human_label(small_gold: pl.DataFrame) -> None:
    """People say that an odd text is a refusal: only other prompts' folds may know."""
    text = "Zyzzyva quoxes the frobnicated wibble."
    prompts = [f"p{k}" for k in range(20)]
    human = pl.DataFrame(
        {
            "response": text,
            "label": "refusal",
            "name": None,
            "prompt": None,
            "group_id": ["p0"] * 12,
            "weight": 1.0,
        },
        schema=small_gold.schema,
    )
    base = train(small_gold, 1)
    taught = train_further(base, small_gold, human)
    assert len(taught.models) == HUMAN_FOLDS == 5
    assert taught.classifier_id != base.classifier_id
    frame = pl.DataFrame(
        {"response": text, "name": None, "prompt": None, "prompt_id": prompts},
        schema_overrides={"name": pl.String, "prompt": pl.String},
    )
    p = taught.predict(frame)["p_refusal"].to_numpy()
    own = np.array(fold_of(frame["prompt_id"], HUMAN_FOLDS))
    inside = own == own[0]
    np.testing.assert_allclose(p[inside], base.predict(frame)["p_refusal"][0], atol=0.02)
    assert p[~inside].min() > p[inside].max() + 0.2


def test_folds_are_of_prompts_and_the_same_everywhere() -> None:
    keys = pl.Series([f"prompt-{k}" for k in range(500)] * 2)
    folds = fold_of(keys, 5)
    assert folds[:500] == folds[500:]
    counts = np.bincount(folds[:500], minlength=5)
    # Binomial(500, 1/5) has a standard deviation of 9: four of them.
    assert counts.min() > 64
    assert counts.max() < 136
    assert fold_of(pl.Series(["p0", "p1", "p2"]), 5) == [3, 3, 4]


def test_what_was_held_out_stands_in_its_own_place() -> None:
    """Of nine gold rows one has no held-out prediction, and one stands there twice."""
    gold = pl.DataFrame({"response": list("dbacbefgh"), "name": "n", "prompt": "p"})
    numbers = np.array([0.4, 0.2, np.nan, 0.3, 0.9, 0.5, 0.6, 0.7, 0.8])
    given = Said(np.repeat(numbers[:, None], len(LABELS), axis=1), numbers + 1, numbers + 2)
    seen = Seen.of(gold, OutOfFold(np.array(["answer"] * 9), given, folds=5))
    assert len(seen.keys) == 7
    frame = pl.DataFrame(
        {
            "response": ["c", "a", "D ", "b", "b", "x"],
            "name": ["n", "n", "N", "n", "other", "n"],
            "prompt": "p",
        }
    )
    learned = Said(np.full((6, len(LABELS)), 7.0), np.full(6, 8.0), np.full(6, 9.0))
    found = seen.replace(learned, frame)
    assert found.probabilities[:, 0].tolist() == [0.3, 7, 0.4, 0.2, 7, 7]
    assert found.unseen.tolist() == pytest.approx([1.3, 8, 1.4, 1.2, 8, 8])
    again = seen.replace(Said.nothing(9, len(LABELS)), gold)
    assert again.unseen == pytest.approx(
        [1.4, 1.2, np.nan, 1.3, 1.2, 1.5, 1.6, 1.7, 1.8], nan_ok=True
    )
    assert found.distance.tolist() == pytest.approx([2.3, 9, 2.4, 2.2, 9, 9])


def test_parts_of_a_key_are_told_apart() -> None:
    rows = pl.DataFrame({"response": ["ab", "a"], "name": ["c", "bc"], "prompt": ["p", "p"]})
    assert len(set(row_keys(rows))) == 2
