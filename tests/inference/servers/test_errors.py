"""What servers say when they give no response, as their documentation shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refusal_parity.inference.servers.errors import ServerError, one_line

AZURE = {
    "message": "The response was filtered due to the prompt triggering the content policy.",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {
            "hate": {"filtered": True, "severity": "high"},
            "jailbreak": {"detected": False, "filtered": False},
            "violence": {"filtered": False, "severity": "safe"},
        },
    },
}
OPENROUTER = {
    "code": 403,
    "message": "Your chosen model requires moderation and your input was flagged",
    "metadata": {"reasons": ["hate", "violence"], "flagged_input": "Ana", "provider_name": "p"},
}


def _read(status: int, body: Any) -> ServerError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ServerError.of_body(status, content, hide=lambda text: text)


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, AZURE, "content_filter: hate (high)"),
        (400, {"code": "content_filter", "message": "no"}, "content_filter"),
        (403, OPENROUTER, "moderation: hate, violence"),
        (400, {"code": "data_inspection_failed", "message": "input"}, "data_inspection_failed"),
        (400, {"code": "invalid_prompt", "message": "your prompt was flagged"}, "filtered"),
        (400, {"message": "Content Exists Risk", "type": "invalid_request_error"}, "filtered"),
        (451, {"message": "is blocked.", "type": "censorship_blocked"}, "censorship_blocked"),
        # Of gateways.
        (
            400,
            {"message": {"error": "Violated guardrail policy", "x": 1}, "code": "400"},
            "filtered",
        ),
        (400, {"message": "proxy.ContentPolicyViolationError: no", "code": "400"}, "filtered"),
        (400, {"code": "content-blocked", "message": "blocked (id: 5)"}, "content-blocked"),
        (400, {"message": {"action": "GUARDRAIL_INTERVENED"}, "code": "900514"}, "filtered"),
        (422, {"message": "Request blocked by input guardrail 'names'"}, "filtered"),
        (424, [{"code": 2016, "message": "Prompt blocked due to configurations"}], "filtered"),
        (446, {"message": "The checks failed", "type": "hooks_failed"}, "hooks_failed"),
        (400, {"message": "Content violates usage guidelines.", "code": "bad"}, "filtered"),
        (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO", "filtered"),
        (403, {"message": "failed check: SAFETY_CHECK_TYPE_DATA_LEAKAGE"}, "filtered"),
        # Not refusals of this request.
        (403, {"message": "Your account violates our usage guidelines"}, None),
        (400, {"message": "The guardrail 'names' does not exist"}, None),
        (403, {"message": "Your request was blocked. Ray ID: 5"}, None),
        (429, {"message": "Request blocked: too many"}, None),
        (403, {"message": "Your account was flagged for its usage policy"}, None),
        (400, {"code": "context_length_exceeded", "message": "too long"}, None),
        (400, {"message": "'seed' is not supported", "param": "seed"}, None),
        (429, {"message": "rate limit of the moderation endpoint"}, None),
        (500, {"code": "content_filter_error", "message": "the filter is down"}, None),
        (401, {"message": "Incorrect API key"}, None),
    ],
)
def test_a_filter_is_told_from_a_failure(status: int, error: Any, reason: str | None) -> None:
    assert _read(status, {"error": error}).refusal_reason == reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "no such model"}}, "no such model"),
        ({"error": "no such model"}, "no such model"),
        ({"message": "no such model"}, "no such model"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body", "seed"]}]}, '[{"loc": ["body", "seed"]}]'),
        ({"error": {"code": 7}}, '{"code": 7}'),
        ([1], "[1]"),
        ([{"error": {"code": 404, "message": "no such model"}}], "no such model"),
        ({"success": False, "errors": [{"code": 7, "message": "no route"}]}, "no route"),
        ({"error": [{"message": "a"}, {"message": "b"}]}, '[{"message": "a"}, {"message": "b"}]'),
        (b"404 page not found\n", "404 page not found"),
        (b"<html>\nBad gateway</html>", "a web page"),
        (b"", ""),
        (b"[" * 100_000, "[" * 300),
        (
            {"error": {"message": "\x1b[2Jbad\r\n[m] as if\u2028logged \ud800"}},
            "[2Jbad [m] as if logged",
        ),
    ],
)
def test_words_of_any_error(body: Any, words: str) -> None:
    read = _read(404, body)
    assert read.words == words
    assert str(read) == f"status 404: {words}" or (not words and str(read) == "status 404")


def test_one_line_is_short_and_printable() -> None:
    assert one_line("a\tb\x00c\n\n" + "x" * 1000) == "a b c " + "x" * 294
