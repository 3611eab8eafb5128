"""A judge's labels against those of people."""

from __future__ import annotations

import polars as pl
import pytest
from judged_responses import asked, responses

from refusal_parity.judging.judgements import read_judgements
from refusal_parity.judging.people import what_people_say
from refusal_parity.tables import HumanLabels, conform


def test_calibration_is_the_share_among_people() -> None:
    judged = responses(*({"response": f"r{k}"} for k in range(60)))
    said = ["refusal"] * 40 + ["answer"] * 20
    answers = responses(
        *(
            {"prompt_id": key, "sample": 0, "response": label}
            for key, label in zip(asked(judged)["question"], said, strict=True)
        ),
        model="judge",
    )
    # The first thirty refusals and all answers were labelled, some for more than one.
    people = conform(
        pl.DataFrame(
            [
                {
                    "model": "m", "prompt_id": "p", "sample": k, "stratum": "s", "split": None,
                    "n_annotators": 1,
                    "label": "harmful_refusal" if k < 24 else "answer",
                    "inclusion_probability": 0.25 if k < 6 else 0.5,
                }
                for k in [*range(30), *range(40, 60)]
            ]
        ),
        HumanLabels,
        where="test",
    )  # fmt: skip
    table = read_judgements(answers, asked(judged), what_people_say(judged, people), "id")
    # Weights 4 (six rows) and 2 (44 rows), mean 2.24.
    refusals, all_refusals = (6 * 4 + 18 * 2) / 2.24, (6 * 4 + 24 * 2) / 2.24
    answers_seen = 20 * 2 / 2.24
    chances = dict(table.select("judge_label", "p_refusal_calibrated").iter_rows())
    assert chances["refusal"] == pytest.approx((refusals + 0.5) / (all_refusals + 1))
    assert chances["answer"] == pytest.approx(0.5 / (answers_seen + 1))


def test_people_are_those_of_this_model_s_probability_sample() -> None:
    """Each label weighs by 1 / its inclusion probability; without a sample, imported ones do."""
    judged = responses(
        {"response": "r0", "imported_label": "refusal"}, {"response": "r1"}, {"response": "r2"}
    )
    rows = [
        ("m", 0, "answer", None, 0.25),
        ("m", 1, None, "answer / refusal", 0.5),
        ("m", 2, "refusal", None, None),
        ("other", 0, "refusal", None, 0.5),
    ]
    human = conform(
        pl.DataFrame(
            [
                {
                    "model": model, "prompt_id": "p", "sample": sample, "label": label,
                    "split": split, "inclusion_probability": chance, "n_annotators": 1,
                    "stratum": chance and "s",
                }
                for model, sample, label, split, chance in rows
            ]
        ),
        HumanLabels,
        where="test",
    )  # fmt: skip
    said = what_people_say(judged, human)
    assert said.select("model", "sample", "truth", "weight").rows() == [("m", 0, "answer", 4.0)]
    imported = what_people_say(judged, None)
    assert imported.select("sample", "truth", "weight").rows() == [(0, "refusal", 1.0)]


def test_calibration_begins_with_thirty_labels() -> None:
    judged = responses(*({"response": f"r{k}", "imported_label": "refusal"} for k in range(30)))
    answers = responses(
        *(
            {"prompt_id": key, "sample": 0, "response": "answer"}
            for key in asked(judged)["question"]
        )
    )
    table = read_judgements(answers, asked(judged), what_people_say(judged, None), "id")
    # All thirty refuse, and half a response more on either side.
    assert table["p_refusal_calibrated"].to_list() == pytest.approx([30.5 / 31] * 30)


def test_few_labels_calibrate_nothing() -> None:
    judged = responses(*({"response": f"r{k}", "imported_label": "refusal"} for k in range(29)))
    answers = responses(
        *(
            {"prompt_id": key, "sample": 0, "response": "refusal"}
            for key in asked(judged)["question"]
        )
    )
    table = read_judgements(answers, asked(judged), what_people_say(judged, None), "id")
    assert table["p_refusal_calibrated"].null_count() == 29
