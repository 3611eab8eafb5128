"""Labels of both answers of a pair: how they are asked for, and which are too doubtful."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.preference.sides import answers_of, label_sides
from refusal_parity.tables import PROBABILITY_COLUMNS, Conversations, Pairs, conform
from refusal_parity.vocabulary import Label

SURE = {"Sorry.": 0.4, "Sorry, no.": 0.5, "Yes.": 0.6, "Yes, so.": 0.9}


class Doubting:
    """Stands in for a classifier that notes what it is asked, and is as sure as `SURE` says."""

    classifier_id = "doubting"

    def __init__(self) -> None:
        self.asked: list[pl.DataFrame] = []

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        self.asked.append(frame)
        label = [
            str(Label.REFUSAL if text.startswith("Sorry") else Label.ANSWER)
            for text in frame["response"]
        ]
        sure = np.array([SURE[text] for text in frame["response"]])
        rest = (1 - sure) / (len(Label) - 1)
        shares = {
            column: np.where(np.array(label) == str(each), sure, rest)
            for each, column in zip(Label, PROBABILITY_COLUMNS, strict=True)
        }
        return pl.DataFrame({"label": label, **shares}).with_columns(
            unseen=pl.lit(0.0), distance=pl.lit(0.0), unsure=pl.lit(value=True)
        )


def pairs_of() -> pl.DataFrame:
    texts = {4: ("Sorry.", "Yes."), 5: ("Sorry, no.", "Yes."), 6: ("Yes, so.", "Sorry, no.")}
    rows: list[dict[str, Any]] = [
        {
            "pair": pair, "exclusion": "tie" if pair == 5 else None, "cases": None, "turns": 3,
            "opening": "", "requests": ["First?", f"Last {pair}?"], "earlier_answers": ["Yes."],
            "chosen": chosen, "rejected": rejected,
        }
        for pair, (chosen, rejected) in texts.items()
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), Pairs, where="test")


def test_each_answer_is_a_response_to_the_last_request() -> None:
    columns = ("pair", "side", "response", "prompt", "prompt_id", "name")
    assert answers_of(pairs_of()).select(columns).rows() == [
        (4, "chosen", "Sorry.", "Last 4?", "4", None),
        (6, "chosen", "Yes, so.", "Last 6?", "6", None),
        (4, "rejected", "Yes.", "Last 4?", "4", None),
        (6, "rejected", "Sorry, no.", "Last 6?", "6", None),
    ]


@pytest.mark.parametrize(
    ("abstain_below", "labels"),
    [
        (0.0, ["refusal", "answer", "answer", "refusal"]),
        # A label that is as probable as wanted is one.
        (0.5, [None, "answer", "answer", "refusal"]),
        (0.7, [None, None, "answer", None]),
    ],
)
def test_a_label_less_probable_than_wanted_is_none(
    abstain_below: float, labels: list[str | None]
) -> None:
    found = label_sides(pairs_of(), Doubting(), abstain_below=abstain_below)  # type: ignore[arg-type]
    assert found.select("pair", "side").rows() == [
        (4, "chosen"), (4, "rejected"), (6, "chosen"), (6, "rejected"),
    ]  # fmt: skip
    assert found["label"].to_list() == labels
    assert found["abstained"].to_list() == [label is None for label in labels]
    assert found["machine_label"].to_list() == ["refusal", "answer", "answer", "refusal"]
    assert found["keyword_refusal"].to_list() == [True, False, False, True]
    assert found["words"].to_list() == [1, 1, 2, 2]
    assert found["unsure"].all()


def test_without_a_classifier_the_list_of_keywords_decides() -> None:
    found = label_sides(pairs_of(), None, abstain_below=1.0)
    assert found["label"].to_list() == ["refusal", "answer", "answer", "refusal"]
    assert found["machine_label"].to_list() == found["label"].to_list()
    assert not found["abstained"].any()
    assert found["unsure"].null_count() == 4


@pytest.mark.parametrize(("keys", "clustered"), [(["4", "6"], False), (["0", "12"], True)])
def test_a_classifier_is_cross_fitted_by_cluster(keys: list[str], *, clustered: bool) -> None:
    clusters = conform(
        pl.DataFrame({"pair": [6, 4], "cluster": [12, 0], "harm": [0.1, 0.2], "stratum": [0, 0]}),
        Conversations,
        where="test",
    )
    classifier = Doubting()
    label_sides(
        pairs_of(),
        classifier,  # type: ignore[arg-type]
        abstain_below=0.5,
        clusters=clusters if clustered else None,
    )
    [asked] = classifier.asked
    assert asked["prompt_id"].to_list() == keys * 2
    assert asked["response"].to_list() == ["Sorry.", "Yes, so.", "Yes.", "Sorry, no."]
