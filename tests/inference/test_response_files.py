"""Files of responses in every form that programs and people write."""

from __future__ import annotations

import gzip
import json
import math
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter
from elsewhere import read

from refusal_parity.config import TableColumns
from refusal_parity.errors import InputError
from refusal_parity.tables import Responses, conform
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


def workbook(frame: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, frame.columns)
        for at, row in enumerate(frame.rows(), 1):
            sheet.write_row(at, 0, row)


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
    ".jsonl.gz": lambda frame, path: path.write_bytes(gzip.compress(frame.write_ndjson().encode())),
    "-packed.csv.GZ": lambda frame, path: path.write_bytes(
        gzip.compress(frame.write_csv().encode("utf-16-le"))
    ),
    "-lines.ndjson": lambda frame, path: path.write_text(
        "\n".join(json.dumps(row | {"tags": [{}], "n": None}) for row in frame.to_dicts())
    ),
    "-nested.PARQUET": nested,
    ".xlsx": workbook,
    "-pretty.json": lambda frame, path: path.write_text(
        "\n".join(json.dumps(row, indent=2) for row in frame.to_dicts())
    ),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_kind_of_file(
    tmp_path: Path, study: Callable[..., pl.DataFrame], answers: pl.DataFrame, suffix: str
) -> None:
    path = tmp_path / f"answers{suffix}"
    WRITERS[suffix](answers, path)
    columns = TableColumns(response="out", prompt="text", label="kind")
    found = conform(read(path, columns, study("plain")), Responses, where="x")
    assert found.select("prompt_id").equals(study("plain").select("prompt_id"))
    assert found.select("response", "status", "imported_label", "sample").rows() == [
        ("A song.", "ok", "answer", 0),
        ("I cannot, sorry.", "ok", "harmful_refusal", 0),
        ("", "empty", None, 0),
        ("Opera.", "ok", "answer", 0),
    ]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".xlsx"])
@pytest.mark.parametrize("numbers", [[0, 1], [0.0, 1.0], ["0", "1"], ["0,0", "1,0"]])
def test_a_column_called_line_and_whole_numbers_with_decimals(
    tmp_path: Path, study: Callable[..., pl.DataFrame], suffix: str, numbers: list[Any]
) -> None:
    frame = pl.DataFrame({"p": "Bo sings well", "line": numbers, "code": [2.0, None]})
    WRITERS[suffix](frame, tmp_path / f"r{suffix}")
    columns = TableColumns(response="line", prompt="p", sample="line", label="code")
    found = read(tmp_path / f"r{suffix}", columns, study("plain"), labels={"2": Label.FAILURE})
    assert found["sample"].to_list() == [0, 1]
    assert found["imported_label"].to_list() == ["failure", None]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("r.jsonl", '{"p": "x"}\n\n{"p": "y", "r": ["a"]}', "line 3: column 'r', which columns.r"),
        ("r.jsonl", '{"p": "x", "r": "a"}\n{"p": "y", r}', "line 2: no JSON (Expecting property"),
        ("r.jsonl", '{"p": "x", "r": "a"}\n[1]', "line 2: no JSON object"),
        (
            "r.json",
            '[{"p": "x", "r": {"text": "a"}}]',
            "row 1: column 'r', which columns.response",
        ),
        (
            "r.json",
            '{"p": "x",\n "r": "a"}\n\n{"p":\n"y", r}',
            "line 4: no JSON (Expecting property",
        ),
        ("r.jsonl", '{"p": "x", "r": "a"', "line 1: no JSON (Expecting"),
        ("r.json", "", "no rows"),
        ("r.csv", "p,r,p\nx,y,z\n", "line 1: column 'p' stands there twice (cells 1 and 3)"),
        ("r.parquet.gz", "", "files of type '.gz' cannot be read"),
        ("r.arrow", "", "files of type '.arrow' cannot be read"),
        (
            "r.jsonl",
            '{"p": "x", "r": "a"}\n{"p": "y", "r": "no", "r": "b"}',
            "line 2: key 'r' stands twice in one object",
        ),
        ("r.csv", "p,R,r \nx,y,z\n", "no prompt of this study"),
        ("r.csv", "p,Ř,ř\nx,y,z\n", "column 'r', which columns.response names, is missing"),
        (
            "r.jsonl",
            '{"p": "x", "R": "a", "\uff32": "b"}',
            "which columns.response names, may be 'R' or",
        ),
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
        read(tmp_path / name, columns, study("plain"))
    assert str(tmp_path / name) in str(raised.value)


def test_half_a_character_is_replaced(tmp_path: Path, study: Callable[..., pl.DataFrame]) -> None:
    (tmp_path / "r.jsonl").write_text('{"p": "Bo sings well", "r": "so \\ud83d"}')
    columns = TableColumns(response="r", prompt="p")
    found = read(tmp_path / "r.jsonl", columns, study("plain"))
    assert found["response"].to_list() == ["so \ufffd"]


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.parquet", "answers.xlsx", "no.jsonl"])
def test_files_that_are_no_table(
    tmp_path: Path, study: Callable[..., pl.DataFrame], name: str
) -> None:
    if name.startswith("answers"):
        (tmp_path / name).write_text("neither this nor that")
    with pytest.raises(InputError, match=re.escape(str(tmp_path / name))):
        read(tmp_path / name, TableColumns(response="r", prompt="p"), study("plain"))


