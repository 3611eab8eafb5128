"""Where services put what a model thought, what a filter did, and what failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refusal_parity.inference.servers.answers import read_answer
from refusal_parity.inference.servers.errors import ServerError


def _body(message: dict[str, Any], reason: str = "stop", **beside: Any) -> bytes:
    choice = {"index": 0, "message": {"content": "a pie"} | message, "finish_reason": reason}
    return json.dumps({"choices": [choice]} | beside).encode()


@pytest.mark.parametrize(
    ("field", "value", "thinking"),
    [
        ("thinking", "so", "so"),
        ("reasoning_text", "so", "so"),
        ("thinking_blocks", [{"type": "thinking", "thinking": "so", "signature": "x"}], "so"),
        ("reasoning", True, None),
        ("thinking", False, None),
    ],
)
def test_thinking_beside_the_content(field: str, value: Any, thinking: str | None) -> None:
    found = read_answer(0, _body({field: value}))
    assert (found.text, found.thinking) == ("a pie", thinking)


@pytest.mark.parametrize(
    ("reason", "action", "refused"),
    [
        ("blacklist", None, "blacklist"),
        ("stop", "INTERVENED", "guardrail INTERVENED"),
        ("stop", "NONE", None),
    ],
)
def test_a_filter_may_speak_beside_the_choice(
    reason: str, action: str | None, refused: str | None
) -> None:
    body = _body({}, reason, **{"amazon-bedrock-guardrailAction": action})
    assert read_answer(0, body).refusal_reason == refused


def test_an_error_that_says_nothing_is_none() -> None:
    found = read_answer(0, _body({}, error={"code": 0, "message": ""}))
    assert found.text == "a pie"


@pytest.mark.parametrize("key", ["error_msg", "error_message", "errorMessage"])
def test_words_of_an_error_stand_under_other_keys(key: str) -> None:
    body = json.dumps({"error_code": 17, key: "daily limit reached"}).encode()
    with pytest.raises(ServerError, match="status 502: daily limit reached"):
        read_answer(0, body)
    said = ServerError.of_body(400, body, hide=lambda text: text)
    assert said.words == "daily limit reached"


@pytest.mark.parametrize("status", [498, 499])
def test_no_room_for_a_request_is_passing(status: int) -> None:
    assert ServerError.of_body(status, b"capacity", hide=lambda text: text).is_passing
