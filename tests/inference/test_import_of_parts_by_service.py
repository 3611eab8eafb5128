"""Answers of Gemini and of Bedrock's Converse, as their own interfaces write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.inference.imports import import_responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Study = Callable[..., pl.DataFrame]

PROMPT = "Ana sings well"


def _gemini(parts: list[Any] | None, reason: str) -> dict[str, Any]:
    content = {"role": "model"} | ({} if parts is None else {"parts": parts})
    request = {"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]}
    answer = {"candidates": [{"index": 0, "content": content, "finishReason": reason}]}
    return {"request": request, "response": answer}


def _bedrock(parts: list[Any], reason: str) -> dict[str, Any]:
    request = {"messages": [{"role": "user", "content": [{"text": PROMPT}]}]}
    message = {"role": "assistant", "content": parts}
    return {"request": request, "response": {"output": {"message": message}, "stopReason": reason}}


COLUMNS = {
    _gemini: {
        "prompt": "request.contents.0.parts",
        "response": "response.candidates.0.content.parts",
        "finish_reason": "response.candidates.0.finishReason",
    },
    _bedrock: {
        "prompt": "request.messages.0.content",
        "response": "response.output.message.content",
        "finish_reason": "response.stopReason",
    },
}

THOUGHT = {"text": "Hm.", "thought": True}
REASONED = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "x"}}}
SAID = {"text": "La la."}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("service", "parts", "reason", "expected"),
    [
        (_gemini, [THOUGHT, SAID | {"thoughtSignature": "x"}], "STOP", ("ok", "La la.", "Hm.")),
        (_gemini, [THOUGHT], "MAX_TOKENS", ("empty", "", "Hm.")),
        (_gemini, None, "MAX_TOKENS", ("empty", "", None)),
        (_gemini, [SAID], "MAX_TOKENS", ("ok", "La la.", None)),
        *(
            (_gemini, None, word, ("filtered", "", None))
            for word in ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "RECITATION", "SPII")
        ),
        (_gemini, [SAID], "SAFETY", ("filtered", "La la.", None)),
        (_bedrock, [REASONED, SAID], "end_turn", ("ok", "La la.", "Hm.")),
        (_bedrock, [REASONED], "max_tokens", ("empty", "", "Hm.")),
        (_bedrock, [SAID], "max_tokens", ("ok", "La la.", None)),
        (_bedrock, [SAID], "guardrail_intervened", ("filtered", "La la.", None)),
        (_bedrock, [], "content_filtered", ("filtered", "", None)),
    ],
)
def test_answers_of_other_interfaces(
    tmp_path: Path,
    study: Study,
    service: Callable[[Any, str], dict[str, Any]],
    parts: list[Any] | None,
    reason: str,
    expected: tuple[str, str, str | None],
    kind: str,
) -> None:
    other = service([THOUGHT if service is _gemini else REASONED, SAID], "STOP")
    path = tmp_path / f"r.{kind}"
    path.write_text("\n".join(json.dumps(row) for row in (service(parts, reason), other)))
    if kind == "parquet":
        pl.read_ndjson(path.read_bytes(), infer_schema_length=None).write_parquet(path)
    named = TableColumns(**COLUMNS[service])
    source = ImportModel(engine="import", path=str(path), format="table", columns=named)
    said: list[str] = []
    prompts = study("plain")
    found = import_responses(path, source, prompts, model="m", say=said.append)
    first, second = found.sort("sample").select("status", "response", "thinking").rows()
    assert (first, second) == (expected, ("ok", "La la.", "Hm."))
    assert found.sort("sample")["truncated"][0] == (reason.lower() == "max_tokens")
    assert not [each for each in said if "nothing stands" in each]


@pytest.mark.parametrize("key", ["finish_reason", "error"])
@pytest.mark.parametrize("word", ["SAFETY", "OTHER"])
def test_a_prompt_that_was_blocked(tmp_path: Path, study: Study, key: str, word: str) -> None:
    """Gemini gives no candidate then; the columns of Bedrock's may be named beside."""
    request = {"contents": [{"parts": [{"text": PROMPT}]}]}
    blocked = {"request": request, "response": {"promptFeedback": {"blockReason": word}}}
    rows = [blocked, _gemini([THOUGHT, SAID], "STOP")]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    of_gemini, of_bedrock = COLUMNS[_gemini], COLUMNS[_bedrock]
    reasons = [of_gemini["finish_reason"], of_bedrock["finish_reason"]]
    of_prompt = ["response.promptFeedback.blockReason"]
    named = {"finish_reason": reasons, "error": None}
    named[key] = [*(named[key] or []), *of_prompt]
    columns = TableColumns(
        prompt=of_gemini["prompt"],
        response=[of_bedrock["response"], of_gemini["response"]],
        **named,
    )
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns)
    found = import_responses(path, source, study("plain"), model="m", say=lambda _: None)
    assert found.sort("sample").select("status", "response", "refusal_reason").rows() == [
        ("filtered", "", f"prompt blocked: {word}"),
        ("ok", "La la.", None),
    ]


@pytest.mark.parametrize("named", ["t", "r"])
def test_thinking_may_be_in_parts(tmp_path: Path, study: Study, named: str) -> None:
    row = {"p": PROMPT, "r": [REASONED, SAID], "t": [{"text": "H"}, {"text": "m."}]}
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(row if named == "r" else row | {"r": "La la."}))
    columns = TableColumns(prompt="p", response="r", thinking=named)
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns)
    found = import_responses(path, source, study("plain"), model="m", say=lambda _: None)
    assert found.select("response", "thinking").row(0) == ("La la.", "Hm.")
