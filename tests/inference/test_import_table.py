from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter
from elsewhere import read

from refusal_parity.config import ImportModel, TableColumns, load_config
from refusal_parity.errors import InputError
from refusal_parity.expansion import list_prompts
from refusal_parity.inference.imports import import_responses
from refusal_parity.listed import read_list
from refusal_parity.tables import Responses, conform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_by_template_and_name_in_words_or_keys(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    frame = pl.DataFrame(
        {
            "t": ["well", "[NAME] sings well", "badly"],
            "n": ["b", "Ana", "Ana"],
            "s": [None, "Be kind.", None],
            "k": [1, 0, 0],
            "r": ["one", "two", "three"],
        }
    )
    frame.write_parquet(tmp_path / "r.parquet")
    columns = TableColumns(response="r", template="t", name="n", sample="k", system_prompt="s")
    prompts = study("plain", "kind")
    found = read(tmp_path / "r.parquet", columns, prompts)
    assert found.join(prompts, on="prompt_id").sort("response").select(
        "response", "name", "template_id", "arm", "sample"
    ).rows() == [
        ("one", "Bo", "well", "plain", 1),
        ("three", "Ana", "badly", "plain", 0),
        ("two", "Ana", "well", "kind", 0),
    ]


def test_repetitions_are_counted_where_nothing_numbers_them(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    frame = pl.DataFrame({"p": ["Bo sings well", "Ana sings well", "Bo sings well"], "r": "x"})
    frame.write_csv(tmp_path / "r.csv")
    columns = TableColumns(response="r", prompt="p")
    found = read(tmp_path / "r.csv", columns, study("plain"))
    assert found["sample"].to_list() == [0, 0, 1]


@pytest.mark.parametrize(
    "spelled",
    [
        {"name": ["Zoe\u0301 D'Arcy", "Bo"]},
        {"name": ["zo\u00e9\u00a0d\u2019arcy", "bo "]},
        {"name": ["A", "\u200bb"]},
        {"template": ["[NAME]  sings\u00a0well", "WELL"]},
        {"system_prompt": ["Be\u202fkind.\n", "be kind."]},
        {"prompt": ["Zoe\u0301 D`Arcy sings well\n", "Bo\u200e sings well"]},
    ],
)
def test_texts_in_other_characters_are_those_of_the_study(
    tmp_path: Path, study: Callable[..., pl.DataFrame], spelled: dict[str, list[str]]
) -> None:
    prompts = study("plain", "kind").with_columns(
        pl.col("name", "prompt").str.replace("Ana", "Zo\u00e9 D'Arcy")
    )
    frame = pl.DataFrame(
        {"response": ["one", "two"]}
        | {"name": ["a", "b"], "template": ["well", "well"], "system_prompt": ["Be kind."] * 2}
        | spelled
    )
    frame.write_ndjson(tmp_path / "r.jsonl")
    by_parts = {"template": "template", "name": "name"}
    mapping = {"prompt": "prompt"} if "prompt" in spelled else by_parts
    columns = TableColumns(response="response", system_prompt="system_prompt", **mapping)
    found = read(tmp_path / "r.jsonl", columns, prompts)
    assert found.join(prompts, on="prompt_id").sort("response").select(
        "name", "template_id", "arm"
    ).rows() == [("Zo\u00e9 D'Arcy", "well", "kind"), ("Bo", "well", "kind")]


def test_labels_in_other_words(
    tmp_path: Path, study: Callable[..., pl.DataFrame], answers: pl.DataFrame
) -> None:
    frame = answers.with_columns(
        kind=pl.Series(["1_full_compliance", "2_Full  refusal", "unclear", "answer"]),
    )
    frame.write_csv(tmp_path / "r.csv")
    mapping = {
        "engine": "import",
        "path": "r.csv",
        "format": "table",
        "columns": {"response": "out", "prompt": "text", "label": "kind"},
        "labels": {"1_full_compliance": "answer", "2_full_refusal": "refusal", "unclear": None},
    }
    source = ImportModel.model_validate(mapping)
    assert source.columns is not None
    found = read(tmp_path / "r.csv", source.columns, study("plain"), labels=source.labels)
    assert found["imported_label"].to_list() == ["answer", "refusal", None, "answer"]


@pytest.mark.parametrize(
    ("word", "kept", "status", "truncated"),
    [
        ("length", "length", "ok", True),
        ("MAX_TOKENS", "length", "ok", True),
        ("stop", "stop", "ok", False),
        ("eos_token", "eos_token", "ok", False),
        ("tool_calls", "tool_calls", "ok", False),
        ("", None, "ok", False),
        ("content_filter", "content_filter", "filtered", False),
        ("SAFETY", "SAFETY", "filtered", False),
        ("error", "error", "error", False),
        ("expired", "expired", "error", False),
        ("errored", "errored", "error", False),
        ("succeeded", "succeeded", "ok", False),
        ("word", "word", "ok", False),
    ],
)
def test_why_a_response_ended(
    tmp_path: Path,
    study: Callable[..., pl.DataFrame],
    answers: pl.DataFrame,
    word: str,
    kept: str | None,
    status: str,
    truncated: bool,  # noqa: FBT001
) -> None:
    answers.with_columns(why=pl.lit(word)).write_csv(tmp_path / "r.csv")
    columns = TableColumns(response="out", prompt="text", finish_reason="why")
    source = ImportModel(engine="import", path="r.csv", format="table", columns=columns)
    lines: list[str] = []
    found = import_responses(
        tmp_path / "r.csv", source, study("plain"), model="m", say=lines.append
    )
    found = conform(found, Responses, where="x")
    first = found.row(0, named=True)
    assert (first["finish_reason"], first["status"]) == (kept, status)
    assert first["truncated"] == truncated
    assert (first["refusal_reason"] is None) == (status != "filtered")
    assert (first["error"] is None) == (status != "error")
    unknown = [line for line in lines if "is not known" in line]
    assert bool(unknown) == (word in {"tool_calls", ""})


def test_a_response_that_fills_a_cell_of_a_workbook_was_cut_there(
    tmp_path: Path, study: Callable[..., pl.DataFrame], answers: pl.DataFrame
) -> None:
    longest = "word " * 6553 + "ab"
    assert len(longest) == 32_767
    first = pl.int_range(pl.len()) == 0
    full = answers.with_columns(out=pl.when(first).then(pl.lit(longest)).otherwise("out"))
    full.write_csv(tmp_path / "r.csv")
    with xlsxwriter.Workbook(tmp_path / "r.xlsx") as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([full.columns, *full.rows()]):
            sheet.write_row(row, 0, cells)
    columns = TableColumns(response="out", prompt="text")
    cut, lines = {}, []
    for name in ("r.csv", "r.xlsx"):
        source = ImportModel(engine="import", path=name, format="table", columns=columns)
        found = import_responses(
            tmp_path / name, source, study("plain"), model="m", say=lines.append
        )
        cut[name] = found.filter("truncated")["response"].to_list()
    # A CSV holds texts of any length.
    assert cut == {"r.csv": [], "r.xlsx": [longest]}
    (said,) = [line for line in lines if "32,767" in line]
    assert "1 response fills a cell" in said
    assert "counts as cut off" in said


@pytest.mark.parametrize(
    ("change", "mapping", "complaint"),
    [
        (
            {"text": ["Ana sings well", "Al sings well", "Cy", "Bo sings badly"]},
            {},
            "2 of 4 rows answer no prompt of this study (line 3: 'Al sings well'; line 4: 'Cy')",
        ),
        ({}, {"response": "answer"}, "column 'answer', which columns.response names"),
        ({}, {"arms": "plain kind"}, "the study has 2 arms and the file does not say which"),
        ({"kind": "rude"}, {}, "line 2: label 'rude' is none of the seven"),
        ({"no": ["0", "1", "-1", "2"]}, {"sample": "no"}, "line 4: sample '-1' is no"),
        ({"no": ["0", "first", "0", "0"]}, {"sample": "no"}, "line 3: sample 'first' is"),
        (
            {"no": "0", "text": ["Bo sings well"] * 4},
            {"sample": "no"},
            "line 3: sample 0 of 'Bo sings well' stands here again",
        ),
    ],
)
def test_rows_that_cannot_be_used(
    tmp_path: Path,
    study: Callable[..., pl.DataFrame],
    answers: pl.DataFrame,
    change: dict[str, Any],
    mapping: dict[str, str],
    complaint: str,
) -> None:
    path = tmp_path / "answers.csv"
    answers.with_columns(
        **{k: pl.lit(v) if isinstance(v, str) else pl.Series(v) for k, v in change.items()}
    ).write_csv(path)
    mapping = {"response": "out", "prompt": "text", "label": "kind"} | mapping
    arms = mapping.pop("arms", "plain").split()
    with pytest.raises(InputError, match=re.escape(complaint)):
        read(path, TableColumns(**mapping), study(*arms))


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ({"format": "table"}, "columns belongs to format table"),
        (
            {"format": "table", "columns": {"response": "r", "name": "n"}},
            "name the column prompt, or the columns template and name",
        ),
        (
            {"format": "table", "columns": {"response": "r", "prompt": "p"}, "labels": {"a": None}},
            "labels explains the words of columns.label, which is not named",
        ),
        (
            {"format": "table", "columns": {"response": "p", "prompt": "p"}},
            "response names the same column as another key does",
        ),
        ({"format": "table", "labels": {"Yes": "answer", "yes ": None}}, "two of the file's words"),
        (
            {"format": "table", "labels": {True: "answer"}},
            "write yes, no, true and false in quotes",
        ),
    ],
)
def test_config_of_a_table(model: dict[str, Any], complaint: str) -> None:
    raw = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": {"engine": "import", "path": "x.csv"} | model},
    }
    with pytest.raises(InputError, match=complaint):
        load_config(raw, where="x")


def test_rows_answer_prompts_of_a_list_by_text_or_key(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("prompt_id,prompt\nv2-1,Who?\nv2-2,How?\n", "utf-8")
    prompts = list_prompts(read_list(tmp_path / "l.csv"), {"plain": None})
    pl.DataFrame({"p": ["v2-1", "how?"], "r": ["a", "b"]}).write_csv(tmp_path / "r.csv")
    columns = TableColumns(response="r", prompt="p")
    assert read(tmp_path / "r.csv", columns, prompts)["response"].to_list() == ["a", "b"]
    pl.DataFrame({"p": ["v2-1", "v2-3"], "r": ["a", "b"]}).write_csv(tmp_path / "r.csv")
    with pytest.raises(InputError) as raised:
        read(tmp_path / "r.csv", columns, prompts)
    assert "1 of 2 rows answers no prompt of this study (line 3: 'v2-3')" in raised.value.what
    assert raised.value.remedy == (
        "Their prompt must be texts or keys of the list: correct the study's list and arms, "
        "or remove the rows."
    )
