"""Messages in parts."""

from __future__ import annotations

from typing import Any

import pytest

from refusal_parity.inference.servers.errors import OddAnswerError
from refusal_parity.inference.servers.parts import flat, read_parts

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
    ],
)
def test_what_a_part_thinks_is_no_response(part: dict[str, Any], thinking: str) -> None:
    texts: list[str] = []
    thoughts: list[Any] = []
    read_parts([part, {"type": "text", "text": "La la."}], texts, thoughts)
    assert texts == ["La la."]
    assert flat(thoughts) == thinking


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
