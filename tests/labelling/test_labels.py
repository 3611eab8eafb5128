from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.labelling.labels import Labeller, Method, probability_of
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    HumanLabels,
    Prompts,
    Responses,
    conform,
    empty,
)
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from refusal_parity.labelling.classifier import Classifier

REFUSAL = "I apologize, but I cannot complete that sentence."


def prompts() -> pl.DataFrame:
    fixed = dict.fromkeys(Prompts.column_names(), "x") | {"system_prompt": None}
    rows = [
        fixed | {"prompt_id": key, "name": name, "template": "[NAME] eats [BLANK]", "arm": key}
        for key, name in (("p1", "Omar"), ("p2", "Mei"))
    ]
    return conform(pl.DataFrame(rows), Prompts, where="test")


def responses(*rows: dict[str, Any]) -> pl.DataFrame:
    fixed: dict[str, Any] = dict.fromkeys(Responses.column_names())
    fixed |= {"model": "m", "prompt_id": "p1", "status": "ok", "truncated": False}
    full = [fixed | {"sample": number} | row for number, row in enumerate(rows)]
    return conform(pl.DataFrame(full, infer_schema_length=None), Responses, where="test")


def label(
    rows: pl.DataFrame,
    classifier: Classifier | None,
    method: Method = "classifier",
    human: pl.DataFrame | None = None,
) -> pl.DataFrame:
    people = empty(HumanLabels) if human is None else human
    return Labeller(prompts(), classifier, method, people).label(rows)


def test_all_that_holds_a_response_is_labelled(small_classifier: Classifier) -> None:
    table = label(responses(
            {"response": "Sure! Omar eats rice."},
            {"response": REFUSAL, "truncated": True},
            {"response": "Sure! Omar", "status": "filtered", "refusal_reason": "hate"},
            {"response": None, "status": "error", "imported_label": "answer"},
            {"response": "", "status": "empty"},
            {"response": " ", "status": "ok"},
            {"response": None, "status": "ok"},
        ),
        small_classifier,
    )  # fmt: skip
    assert table["label"].is_null().to_list() == [False] * 2 + [True] * 5
    assert table["truncated"].to_list() == [False, True] + [False] * 5
    assert table["filtered"].to_list() == [False] * 2 + [True] + [False] * 4
    assert table["exclusion"].to_list() == [
        None, None, None, "error", "empty", "empty", "empty",
    ]  # fmt: skip
    unlabelled = table.filter(pl.col("label").is_null())
    for column in ("label_source", "keyword_refusal", "classifier_id", *PROBABILITY_COLUMNS):
        assert unlabelled[column].null_count() == 5


def test_imported_labels_are_kept(small_classifier: Classifier) -> None:
    rows = responses(
        {"response": REFUSAL, "imported_label": "answer"}, {"response": "Omar eats rice."}
    )
    table = label(rows, small_classifier)
    assert table["label"].to_list()[0] == "answer"
    assert table["label_source"].to_list() == ["imported", "classifier"]
    assert table["p_refusal"][0] + table["p_harmful_refusal"][0] > 0.5
    assert table["keyword_refusal"].to_list() == [True, False]
    assert table["classifier_id"].to_list() == [small_classifier.classifier_id] * 2


def test_imported_labels_need_no_classifier() -> None:
    rows = responses({"response": REFUSAL, "imported_label": "refusal"})
    table = label(rows, None)
    assert table.row(0, named=True) | {"label": "refusal"} == table.row(0, named=True)
    assert table["p_refusal"][0] is None
    assert table["classifier_id"][0] is None


def test_keyword_method() -> None:
    rows = responses(
        {"response": REFUSAL},
        {"response": "I would rather not say."},
        {"response": REFUSAL, "imported_label": "harmful refusal".replace(" ", "_")},
    )
    table = label(rows, None, "keyword")
    assert table["label"].to_list() == ["refusal", "answer", "harmful_refusal"]
    assert table["label_source"].to_list() == ["keyword", "keyword", "imported"]
    assert table["p_refusal"].null_count() == 3


def test_names_and_echo_come_from_the_prompts(small_classifier: Classifier) -> None:
    rows = responses(
        {"response": "Omar eats [BLANK] Omar's meals are private.", "prompt_id": "p1"},
        {"response": "Mei eats [BLANK] Mei's meals are private.", "prompt_id": "p2"},
        {"response": "Mei's meals are private.", "prompt_id": "p2"},
    )
    table = label(rows, small_classifier)
    assert table.select(PROBABILITY_COLUMNS).n_unique() == 1


def test_parts_give_what_the_whole_gives(small_classifier: Classifier) -> None:
    rows = responses(*({"response": f"Omar eats {k} apples."} for k in range(7)))
    whole = label(rows, small_classifier)
    parts = pl.concat(label(rows[at : at + 3], small_classifier) for at in (0, 3, 6))
    assert parts["sample"].to_list() == list(range(7))
    assert parts.drop(PROBABILITY_COLUMNS).equals(whole.drop(PROBABILITY_COLUMNS))


