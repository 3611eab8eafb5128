"""Messages in parts."""

from __future__ import annotations

from typing import Any

import pytest

from refusal_parity.inference.servers.errors import OddAnswerError
from refusal_parity.inference.servers.parts import flat, is_part, read_parts

SUMMARY = [{"type": "summary_text", "text": "H"}, {"type": "summary_text", "text": "m."}]


@pytest.mark.parametrize(
    ("part", "thinking"),
    [
        ({"type": "reasoning", "reasoning": "Hm."}, "Hm."),
        ({"type": "reasoning", "reasoning": "", "summary": SUMMARY}, "Hm."),
        ({"type": "reasoning", "text": "Hm."}, "Hm."),
        ({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]}, "Hm."),
        ({"type": "thinking", "thinking": "Hm.", "signature": "x"}, "Hm."),
        ({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, "Hm."),
        ({"type": "redacted_thinking", "data": "Q2lwaGVy"}, ""),
        ({"type": "reasoning", "reasoning": "Q2lw", "redacted": True, "summary": "Hm."}, "Hm."),
        ({"type": "reasoning", "encrypted_content": "Q2lw"}, ""),
        ({"type": "reasoning_content", "reasoning_content": {"text": "Hm."}}, "Hm."),
        # Gemini, as JSON and as its library for Python writes it.
        ({"text": "Hm.", "thought": True, "thoughtSignature": "x"}, "Hm."),
        ({"text": "Hm.", "thought": True, "inline_data": None, "thought_signature": "x"}, "Hm."),
        ({"thoughtSignature": "x"}, ""),
        # Bedrock's Converse.
        ({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "x"}}}, "Hm."),
        ({"reasoningContent": {"redactedContent": "Q2lw"}}, ""),
    ],
)
def test_what_a_part_thinks_is_no_response(part: dict[str, Any], thinking: str) -> None:
    texts: list[str] = []
    thoughts: list[Any] = []
    assert is_part(part)
    read_parts([part, {"type": "text", "text": "La la."}], texts, thoughts)
    assert "".join(texts) == "La la."
    assert flat(thoughts) == thinking


@pytest.mark.parametrize(
    "part",
    [
        {"text": "La.", "thought": None, "videoMetadata": {"fps": 1}},
        {"text": "La.", "thought": False, "part_metadata": {}},
        {"citationsContent": {"content": [{"text": "L"}, {"text": "a."}], "citations": []}},
    ],
)
def test_what_a_part_without_a_type_says_is_a_response(part: dict[str, Any]) -> None:
    texts: list[str] = []
    thoughts: list[Any] = []
    assert is_part(part)
    read_parts([part], texts, thoughts)
    assert (texts, flat(thoughts)) == (["La."], "")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"functionCall": {"name": "f", "args": {}}}, "of the type 'functionCall'"),
        ({"toolUse": {"toolUseId": "1"}}, "of the type 'toolUse'"),
        ({"citationsContent": {"citations": []}}, "the text of a part is missing"),
    ],
)
def test_a_part_that_is_no_text_is_odd(part: dict[str, Any], said: str) -> None:
    assert is_part(part)
    with pytest.raises(OddAnswerError, match=said):
        read_parts([part], [], [])


@pytest.mark.parametrize("other", [{}, {"text": "La.", "score": 1}, {"output": "La."}, "La.", None])
def test_a_row_or_one_of_several_responses_is_no_part(other: Any) -> None:
    assert not is_part(other)


@pytest.mark.parametrize(
    ("thought", "text"),
    [
        ([{"type": "reasoning.summary", "summary": "Hm."}], "Hm."),
        (
            [{"type": "reasoning.text", "text": "H"}, {"type": "reasoning.text", "text": "m."}],
            "Hm.",
        ),
        ([{"type": "reasoning.encrypted", "data": "Q2lw"}], ""),
        ({"steps": 2}, '{"steps": 2}'),
        (["H", ["m."]], "Hm."),
    ],
)
def test_thinking_of_any_form_is_text(thought: Any, text: str) -> None:
    assert flat([thought, None]) == text


def test_thinking_of_too_many_levels_is_odd() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(OddAnswerError, match="nested too deeply"):
        flat([deep])
