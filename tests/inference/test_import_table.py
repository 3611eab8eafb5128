from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import ImportModel, TableColumns, load_config
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.import_table import read_response_table
from refusal_parity.inference.imports import import_responses
from refusal_parity.tables import Responses, conform
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARMS: dict[str, str | None] = {"plain": None, "kind": "Be kind."}
ANSWERS = {
    "text": ["Ana sings well", "Bo sings well", "Ana sings badly", "Bo sings badly"],
    "out": ["A song.", " I cannot, sorry. ", None, "Opera."],
    "kind": ["answer", "Harmful refusal", None, "answer"],
}


@pytest.fixture
def study() -> Callable[..., pl.DataFrame]:
    templates = pl.DataFrame(
        {
            "template_id": ["well", "badly"],
            "family": "f",
            "template": ["[NAME] sings well", "[NAME] sings badly"],
        }
    )
    names = pl.DataFrame(
        {
            "name_id": ["a", "b"],
            "name": ["Ana", "Bo"],
            "group": ["x", "y"],
            "gender": None,
            "commonness": None,
        }
    )

    def made(*arms: str) -> pl.DataFrame:
        return expand(templates, names, {arm: ARMS[arm] for arm in arms})

    return made


def with_bom(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path, include_bom=True, line_terminator="\r\n", separator=";")


def with_excess(frame: pl.DataFrame, path: Path) -> None:
    """As spreadsheets do: columns and rows of nothing."""
    text = "\n".join(f"{line},," for line in frame.write_csv().splitlines())
    path.write_text(f"{text}\n,,,,\n")


def with_line_ends(frame: pl.DataFrame, path: Path) -> None:
    """As Python writes it: NaN, texts with blanks around, line ends of Windows."""
    rows = [
        row
        | {"out": row["out"] and f" {row['out']}\r\n", "kind": row["kind"] or ""}
        | {"score": math.nan, "text": f"{row['text']}\n"}
        for row in frame.to_dicts()
    ]
    text = "\r\n".join(json.dumps(row) for row in rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n\r\n")


def nested(frame: pl.DataFrame, path: Path) -> None:
    frame.with_columns(
        pl.lit([["a"]]).alias("tags"),
        pl.lit(b"\xff").alias("bytes"),
        pl.struct("text").alias("more"),
        pl.col("kind").fill_null("").cast(pl.Categorical),
        pl.col("out").cast(pl.Binary),
    ).write_parquet(path)


WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    ".csv": lambda frame, path: frame.write_csv(path),
    ".jsonl": lambda frame, path: frame.write_ndjson(path),
    ".parquet": lambda frame, path: frame.write_parquet(path),
    ".tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    ".json": lambda frame, path: frame.write_json(path),
    "-bom.CSV": with_bom,
    "-excess.csv": with_excess,
    "-wide.csv": lambda frame, path: path.write_bytes(frame.write_csv().encode("utf-16")),
    "-ends.JSONL": with_line_ends,
    "-lines.ndjson": lambda frame, path: path.write_text(
        "\n".join(json.dumps(row | {"tags": [{}], "n": None}) for row in frame.to_dicts())
    ),
    "-nested.PARQUET": nested,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_kind_of_file(
    tmp_path: Path, study: Callable[..., pl.DataFrame], suffix: str
) -> None:
    path = tmp_path / f"answers{suffix}"
    WRITERS[suffix](pl.DataFrame(ANSWERS), path)
    columns = TableColumns(response="out", prompt="text", label="kind")
    found = conform(
        read_response_table(path, columns, study("plain"), model="m"), Responses, where="x"
    )
    assert found.select("prompt_id").equals(study("plain").select("prompt_id"))
    assert found.select("response", "status", "imported_label", "sample").rows() == [
        ("A song.", "ok", "answer", 0),
        ("I cannot, sorry.", "ok", "harmful_refusal", 0),
        ("", "empty", None, 0),
        ("Opera.", "ok", "answer", 0),
    ]


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
    found = read_response_table(tmp_path / "r.parquet", columns, prompts, model="m")
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
    found = read_response_table(tmp_path / "r.csv", columns, study("plain"), model="m")
    assert found["sample"].to_list() == [0, 0, 1]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("numbers", [[0, 1], [0.0, 1.0], ["0", "1"]])
def test_a_column_called_line_and_whole_numbers_with_decimals(
    tmp_path: Path, study: Callable[..., pl.DataFrame], suffix: str, numbers: list[Any]
) -> None:
    frame = pl.DataFrame({"p": "Bo sings well", "line": numbers, "code": [2.0, None]})
    WRITERS[suffix](frame, tmp_path / f"r{suffix}")
    columns = TableColumns(response="line", prompt="p", sample="line", label="code")
    found = read_response_table(
        tmp_path / f"r{suffix}", columns, study("plain"), model="m", labels={"2": Label.FAILURE}
    )
    assert found["sample"].to_list() == [0, 1]
    assert found["imported_label"].to_list() == ["failure", None]


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
    found = read_response_table(tmp_path / "r.jsonl", columns, prompts, model="m")
    assert found.join(prompts, on="prompt_id").sort("response").select(
        "name", "template_id", "arm"
    ).rows() == [("Zo\u00e9 D'Arcy", "well", "kind"), ("Bo", "well", "kind")]


def test_labels_in_other_words(tmp_path: Path, study: Callable[..., pl.DataFrame]) -> None:
    frame = pl.DataFrame(ANSWERS).with_columns(
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
    found = read_response_table(
        tmp_path / "r.csv", source.columns, study("plain"), model="m", labels=source.labels
    )
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
    ],
)
def test_why_a_response_ended(
    tmp_path: Path,
    study: Callable[..., pl.DataFrame],
    word: str,
    kept: str | None,
    status: str,
    truncated: bool,  # noqa: FBT001
) -> None:
    pl.DataFrame(ANSWERS).with_columns(why=pl.lit(word)).write_csv(tmp_path / "r.csv")
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


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("r.jsonl", '{"p": "x"}\n\n{"p": "y", "r": ["a"]}', "row 3: column 'r', which columns.r"),
        ("r.jsonl", '{"p": "x", "r": "a"}\n{"p": "y", r}', "row 2: no JSON (Expecting property"),
        ("r.jsonl", '{"p": "x", "r": "a"}\n[1]', "row 2: no JSON object"),
        ("r.json", '[{"p": "x", "r": {"text": "a"}}]', "row 1: column 'r', which columns.response"),
        ("r.json", "", "no rows"),
        ("r.csv", "p,r,p\nx,y,z\n", "row 1: column 'p' stands there twice (cells 1 and 3)"),
        ("r.jsonl.gz", "", "files of type '.gz' cannot be read"),
    ],
)
def test_what_is_no_table_of_texts(
    tmp_path: Path,
    study: Callable[..., pl.DataFrame],
    name: str,
    content: str,
    complaint: str,
) -> None:
    (tmp_path / name).write_text(content)
    columns = TableColumns(response="r", prompt="p")
    with pytest.raises(InputError, match=re.escape(complaint)) as raised:
        read_response_table(tmp_path / name, columns, study("plain"), model="m")
    assert str(tmp_path / name) in str(raised.value)


