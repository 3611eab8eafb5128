"""Which words of an error say that a filter refused a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refusal_parity.inference.servers.answers import read_answer
from refusal_parity.inference.servers.errors import ServerError
from refusal_parity.inference.servers.refusals import filter_of_words

STOPPED = "{'error': {'code': 'content_filter', 'message': 'content management policy'}}"


@pytest.mark.parametrize(
    ("words", "is_filter"),
    [
        ("content_filter", True),
        ("PROHIBITED_CONTENT", True),
        ("The prompt was flagged", True),
        (f"Error code: 400 - {STOPPED}", True),
        (f"HTTP 422: {STOPPED}", True),
        ("Error code: 403 - Content violates usage guidelines", True),
        ("Error code: 422 - input new_sensitive (1026)", True),
        ("INTERVENED", True),
        ("Invalid prompt: we've limited access to this content for safety reasons.", True),
        ("Error code: 400 - Violated the Responsible AI practices. Support codes: 1", True),
        ("Blocked entity detected: PERSON by Guardrail: presidio", True),
        ("Error code: 400 - {'message': '输入内容审核不通过'}", True),
        ("Guardrail was enabled but input is in incorrect format", False),
        # The account, the service or the network failed, whatever words it has for that.
        ("Error code: 401 - terminated due to violation of our policies", False),
        ("Error code: 429 - see the content policy", False),
        (f"status code 503: {STOPPED}", False),
        ("The content filter service is temporarily unavailable", False),
        ("ReadTimeout: content filter", False),
        ("Error code: 400 - Unknown guardrail: my-guardrail-violation-x", False),
        ("Error code: 403 - Your account violates our usage guidelines", False),
    ],
)
def test_words_of_an_error(words: str, *, is_filter: bool) -> None:
    assert (filter_of_words(words) is not None) is is_filter


def _minimax(code: Any, words: str | None, content: str | None, **more: Any) -> bytes:
    message = {"role": "assistant", "name": "MiniMax AI", "content": content}
    choices = None if content is None else [{"index": 0, "message": message} | more]
    beside = {"status_code": code, "status_msg": words}
    flags = {"input_sensitive": False, "output_sensitive": more.get("flag", False)}
    return json.dumps({"id": "1", "choices": choices, "base_resp": beside} | flags).encode()


@pytest.mark.parametrize(
    ("body", "text", "reason"),
    [
        (_minimax(0, "", "La la."), "La la.", None),
        (_minimax(0, "success", ""), "", None),
        (_minimax(1027, "output new_sensitive", None), None, "output new_sensitive (1027)"),
        (_minimax(1027, "", "", finish_reason="stop"), None, "output_sensitive (1027)"),
        (_minimax(1027, None, "La", finish_reason="stop"), "La", "output_sensitive (1027)"),
        (_minimax("1026", "input new_sensitive", None), None, "input new_sensitive (1026)"),
        (_minimax(1027, "no", "", message=None), None, "no (1027)"),
        # It marks a mild case, and lets its text through.
        (_minimax(0, "", "La la.", flag=True), "La la.", None),
        (_minimax(0, "", "", flag=True), None, "output_sensitive"),
    ],
)
def test_minimax_says_beside_its_choices_what_its_filter_did(
    body: bytes, text: str | None, reason: str | None
) -> None:
    found = read_answer(0, body)
    assert (found.text, found.refusal_reason) == (text, reason)


@pytest.mark.parametrize("content", [None, "", "La"])
@pytest.mark.parametrize(
    ("code", "words", "status", "said"),
    [
        (1002, "rate limit", 429, "rate limit (1002)"),
        (1004, "login fail", 401, "login fail (1004)"),
        (1008, "insufficient balance", 402, "insufficient balance (1008)"),
        (2013, "invalid params", 400, "invalid params (2013)"),
        (1000, "", 502, "base_resp.status_code (1000)"),
    ],
)
def test_minimax_says_beside_its_choices_what_failed(
    code: int, words: str, status: int, said: str, content: str | None
) -> None:
    with pytest.raises(ServerError) as raised:
        read_answer(0, _minimax(code, words, content))
    error = raised.value
    assert (error.status, error.words, error.refusal_reason) == (status, said, None)
