"""Columns of which the config names several."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from elsewhere import read

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.errors import InputError
from refusal_parity.inference.first_of_several import first_of_each, key_of, spread
from refusal_parity.inference.import_rows import refuse_missing_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Study = Callable[..., pl.DataFrame]

PROMPT = "Ana sings well"
FILTER = "The response was filtered due to the content management policy."
NAMED = {"columns.error": ["a", "b.c"], "columns.label": None, "where.x[0]": "x"}


def test_each_column_has_a_key_of_its_own() -> None:
    found = spread(NAMED)
    assert list(found.values()) == ["a", "b.c", None, "x"]
    assert list(found) == ["columns.error[0]", "columns.error[1]", "columns.label", "where.x[0]"]
    keys = ["columns.error", "columns.error", "columns.label", "where.x[0]"]
    assert list(map(key_of, found)) == keys


@pytest.mark.parametrize(
    ("key", "cells", "in_words", "first"),
    [
        ("response", ("La.", "Do."), True, "La."),
        ("response", (None, "Do."), True, "Do."),
        ("response", ("nan", "Do."), True, "Do."),
        ("response", ("nan", "Do."), False, "nan"),
        ("response", ("nan", None), True, "nan"),
        ("response", (None, None), True, None),
        ("error", ("False", "timeout"), False, "timeout"),
        ("error", ("200", "timeout"), False, "timeout"),
        ("error", ("500", "timeout"), False, "500"),
        ("error", ("0.0", "timeout"), True, "timeout"),
        ("error", ("succeeded", "timeout"), False, "timeout"),
        ("error", ("1.0", "timeout"), True, "1.0"),
        ("finish_reason", ("OK", "length"), False, "OK"),
        ("label", ("NA", "refusal"), True, "refusal"),
        ("prompt", (None, "Sing."), True, "Sing."),
        # A family may be called so.
        ("name", ("Null", "Ana"), True, "Null"),
        ("name", (None, "Ana"), True, "Ana"),
        ("template", (None, "t1"), False, "t1"),
    ],
)
def test_the_first_that_holds_something_counts(
    key: str, cells: tuple[str | None, str | None], first: str | None, *, in_words: bool
) -> None:
    named = {f"columns.{key}": ["a", "b"], "columns.sample": "l"}
    columns = dict.fromkeys(spread(named), pl.String)
    rows = pl.DataFrame([(*cells, "0")], schema=columns, orient="row")
    found = first_of_each(rows, named, in_words=in_words)
    assert found.to_dicts() == [{"columns.sample": "0", f"columns.{key}": first}]


def _batch(status: int, body: dict[str, Any] | None, error: Any = None) -> dict[str, Any]:
    """A line of a batch's output or errors, as OpenAI writes them."""
    response = None if body is None else {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": PROMPT, "response": response, "error": error}


BATCH = [
    _batch(200, {"choices": [{"index": 0, "message": {"content": "La."}}]}),
    _batch(400, {"error": {"message": FILTER, "code": "content_filter"}}),
    _batch(500, {"error": {"message": "out of memory", "code": None}}),
    _batch(0, None, {"code": "batch_expired", "message": "This request expired."}),
]
OF_BATCH: dict[str, Any] = {
    "prompt": "custom_id",
    "response": "response.body.choices.0.message.content",
    "error": ["error.message", "response.body.error.message"],
}
CAME = [
    ("La.", "ok", None, None),
    ("", "filtered", FILTER, None),
    ("", "error", None, "out of memory"),
    ("", "error", None, "This request expired."),
]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_errors_of_a_batch_stand_in_two_places(tmp_path: Path, study: Study, kind: str) -> None:
    path = tmp_path / f"r.{kind}"
    path.write_text("\n".join(map(json.dumps, BATCH)))
    if kind == "parquet":
        pl.read_ndjson(path.read_bytes(), infer_schema_length=None).write_parquet(path)
    said: list[str] = []
    found = read(path, TableColumns(**OF_BATCH), study("plain"), say=said.append)
    columns = ("response", "status", "refusal_reason", "error")
    assert found.sort("sample").select(columns).rows() == CAME
    assert said == []


def test_columns_of_a_csv(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "r.csv"
    rows = ["La.,,None,NA", "nan,Do.,,", ",,ok,timeout", ",,,"]
    path.write_text("p,r,s,e,f\n" + "\n".join(f"{PROMPT},{row}" for row in rows) + "\n")
    columns = TableColumns(prompt="p", response=["r", "s"], error=["e", "f"])
    found = read(path, columns, study("plain")).sort("sample").select("response", "status", "error")
    assert found.rows() == [
        ("La.", "ok", None),
        ("Do.", "ok", None),
        ("", "error", "timeout"),
        ("", "empty", None),
    ]
    wrong = TableColumns(prompt="p", response=["r", "x"])
    source = ImportModel(engine="import", path=str(path), format="table", columns=wrong)
    with pytest.raises(InputError, match=r"column 'x', which columns.response\[1\] names, is miss"):
        refuse_missing_columns(source)


def test_thinking_of_a_column_and_of_parts_is_put_together(tmp_path: Path, study: Study) -> None:
    parts = [{"text": "Hm.", "thought": True}, {"text": "La."}]
    rows = [
        {"p": PROMPT, "r": parts, "t": None, "u": "So."},
        {"p": PROMPT, "r": parts},
        {"p": PROMPT, "s": "La.", "t": "Ah.", "u": "So."},
    ]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    columns = TableColumns(prompt="p", response=["r", "s"], thinking=["t", "u"])
    found = read(path, columns, study("plain")).sort("sample").select("response", "thinking")
    assert found.rows() == [("La.", "So.\n\nHm."), ("La.", "Hm."), ("La.", "Ah.")]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        # A key that no row has, and a path to nothing.
        ({"response": ["r.t", "x.t"]}, "nothing stands at 'x.t', which columns.response[1] names"),
        ({"response": ["r.t", "r.x"]}, "nothing stands at 'r.x', which columns.response[1] names"),
        (
            {"response": "r.t", "error": ["r.x", "r.y"]},
            "nothing stands at 'r.x' or 'r.y', which columns.error names: the file tells of no",
        ),
    ],
)
def test_of_several_one_may_be_nowhere(
    tmp_path: Path, study: Study, columns: dict[str, Any], said: str
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"p": PROMPT, "r": {"t": "La."}}))
    told: list[str] = []
    found = read(path, TableColumns(prompt="p", **columns), study("plain"), say=told.append)
    assert found["response"].to_list() == ["La."]
    assert len(told) == 1
    assert told[0].startswith(said)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (["r.x", "r.y"], "nothing stands at 'r.x' or 'r.y', which columns.response names, in any"),
        (["x.t", "y"], r"column 'x.t', which columns.response\[0\] names, is missing"),
        (["r", "r.t"], r"line 1: column 'r', which columns.response\[0\] names, holds an object"),
    ],
)
def test_of_several_not_all_may_be_nowhere(
    tmp_path: Path, study: Study, response: list[str], said: str
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"p": PROMPT, "r": {"t": "La."}}))
    with pytest.raises(InputError, match=said):
        read(path, TableColumns(prompt="p", response=response), study("plain"))