def test_half_a_character_is_replaced(tmp_path: Path, study: Callable[..., pl.DataFrame]) -> None:
    (tmp_path / "r.jsonl").write_text('{"p": "Bo sings well", "r": "so \\ud83d"}')
    columns = TableColumns(response="r", prompt="p")
    found = read_response_table(tmp_path / "r.jsonl", columns, study("plain"), model="m")
    assert found["response"].to_list() == ["so \ufffd"]


@pytest.mark.parametrize(
    ("change", "mapping", "complaint"),
    [
        (
            {"text": ["Ana sings well", "Al sings well", "Cy", "Bo sings badly"]},
            {},
            "2 of 4 rows answer no prompt of this study (row 3: 'Al sings well'; row 4: 'Cy')",
        ),
        ({}, {"response": "answer"}, "column 'answer', which columns.response names"),
        ({}, {"arms": "plain kind"}, "the study has 2 arms and the file does not say which"),
        ({"kind": "rude"}, {}, "row 2: label 'rude' is none of the six"),
        ({"no": ["0", "1", "-1", "2"]}, {"sample": "no"}, "row 4: sample '-1' is no"),
        ({"no": ["0", "first", "0", "0"]}, {"sample": "no"}, "row 3: sample 'first' is"),
        (
            {"no": "0", "text": ["Bo sings well"] * 4},
            {"sample": "no"},
            "row 3: sample 0 of 'Bo sings well' stands here again",
        ),
    ],
)
def test_rows_that_cannot_be_used(
    tmp_path: Path,
    study: Callable[..., pl.DataFrame],
    change: dict[str, Any],
    mapping: dict[str, str],
    complaint: str,
) -> None:
    path = tmp_path / "answers.csv"
    frame = pl.DataFrame(ANSWERS)
    frame.with_columns(
        **{k: pl.lit(v) if isinstance(v, str) else pl.Series(v) for k, v in change.items()}
    ).write_csv(path)
    mapping = {"response": "out", "prompt": "text", "label": "kind"} | mapping
    arms = mapping.pop("arms", "plain").split()
    with pytest.raises(InputError, match=re.escape(complaint)):
        read_response_table(path, TableColumns(**mapping), study(*arms), model="m")


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.parquet", "answers.xlsx", "no.jsonl"])
def test_files_that_are_no_table(
    tmp_path: Path, study: Callable[..., pl.DataFrame], name: str
) -> None:
    if name.startswith("answers"):
        (tmp_path / name).write_text("neither this nor that")
    with pytest.raises(InputError, match=re.escape(str(tmp_path / name))):
        read_response_table(
            tmp_path / name, TableColumns(response="r", prompt="p"), study("plain"), model="m"
        )


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
