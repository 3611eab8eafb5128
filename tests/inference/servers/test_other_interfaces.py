"""Answers of interfaces that services have beside the one that is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refusal_parity.inference.servers.answers import read_answer
from refusal_parity.inference.servers.errors import WrongAddressError

MESSAGE = {"role": "assistant", "content": "jam"}


@pytest.mark.parametrize(
    ("body", "interface"),
    [
        (
            {"model": "m", "created_at": "2026-11-29T09:00:00Z", "done": True, "message": MESSAGE},
            "Ollama",
        ),
        ({"model": "m", "created_at": "2026-11-29", "done": True, "response": "jam"}, "Ollama"),
        (
            {"type": "message", "role": "assistant", "stop_reason": "end_turn"}
            | {"content": [{"type": "text", "text": "jam"}]},
            "Anthropic",
        ),
        ({"candidates": [{"content": {"parts": [{"text": "jam"}]}}]}, "Gemini"),
        ({"object": "response", "created_at": 1, "status": "completed", "output": []}, "Responses"),
        ({"content": "jam", "stop": True, "tokens_predicted": 2}, "llama.cpp"),
        ({"generated_text": "jam"}, "TGI"),
        ({"id": "1", "message": MESSAGE, "finish_reason": "COMPLETE"}, "Cohere"),
        ({"output": {"message": MESSAGE}, "stopReason": "end_turn"}, "Bedrock"),
        ({"output": {"text": "jam"}, "request_id": "1"}, "DashScope"),
    ],
)
def test_an_answer_of_another_interface(body: dict[str, Any], interface: str) -> None:
    with pytest.raises(WrongAddressError, match=interface):
        read_answer(0, json.dumps(body).encode())
    # A service may send its own keys beside those of the interface.
    both = body | {"choices": [{"index": 0, "finish_reason": "stop", "message": MESSAGE}]}
    assert read_answer(0, json.dumps(both).encode()).text == "jam"


@pytest.mark.parametrize(
    "body", [b'data: {"choices": []}\n\ndata: [DONE]\n', b"event: x\ndata: 1\n"]
)
def test_a_stream_that_was_not_asked_for(body: bytes) -> None:
    with pytest.raises(WrongAddressError, match="a stream of parts"):
        read_answer(0, body)


@pytest.mark.parametrize(
    "page",
    [b"<!doctype html><p>hi", b"\n <HTML><body>", b"<!-- c --><html>", b"<?xml version='1.0'?>"],
)
def test_a_page_for_people(page: bytes) -> None:
    with pytest.raises(WrongAddressError, match="a web page"):
        read_answer(0, page)