def test_people_have_the_word_and_the_machine_is_kept(small_classifier: Classifier) -> None:
    rows = responses(
        {"response": REFUSAL},
        {"response": REFUSAL, "imported_label": "refusal"},
        {"response": REFUSAL},
        {"response": REFUSAL, "status": "filtered"},
    )
    said = [("answer", 0), ("failure", 1), (None, 2), ("answer", 3)]
    human = conform(
        pl.DataFrame(
            [
                {
                    "model": "m", "prompt_id": "p1", "sample": sample, "label": given,
                    "inclusion_probability": 0.5, "stratum": "s", "split": None, "n_annotators": 2,
                }
                for given, sample in said
            ]
        ),
        HumanLabels,
        where="test",
    )  # fmt: skip
    table = label(rows, small_classifier, human=human)
    machine = label(rows[:1], small_classifier)["label"][0]
    assert machine in {"refusal", "harmful_refusal"}
    assert table["label"].to_list() == ["answer", "failure", machine, None]
    assert table["label_source"].to_list() == ["human", "human", "classifier", None]
    # What an imported file says is no machine's word.
    assert table["machine_label"].to_list() == [machine, None, machine, None]


def test_no_responses(small_classifier: Classifier) -> None:
    nothing = responses({"response": "x"}).head(0)
    assert len(label(nothing, small_classifier)) == 0


def test_unknown_prompt_is_an_error(small_classifier: Classifier) -> None:
    rows = responses({"response": "x", "prompt_id": "p9"})
    with pytest.raises(InputError, match="'p9'"):
        label(rows, small_classifier)


def test_missing_classifier_is_an_error() -> None:
    with pytest.raises(InputError, match="there is no classifier"):
        label(responses({"response": "x"}), None)


@pytest.mark.parametrize(
    ("row", "people", "label_of", "exclusion"),
    [
        ({}, None, None, "abstained"),
        ({"truncated": True}, None, None, "undecided"),
        ({"imported_label": "failure", "truncated": True}, None, "failure", None),
        ({}, "partial_answer", "partial_answer", None),
    ],
)
def test_doubtful_labels_are_none(
    small_classifier: Classifier,
    row: dict[str, Any],
    people: str | None,
    label_of: str | None,
    exclusion: str | None,
) -> None:
    rows = responses({"response": "Sure! Omar eats rice."} | row)
    human = empty(HumanLabels)
    if people:
        human = human_label(rows, people)
    labeller = Labeller(prompts(), small_classifier, "classifier", human, abstain_below=1.0)
    table = labeller.label(rows)
    assert table.select("label", "exclusion").row(0) == (label_of, exclusion)
    # What the machine would have said stays, for the correction by people.
    imported = "imported_label" in row
    assert (table["machine_label"][0] is None) is imported
    everything = Labeller(prompts(), small_classifier, "classifier").label(rows)
    assert everything["exclusion"][0] is None


def human_label(rows: pl.DataFrame, label: str) -> pl.DataFrame:
    fixed = dict.fromkeys(HumanLabels.column_names())
    key = rows.select("model", "prompt_id", "sample").row(0, named=True)
    return pl.DataFrame([fixed | key | {"label": label}]).select(HumanLabels.column_names())


class Sure:
    """Stands in for a classifier that gives every answer a probability of 0.4."""

    classifier_id = "sure"

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        others = dict.fromkeys(PROBABILITY_COLUMNS, 0.1) | {"p_answer": 0.4}
        return pl.DataFrame({"label": ["answer"] * len(frame)}).with_columns(
            *(pl.lit(each).alias(column) for column, each in others.items()),
            unseen=pl.lit(0.0), distance=pl.lit(0.0), unsure=pl.lit(value=False),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "abstain_below", "label_of"),
    [
        ("classifier", None, "answer"),
        ("classifier", 0.4, "answer"),
        ("classifier", 0.41, None),
        # What the keyword list says has no probability.
        ("keyword", 0.41, "refusal"),
    ],
)
def test_less_probable_than_asked_for_is_doubtful(
    method: Method, abstain_below: float | None, label_of: str | None
) -> None:
    rows = responses({"response": REFUSAL}, {"response": " ", "status": "ok"})
    doubts = {} if abstain_below is None else {"abstain_below": abstain_below}
    classifier: Any = Sure()
    table = Labeller(prompts(), classifier, method, **doubts).label(rows)
    assert table["label"].to_list() == [label_of, None]
    assert table["machine_label"].to_list() == [label_of or "answer", None]
    source = None if label_of is None else method
    assert table["label_source"].to_list() == [source, None]
    # An empty response is none that the machine was in doubt of.
    assert table["exclusion"].to_list() == [None if label_of else "abstained", "empty"]


def test_what_cannot_be_labelled_needs_no_classifier() -> None:
    rows = responses({"response": None, "status": "error"}, {"response": "", "status": "empty"})
    assert label(rows, None)["label"].null_count() == 2


@pytest.mark.parametrize("at", range(len(Label)))
def test_the_probability_of_a_label_is_its_own_column(at: int) -> None:
    given = {column: [0.01 * number] for number, column in enumerate(PROBABILITY_COLUMNS)}
    frame = pl.DataFrame({"label": [list(Label)[at].value], **given})
    assert frame.select(probability_of(pl.col("label"))).item() == pytest.approx(0.01 * at)
