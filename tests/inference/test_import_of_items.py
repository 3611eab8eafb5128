"""Answers whose messages stand among thoughts and calls of tools, as services write them now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.errors import InputError
from refusal_parity.inference.imports import import_responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Study = Callable[..., pl.DataFrame]

PROMPT = "Bo sings badly"


def _message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": "m", "type": "message", "role": "assistant", "content": list(parts)}


SAID = {"type": "output_text", "text": "Do re.", "annotations": []}
THOUGHT = {"id": "t", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Well."}]}
NOTHING_THOUGHT = {"id": "t", "type": "reasoning", "summary": []}
SEARCHED = {"id": "s", "type": "web_search_call", "status": "completed"}
CALLED = {"type": "tool_use", "id": "t", "name": "look", "input": {"q": "Bo"}}
CAME = {"type": "web_search_tool_result", "tool_use_id": "t", "content": []}
TEXT = {"type": "text", "text": "Let me look."}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("parts", "expected", "tools"),
    [
        ([_message(SAID)], ("ok", "Do re.", None), ""),
        ([THOUGHT, _message(SAID)], ("ok", "Do re.", "Well."), ""),
        ([NOTHING_THOUGHT, _message(SAID)], ("ok", "Do re.", None), ""),
        ([_message(SAID), _message(SAID)], ("ok", "Do re.\n\nDo re.", None), ""),
        ([_message({"type": "refusal", "refusal": "I won't."})], ("ok", "I won't.", None), ""),
        ([THOUGHT], ("empty", "", "Well."), ""),
        ([THOUGHT, SEARCHED, _message(SAID)], ("ok", "Do re.", "Well."), "web_search_call"),
        ([TEXT, CALLED], ("ok", "Let me look.", None), "tool_use"),
        ([CALLED], ("empty", "", None), "tool_use"),
        ([CALLED, CAME, TEXT], ("ok", "Let me look.", None), "tool_use, web_search_tool_result"),
        ([TEXT, {"functionCall": {"name": "f"}}], ("ok", "Let me look.", None), "functionCall"),
        ([TEXT, {"toolUse": {"name": "f"}}], ("ok", "Let me look.", None), "toolUse"),
    ],
)
def test_a_list_of_items_is_read_as_one_answer(
    tmp_path: Path,
    study: Study,
    parts: list[dict[str, Any]],
    expected: tuple[str, str, str | None],
    tools: str,
    kind: str,
) -> None:
    rows = [{"p": PROMPT, "a": {"output": parts}}] * 2
    path = tmp_path / f"r.{kind}"
    path.write_text("\n".join(map(json.dumps, rows)))
    if kind == "parquet":
        pl.read_ndjson(path.read_bytes(), infer_schema_length=None).write_parquet(path)
    columns = TableColumns(prompt="p", response="a.output")
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns)
    said: list[str] = []
    found = import_responses(path, source, study("plain"), model="m", say=said.append)
    assert found.select("status", "response", "thinking").rows() == [expected] * 2
    told = [line for line in said if "without words of the model" in line]
    where = "line 1" if kind == "jsonl" else "row 1"
    words = f"parts without words of the model ({tools}) in 2 rows, the first in {where}: "
    assert (words in told[0]) if tools else not told


@pytest.mark.parametrize(
    ("details", "thinking"),
    [
        ([{"type": "reasoning.text", "text": "Well."}], "Well."),
        ([{"type": "reasoning.summary", "summary": "Well."}], "Well."),
        ([{"type": "reasoning.encrypted", "data": "Q2lwaGVy"}], None),
    ],
)
def test_thinking_in_details(
    tmp_path: Path, study: Study, details: list[dict[str, str]], thinking: str | None
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"p": PROMPT, "r": "Do re.", "t": details}))
    columns = TableColumns(prompt="p", response="r", thinking="t")
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns)
    found = import_responses(path, source, study("plain"), model="m", say=lambda _: None)
    assert found.select("response", "thinking").row(0) == ("Do re.", thinking)


def test_pieces_of_a_stream_are_no_responses(tmp_path: Path, study: Study) -> None:
    pieces = [{"p": PROMPT, "choices": [{"delta": {"content": text}}]} for text in ("Do", " re.")]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, pieces)))
    columns = TableColumns(prompt="p", response="choices.0.delta.content")
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns)
    with pytest.raises(InputError, match=r"line 1: .* pieces of a stream, and no response\. Put"):
        import_responses(path, source, study("plain"), model="m", say=lambda _: None)