def test_a_row_that_has_none_of_several_is_told_of(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "r.jsonl"
    rows = [{"r": {"t": "La."}}, {"s": {"t": "Do."}}, {"x": "Re."}]
    path.write_text("\n".join(json.dumps({"p": PROMPT} | row) for row in rows))
    told: list[str] = []
    columns = TableColumns(prompt="p", response=["r.t", "s.t"])
    found = read(path, columns, study("plain"), say=told.append)
    assert found.sort("sample")["response"].to_list() == ["La.", "Do.", ""]
    assert "nothing stands at 'r.t' or 's.t', which columns.response names, in 1 row" in told[0]
    assert "the first in line 3" in told[0]


ROWS: list[dict[str, Any]] = [
    {"p": PROMPT, "n": "Ana", "t": "[NAME] sings well", "l": "refusal", "r": "No."},
    {"q": {"p": PROMPT}, "m": "Ana", "u": "[NAME] sings well", "k": "answer", "r": "La."},
    # Of both the first counts.
    {"p": PROMPT, "q": {"p": "no prompt"}, "n": "Ana", "m": "Bob", "t": "[NAME] sings well",
     "l": "answer", "k": "refusal", "r": "Do."},
]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    "asked",
    [{"prompt": ["p", "q.p"]}, {"template": ["t", "u"], "name": ["n", "m"]}],
    ids=["prompts", "templates and names"],
)
def test_what_was_asked_and_labels_stand_in_several_places(
    tmp_path: Path, study: Study, kind: str, asked: dict[str, list[str]]
) -> None:
    path = tmp_path / f"r.{kind}"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    frame = pl.read_ndjson(path.read_bytes(), infer_schema_length=None)
    if kind == "parquet":
        frame.write_parquet(path)
    if kind == "csv":
        frame.with_columns(pl.col("q").struct.field("p").alias("q.p")).drop("q").write_csv(path)
    columns = TableColumns(**asked, response="r", label=["l", "k"])
    found = read(path, columns, study("plain")).sort("sample")
    assert found["response"].to_list() == ["No.", "La.", "Do."]
    assert found["imported_label"].cast(pl.String).to_list() == ["refusal", "answer", "answer"]
    assert found["prompt_id"].n_unique() == 1


def test_system_prompts_stand_in_several_places(tmp_path: Path, study: Study) -> None:
    prompts = study("plain", "kind")
    rows = [
        {"p": asked, "s" if at % 2 else "z": system, "r": f"{system} {asked}"}
        for at, (asked, system) in enumerate(prompts.select("prompt", "system_prompt").rows())
    ]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    columns = TableColumns(prompt="p", response="r", system_prompt=["s", "z"])
    found = read(path, columns, prompts).join(prompts, on="prompt_id")
    assert len(found) == len(prompts)
    for row in found.to_dicts():
        assert row["response"] == f"{row['system_prompt']} {row['prompt']}"
