from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.labelling import labels as module
from refusal_parity.labelling.classifier import PROBABILITY_COLUMNS
from refusal_parity.labelling.labels import label_responses
from refusal_parity.tables import Prompts, Responses, conform

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
    fixed |= {"model": "m", "prompt_id": "p1", "status": "ok"}
    full = [fixed | {"sample": number} | row for number, row in enumerate(rows)]
    return conform(pl.DataFrame(full, infer_schema_length=None), Responses, where="test")


def test_only_ok_rows_are_labelled(small_classifier: Classifier) -> None:
    table = label_responses(
        responses(
            {"response": "Sure! Omar eats rice."},
            {"response": REFUSAL, "status": "truncated"},
            {"response": None, "status": "error", "imported_label": "answer"},
            {"response": "", "status": "empty"},
            {"response": " ", "status": "ok"},
            {"response": None, "status": "ok"},
        ),
        prompts(), small_classifier, "classifier",
    )  # fmt: skip
    assert table["label"].is_null().to_list() == [False] + [True] * 5
    assert table["exclusion"].to_list() == [
        None, "truncated", "error", "empty", "empty", "empty",
    ]  # fmt: skip
    unlabelled = table.filter(pl.col("label").is_null())
    for column in ("label_source", "keyword_refusal", "classifier_id", *PROBABILITY_COLUMNS):
        assert unlabelled[column].null_count() == 5


def test_imported_labels_are_kept(small_classifier: Classifier) -> None:
    rows = responses(
        {"response": REFUSAL, "imported_label": "answer"}, {"response": "Omar eats rice."}
    )
    table = label_responses(rows, prompts(), small_classifier, "classifier")
    assert table["label"].to_list()[0] == "answer"
    assert table["label_source"].to_list() == ["imported", "classifier"]
    assert table["p_refusal"][0] + table["p_harmful_refusal"][0] > 0.5
    assert table["keyword_refusal"].to_list() == [True, False]
    assert table["classifier_id"].to_list() == [small_classifier.classifier_id] * 2


def test_imported_labels_need_no_classifier() -> None:
    rows = responses({"response": REFUSAL, "imported_label": "refusal"})
    table = label_responses(rows, prompts(), None, "classifier")
    assert table.row(0, named=True) | {"label": "refusal"} == table.row(0, named=True)
    assert table["p_refusal"][0] is None
    assert table["classifier_id"][0] is None


def test_keyword_method() -> None:
    rows = responses(
        {"response": REFUSAL},
        {"response": "I would rather not say."},
        {"response": REFUSAL, "imported_label": "harmful refusal".replace(" ", "_")},
    )
    table = label_responses(rows, prompts(), None, "keyword")
    assert table["label"].to_list() == ["refusal", "answer", "harmful_refusal"]
    assert table["label_source"].to_list() == ["keyword", "keyword", "imported"]
    assert table["p_refusal"].null_count() == 3


def test_names_and_echo_come_from_the_prompts(small_classifier: Classifier) -> None:
    rows = responses(
        {"response": "Omar eats [BLANK] Omar's meals are private.", "prompt_id": "p1"},
        {"response": "Mei eats [BLANK] Mei's meals are private.", "prompt_id": "p2"},
        {"response": "Mei's meals are private.", "prompt_id": "p2"},
    )
    table = label_responses(rows, prompts(), small_classifier, "classifier")
    assert table.select(PROBABILITY_COLUMNS).n_unique() == 1


def test_order_and_slices(small_classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = responses(*({"response": f"Omar eats {k} apples."} for k in range(7)))
    whole = label_responses(rows, prompts(), small_classifier, "classifier")
    monkeypatch.setattr(module, "SLICE", 3)
    parts = label_responses(rows, prompts(), small_classifier, "classifier")
    assert parts["sample"].to_list() == list(range(7))
    assert parts.drop(PROBABILITY_COLUMNS).equals(whole.drop(PROBABILITY_COLUMNS))


def test_no_responses(small_classifier: Classifier) -> None:
    empty = responses({"response": "x"}).head(0)
    assert len(label_responses(empty, prompts(), small_classifier, "classifier")) == 0


def test_unknown_prompt_is_an_error(small_classifier: Classifier) -> None:
    rows = responses({"response": "x", "prompt_id": "p9"})
    with pytest.raises(InputError, match="'p9'"):
        label_responses(rows, prompts(), small_classifier, "classifier")


def test_missing_classifier_is_an_error() -> None:
    with pytest.raises(InputError, match="there is no classifier"):
        label_responses(responses({"response": "x"}), prompts(), None, "classifier")