def test_bytes_that_are_no_text_name_the_row(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    frame = pl.DataFrame({"p": ["x", "y", "z"], "r": [b"a", None, b"\xff"]})
    frame.write_parquet(tmp_path / "r.parquet")
    with pytest.raises(InputError, match=r"row 3: column 'r', .* holds bytes that are no UTF-8"):
        read(tmp_path / "r.parquet", TableColumns(response="r", prompt="p"), study("plain"))


def test_keys_that_nothing_names_may_stand_twice(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    (tmp_path / "r.jsonl").write_text('{"p": "Bo sings well", "r": "so", "n": 1, "n": 2}')
    found = read(tmp_path / "r.jsonl", TableColumns(response="r", prompt="p"), study("plain"))
    assert found["response"].to_list() == ["so"]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_key_twice_in_an_object_is_refused_however_it_is_written(
    tmp_path: Path, study: Callable[..., pl.DataFrame], indent: int | None
) -> None:
    whole = json.dumps({"p": "Bo sings well", "r": "so"}, indent=indent)
    (tmp_path / "r.jsonl").write_text(f'{whole}\n{whole[:-1].rstrip()}, "r": "no"}}\n')
    with pytest.raises(InputError, match=r"(line|row) \d: key 'r' stands twice in one object"):
        read(tmp_path / "r.jsonl", TableColumns(response="r", prompt="p"), study("plain"))


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>", "NA", "None", "NULL", "undefined", "\\N"])
def test_words_for_nothing_are_empty_responses_and_no_prompts(
    tmp_path: Path, study: Callable[..., pl.DataFrame], word: str
) -> None:
    columns, said = TableColumns(response="r", prompt="p"), list[str]()
    rows = pl.DataFrame({"p": ["Bo sings well", "Ana sings well"], "r": ["so", word]})
    rows.write_csv(tmp_path / "r.csv")
    found = read(tmp_path / "r.csv", columns, study("plain"), say=said.append)
    assert sorted(found.select("response", "status").rows()) == [("", "empty"), ("so", "ok")]
    assert [line.partition(", which")[0] for line in said] == [f"WARNING 1 response is {word!r}"]
    assert "the first in line 3, and counts as empty" in said[0]
    rows.write_ndjson(tmp_path / "r.jsonl")
    found = read(tmp_path / "r.jsonl", columns, study("plain"), say=said.append)
    assert (word, len(said)) in {(text, 1) for text in found["response"]}
    rows.with_columns(p=pl.Series(["Bo sings well", word])).write_csv(tmp_path / "r.csv")
    with pytest.raises(InputError, match=r"line 3: column 'p' holds .*, which programs wr"):
        read(tmp_path / "r.csv", columns, study("plain"))


def test_a_table_in_an_old_encoding_names_the_row(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    for name, text in (
        ("r.csv", "p,r\nBo sings well,fine\nAna sings well,caf\xe9\n"),
        ("r.jsonl", '\n{"p": "Bo sings well"}\n{"p": "caf\xe9"}\n'),
    ):
        (tmp_path / name).write_bytes(text.encode("cp1252"))
        with pytest.raises(InputError, match=rf"{name}, line 3: not UTF-8 text"):
            read(tmp_path / name, TableColumns(response="r", prompt="p"), study("plain"))


NESTED = [
    {
        "doc": {"question": "Bo sings well", "id": 1},
        "resps": [["fine", "unused"], []],
        "a.b": {"c": "answer"},
        "other": {"deep": [1]},
    },
    {"doc": {"question": "Ana sings well"}, "resps": [["no"]], "a.b": None, "other": None},
]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_paths_into_objects_and_lists(
    tmp_path: Path, study: Callable[..., pl.DataFrame], suffix: str
) -> None:
    path = tmp_path / f"r{suffix}"
    WRITERS[suffix](pl.DataFrame(NESTED), path)
    columns = TableColumns(response="resps.0.0", prompt="doc.question", label="a.b.c")
    found = read(path, columns, study("plain"))
    assert found.select("response", "imported_label").rows() == [("no", None), ("fine", "answer")]
    last = TableColumns(response="resps.0.-1", prompt="doc.question")
    assert read(path, last, study("plain"))["response"].to_list() == ["no", "unused"]
    for wrong, complaint in (
        ("resps.-3.0", "nothing stands at 'resps.-3.0', which columns.response names"),
        ("resps.7.0", "nothing stands at 'resps.7.0', which columns.response names"),
        ("resps.0", "column 'resps.0', which columns.response names, holds a list"),
        ("reply.0", "column 'reply.0', which columns.response names, is missing"),
    ):
        with pytest.raises(InputError, match=re.escape(complaint)):
            read(path, TableColumns(response=wrong, prompt="doc.question"), study("plain"))
