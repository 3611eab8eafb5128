"""Files as other tools write them: failures and refusals apart, rows within an object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from elsewhere import read

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.errors import InputError
from refusal_parity.inference.imports import import_responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Study = Callable[..., pl.DataFrame]

FILTER = "The response was filtered due to the content management policy."


def _batch(name: str, message: dict[str, Any] | None, error: Any = None) -> dict[str, Any]:
    """A line of a batch's output, as OpenAI writes it."""
    choices = [] if message is None else [{"index": 0, "message": message}]
    return {
        "custom_id": f"{name} sings well",
        "response": {"status_code": 400 if error else 200, "body": {"choices": choices}},
        "error": error,
    }


def test_refusals_and_errors_that_a_file_keeps_apart(tmp_path: Path, study: Study) -> None:
    lines = [
        _batch("Ana", {"content": "la la", "refusal": None}),
        _batch("Ana", {"content": None, "refusal": "I can't sing."}),
        _batch("Ana", {"content": "Well.", "refusal": "I won't."}),
        _batch("Ana", {"content": "No.", "refusal": "No."}),
        _batch("Bo", None, {"code": "content_filter", "message": "stopped"}),
        _batch("Bo", None, {"code": "server_error", "message": FILTER}),
        _batch("Bo", None, {"code": "server_error", "message": "out of\nmemory"}),
    ]
    path = tmp_path / "batch.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    of_message = "response.body.choices.0.message"
    columns = {"response": f"{of_message}.content", "refusal": f"{of_message}.refusal"}

    def came(column: str) -> list[tuple[str, ...]]:
        asked = TableColumns(prompt="custom_id", **columns, error=column)
        found = read(path, asked, study("plain")).sort("prompt_id", "sample")
        names = found.join(study("plain"), on="prompt_id").sort("name", "sample")
        return names.select("response", "status", "refusal_reason", "error").rows()

    ana = [
        (text, "ok", None, None) for text in ("la la", "I can't sing.", "Well.\n\nI won't.", "No.")
    ]
    assert came("error.code") == [
        *ana,
        ("", "filtered", "content_filter", None),
        *[("", "error", None, "server_error")] * 2,
    ]
    assert came("error.message") == [
        *ana,
        ("", "error", None, "stopped"),
        ("", "filtered", FILTER, None),
        ("", "error", None, "out of memory"),
    ]


def test_a_file_without_failures_may_name_their_columns(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "batch.jsonl"
    path.write_text(json.dumps(_batch("Ana", {"content": "la la", "refusal": None})))
    asked = {"prompt": "custom_id", "response": "response.body.choices.0.message.content"}
    refusal = "response.body.choices.0.message.refusal"
    said = list[str]()
    for error in ("error.code", "response.body.error.code"):
        columns = TableColumns(**asked, refusal=refusal, error=error)
        assert read(path, columns, study("plain"), say=said.append)["status"].to_list() == ["ok"]
    assert ["the file tells of no failure" in line for line in said] == [True, True]
    with pytest.raises(InputError, match=r"nothing stands at .*refused', which columns.refusal"):
        read(path, TableColumns(**asked, refusal=f"{refusal[:-2]}ed"), study("plain"))


def test_words_for_nothing_are_neither_errors_nor_thinking(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "p,r,e,t,f\nAna sings well,la,None,nan,NA\nBo sings well,la,timed out,hm,stop\n"
    )
    columns = TableColumns(prompt="p", response="r", error="e", thinking="t", finish_reason="f")
    found = read(path, columns, study("plain")).select("error", "thinking", "finish_reason")
    assert sorted(found.rows(), key=str) == [("timed out", "hm", "stop"), (None, None, None)]


ROWS = [
    {"vars": {"q": f"{name} sings well"}, "response": {"output": "la"}} for name in ("Ana", "Bo")
]


def test_rows_within_an_object(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"id": 1, "results": {"version": 3, "results": ROWS}}, indent=1))
    columns = TableColumns(prompt="vars.q", response="response.output")
    found = read(path, columns, study("plain"), rows="results.results")
    assert found["response"].to_list() == ["la", "la"]
    for rows, said in (
        (
            None,
            r"'response\.output'.* is missing .*; its only row holds 'results.results'\. If",
        ),
        (
            "results",
            r"line 1: no list of objects stands at 'results', .*\(lists: results.results\)",
        ),
        ("runs", r"no list of objects stands at 'runs'"),
    ):
        with pytest.raises(InputError, match=said):
            read(path, columns, study("plain"), rows=rows)
    with pytest.raises(InputError, match=r"r\.csv: rows is 'a', and only JSON has lists"):
        read(tmp_path / "r.csv", columns, study("plain"), rows="a")


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_several_responses_in_a_row_are_told_of(tmp_path: Path, study: Study, suffix: str) -> None:
    rows = [
        {"p": ["x", "Ana sings well"], "resps": [["la", "lo", "lu"]]},
        {"p": ["x", "Bo sings well"], "resps": [["la"]]},
    ]
    path, said = tmp_path / f"r.{suffix}", list[str]()
    getattr(pl.DataFrame(rows), {"jsonl": "write_ndjson"}.get(suffix, "write_parquet"))(path)
    columns = TableColumns(prompt="p.1", response="resps.0.0")
    found = read(path, columns, study("plain"), say=said.append)
    assert found["response"].to_list() == ["la", "la"]
    words = (
        "WARNING 'resps.0.0' takes the first where 1 row holds up to 3: the others, 2 in all, are "
        "not read; write each of them into a row of its own"
    )
    assert said == [words]


def test_labels_of_no_response_are_told_of(tmp_path: Path, study: Study) -> None:
    path, said = tmp_path / "r.csv", list[str]()
    path.write_text("p,r,l\nAna sings well,,refusal\nBo sings well,la,answer\n")
    source = ImportModel(
        engine="import",
        path=str(path),
        format="table",
        columns=TableColumns(prompt="p", response="r", label="l"),
    )
    import_responses(path, source, study("plain"), model="m", say=said.append)
    assert [line for line in said if line.startswith("WARNING 1 row has a label and no response")]
