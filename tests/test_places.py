"""Where an error says that a row stands, in files of every kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter

from refusal_parity.audit.votes import RawVote
from refusal_parity.cells import open_table, word_of
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError
from refusal_parity.inference.response_files import read_columns
from refusal_parity.labelling.goldfiles import read_gold_files
from refusal_parity.listed import read_list
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.lines import read_lines
from refusal_parity.preference.lines import word_of as word_of_lines
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.quality.wordings import read_wordings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = '"one\ntwo\n\nthree"'
"""A cell over four lines."""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("key,text\n", 2),
        (f"key,text\na,{LONG}\n", 6),
        (f"key,text\na,{LONG}\nb,{LONG}\n", 10),
        (f'key,"text"\na,{LONG}\n\n,\nb,c\n', 9),
        ("\n\nkey,text\na,b\n", 5),
        ('"ke\ny",key,text\n0,a,b\n1,', 4),
        (f"sep=,\nkey,text\na,{LONG}\n", 7),
        ('key,text\na,"""\n"""\nb,"x\u2028\x0b\x0cy"\n', 5),
    ],
)
def test_the_line_on_which_a_row_begins(tmp_path: Path, before: str, line: int, end: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f'{before}q,"an\nend"\n'.replace("\n", end).encode())
    # What an editor shows there.
    assert path.read_text("utf-8").split("\n")[line - 1].removeprefix("1,") == 'q,"an'
    assert open_table(path).lines[-1] == line
    frame = read_csv(path, required=["key", "text"])
    assert frame.filter(key="q")[" row"].to_list() == [f"line {line}"]


CASES: list[tuple[Callable[[Path], Any], str, str]] = [
    (read_templates, f"template_id,family,template,n\na,f,[NAME],{LONG}\nb,,[NAME],\n", "line 6"),
    (read_names, f"name_id,name,group,note\na,Al,g,{LONG}\nb,,g,\n", "line 6"),
    (lambda path: read_gold_files([path]), f"response,label\n{LONG},answer\nNo.,no\n", "line 6"),
    (read_list, f"prompt_id,prompt\na,{LONG}\nb,\n", "line 6"),
    (
        read_lexicon,
        f"note,group,category,slur,pattern\n{LONG},a,religion,no,b\n,c,religion,no,\n",
        "line 6",
    ),
    (
        read_wordings,
        f"outcome,kind,pattern,meaning\na,b,c,{LONG}\na,b,(?=c),d\n",
        "line 6",
    ),
    (
        lambda path: read_columns(path, {"columns.response": "r"}),
        f"p,r\n{LONG},{LONG}\nx,#NAME?\n",
        "line 9",
    ),
]


@pytest.mark.parametrize(("reader", "text", "place"), CASES)
def test_every_reader_names_the_line(
    tmp_path: Path, reader: Callable[[Path], Any], text: str, place: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        reader(path)
    assert raised.value.where == f"{path}, {place}"


def test_what_has_no_lines_has_rows(tmp_path: Path) -> None:
    rows = [{"r": "one\ntwo"}, {"r": ["x"]}]
    (tmp_path / "list.json").write_text(json.dumps(rows, indent=1))
    (tmp_path / "within.json").write_text(json.dumps({"all": rows}))
    (tmp_path / "lines.jsonl").write_text("\n\n".join(map(json.dumps, rows)))
    (tmp_path / "spread.jsonl").write_text("\n".join(json.dumps(row, indent=1) for row in rows))
    pl.DataFrame({"r": [{"t": "a"}, {"t": "#"}], "b": [b"a", b"\xff"]}).write_parquet(
        tmp_path / "r.parquet"
    )
    with xlsxwriter.Workbook(tmp_path / "r.xlsx") as book:
        book.add_worksheet().write_column(0, 0, ("r", "one\ntwo\nthree", "#NAME?"))
    for name, column, more, place in (
        ("list.json", "r", {}, "row 2"),
        ("within.json", "r", {"rows": "all"}, "row 2"),
        ("lines.jsonl", "r", {}, "line 3"),
        ("spread.jsonl", "r", {}, "line 4"),
        ("r.parquet", "b", {}, "row 2"),
        ("r.xlsx", "r", {}, "row 3"),
    ):
        with pytest.raises(InputError) as raised:
            read_columns(tmp_path / name, {"columns.response": column}, **more)
        assert raised.value.where == f"{tmp_path / name}, {place}"


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("a.csv", "line"),
        ("a.csv.gz", "line"),
        ("a.xlsx", "row"),
        ("a.ods", "row"),
        ("a.json", "row"),
    ],
)
def test_the_word_of_an_annotators_file(file: str, word: str) -> None:
    assert word_of(file) == word
    said = {"task": "t", "annotator": "A", "label": "answer", "response": None}
    vote = RawVote(file=file, row=7, adjudicated=False, **said)
    assert vote.place == f"{file}, {word} 7"


def test_preference_data_in_parquet_has_rows(tmp_path: Path) -> None:
    pl.DataFrame({"chosen": ["a", "b"]}).write_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.jsonl").write_text('{"chosen": "a"}\n\n{"chosen": "b"}\n')
    for name, numbers, word in (("p.parquet", [1, 2], "row"), ("p.jsonl", [1, 3], "line")):
        assert [number for number, _ in read_lines(tmp_path / name)] == numbers
        assert word_of_lines(tmp_path / name) == word
