from __future__ import annotations

import base64
import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from report_study import changed

from refusal_parity.config import ReportConfig
from refusal_parity.report import payload
from refusal_parity.report.payload import NONE, response_payload, responses_of
from refusal_parity.report.sections import responses
from refusal_parity.tables import Labels, Prompts, Responses
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs

HOSTILE = "</script><script>alert(1)</script>&\u2028\u2029\u202e\x00 \U0001f9d5"


def with_text(inputs: ReportInputs, text: str, characters: int = 4000) -> ReportInputs:
    """The study with its first response replaced."""
    first = inputs[Responses].head(1).with_columns(response=pl.lit(text))
    config = inputs.config.model_copy(update={"report": ReportConfig(characters=characters)})
    return changed(inputs, config=config, responses=pl.concat([first, inputs[Responses].slice(1)]))


def unpacked(inputs: ReportInputs) -> dict[str, Any]:
    payload = response_payload(inputs)
    assert payload is not None
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", payload)
    made: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(payload)))
    return made


def test_every_response_is_there_with_its_prompt_and_label(inputs: ReportInputs) -> None:
    found = unpacked(inputs)
    rows, prompts = found["rows"], found["prompts"]
    told = pl.DataFrame(
        {
            "model": [found["models"][place] for place in rows["model"]],
            "prompt": [prompts["text"][place] for place in rows["prompt"]],
            "group": [found["groups"][prompts["group"][place]] for place in rows["prompt"]],
            "template": [
                found["templates"][prompts["template"][place]][0] for place in rows["prompt"]
            ],
            "sample": rows["sample"],
            "response": [
                None if place == NONE else found["texts"][place] for place in rows["text"]
            ],
            "label": [
                None if place == NONE else list(Label)[place].value for place in rows["label"]
            ],
            "exclusion": [
                None if place == NONE else found["exclusions"][place] for place in rows["exclusion"]
            ],
        }
    )
    key = ["model", "prompt_id", "sample"]
    expected = (
        inputs[Responses]
        .select(*key, "response")
        .join(inputs[Labels], on=key)
        .join(inputs[Prompts], on="prompt_id")
        .select(told.columns)
        .with_columns(pl.col("label").cast(pl.String))
    )
    columns = told.columns
    assert told.sort(columns).rows() == expected.sort(columns).rows()


def test_opinions_are_those_of_others(inputs: ReportInputs) -> None:
    assert [opinion["name"] for opinion in unpacked(inputs)["opinions"]] == ["keywords"]
    human = inputs[Labels].with_columns(
        label_source=pl.lit("human").cast(inputs[Labels].schema["label_source"])
    )
    found = unpacked(changed(inputs, labels=human))
    classifier = next(one for one in found["opinions"] if one["name"] == "classifier")
    # The made-up probabilities are highest for an answer.
    assert set(classifier["said"]) == {list(Label).index(Label.ANSWER)}


def test_hostile_text_comes_through_unchanged(inputs: ReportInputs) -> None:
    found = unpacked(with_text(inputs, HOSTILE))
    assert found["texts"][found["rows"]["text"][0]] == HOSTILE


@pytest.mark.parametrize(
    ("characters", "length", "kept", "said"),
    [(4000, 10**6, 4000, 10**6), (4000, 4000, 4000, None), (10**6, 10**6, 10**6, None)],
)
def test_long_texts_are_cut_and_it_is_said(
    inputs: ReportInputs, characters: int, length: int, kept: int, said: int | None
) -> None:
    found = unpacked(with_text(inputs, "\U0001f9d5" * length, characters))
    assert len(found["texts"][found["rows"]["text"][0]]) == kept
    assert found["length"].get("0") == said


def test_texts_can_be_left_out(inputs: ReportInputs) -> None:
    assert unpacked(with_text(inputs, "secret", 0))["texts"] == [""]


def test_same_study_same_bytes(inputs: ReportInputs) -> None:
    assert response_payload(inputs) == response_payload(inputs)


def test_without_responses_there_is_nothing(inputs: ReportInputs) -> None:
    assert responses_of(changed(inputs, responses=None)) is None
    none = changed(inputs, responses=inputs[Responses].clear())
    assert response_payload(none) is None


def test_more_text_than_a_page_can_carry_is_cut(
    inputs: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = inputs[Responses]["response"].drop_nulls().str.len_chars()
    whole, longest = int(lengths.sum()), int(lengths.max())
    assert payload.shown_characters(inputs) == inputs.config.report.characters
    monkeypatch.setattr(payload, "CARRIED", whole // 2)
    shown = payload.shown_characters(inputs)
    assert 0 < shown < longest
    assert lengths.clip(upper_bound=shown).sum() <= whole // 2
    assert lengths.clip(upper_bound=shown + 1).sum() > whole // 2
    found = payload.responses_of(inputs)
    assert found is not None
    assert max(map(len, found["texts"])) == shown
    assert sorted(found["length"].values()) == sorted(lengths.filter(lengths > shown))
    section = responses.SECTION.context(inputs)
    assert section is not None
    assert section["characters"] == shown
    assert section["squeezed"]
