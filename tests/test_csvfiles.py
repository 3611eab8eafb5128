from __future__ import annotations

import gzip
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from refusal_parity.cells import ROW
from refusal_parity.csvfiles import read_csv, refuse_duplicates, refuse_spellings
from refusal_parity.errors import InputError
from refusal_parity.inference.response_files import read_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"key,text\n", "no rows"),
        (b"key\na\n", "line 1: column 'text' is missing (found: key)"),
        (b"key,text\na,b\nc\n", "line 3: 1 cell where the header has 2"),
        (
            b"\n# of our study\nkey,text\na,b\n",
            "get it anew; if line 2 is a note above the header, remove it.",
        ),
        (b"key,text\na,b,c\n", "line 2: 3 cells where the header has 2"),
        (b'key,text\na,"b\nb"\nc,\n', "line 4: column 'text' is empty"),
        (b'key,text\na,b\nc,"d', "line 3: broken CSV"),
        ("key,text\na,é\n".encode("latin-1"), "line 2: not UTF-8 text (byte 11)"),
        (b"key,text,text\na,b,c\n", "line 1: column 'text' stands there twice (cells 2 and 3)"),
        (b"key,text,,\na,b,,\nc,d,,e,f\n", "line 3: 5 cells where the header has 4"),
        (
            b"key,text,\na,b,\nc,d, e\n",
            "line 3: text in cell 3 where the header's last name is in cell 2",
        ),
        (b"key,text\na,nan\n", "line 2: column 'text' holds 'nan', which programs write where"),
        (b"sep=;\nkey;text\na;b;c\n", "line 3: 3 cells where the header has 2"),
        ("key,text\na,\u200b\n".encode(), "line 2: column 'text' is empty"),
        (b"key,text\na,  \n", "line 2: column 'text' is empty"),
        (b"PK\x03\x04" + bytes(range(99)), "is a workbook or another ZIP archive. Give it the end"),
        (b"PAR1key,text", "is a Parquet file"),
        (b"<!DOCTYPE html>\n<p>Sign in, please", "is a web page"),
        (b"BZh91AY&SY\x00", "is a compressed file"),
        (b"\x28\xb5\x2f\xfd\x04", "is a compressed file"),
        (b"$FL2@(#) SPSS DATA FILE", "is a file of SPSS"),
        (b"version https://git-lfs.github.com/spec/v1\noid 5", "is a pointer of Git LFS"),
        (gzip.compress(b"key,text\na,b\n", mtime=0)[:-9], "the compressed file is damaged"),
    ],
)
def test_names_file_row_and_remedy(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(complaint)) as raised:
        read_csv(path, required=["key", "text"], filled=["key", "text"])
    assert str(path) in str(raised.value)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("read", "named"),
    [
        (partial(read_columns, columns={"prompt": "prompt", "response": "response"}), True),
        (partial(read_csv, required=["prompt"], filled=["prompt"]), False),
    ],
    ids=["responses", "names"],
)
def test_another_format_is_named_for_responses_alone(
    tmp_path: Path, read: Callable[[Path], object], *, named: bool
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("prompt,response\nnan,yes\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read(path)
    assert ("JSON lines" in str(raised.value)) is named


@pytest.mark.parametrize("name", ["gold.jsonl", "Gold.PARQUET", "names.json"])
def test_what_is_no_table_of_cells(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"key": "a"}\n')
    with pytest.raises(InputError, match=r"where a table of cells is read\. Save it as CSV"):
        read_csv(tmp_path / name, required=["key"])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "none.csv", required=["key"])


def test_keeps_unicode_and_counts_lines_of_quoted_cells(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes('\ufeffkey,text\na, José \nb,"two\nlines"\nc,last\n'.encode())
    frame = read_csv(path, required=["key", "text"])
    assert frame["text"].to_list() == ["José", "two\nlines", "last"]
    assert frame[ROW].to_list() == ["line 2", "line 3", "line 5"]


@pytest.mark.parametrize(
    "content",
    [
        b"key,text,,\na,one,,\nc,two,,\n,,,\n",  # empty columns and rows of spreadsheets
        b"\n,key,text\n0,a,one\n1,c,two\n",  # a column of numbers without a name
        b"key;text\r\na;one\r\nc;two\r\n",
        b"key\ttext\na\tone\nc\ttwo\n",
        b"key|text\na|one\nc|two\n",
        b"key\ttext\tby, for\na\tone\tx, y, z\nc\ttwo\tx\n",
        b"sep=;\r\nkey;text\r\na;one\r\nc;two\r\n",
        b'key;text;"note, if any, and why"\na;one;\nc;two;\n',
        b"key,text\ra,one\rc,two\r",
        b"Key, TEXT \na, one\nc,two\n",
        "key\ttext\r\na\tone\r\nc\ttwo\r\n".encode("utf-16"),
        "key;text\r\na;one\r\nc;two\r\n".encode("utf-16-le"),
        "key,text\na,one\nc,two\n".encode("utf-16-be"),
        "key,text\na,one\nc,two\n".encode("utf-32"),
        gzip.compress(b"\xef\xbb\xbfkey,text\na,one\nc,two\n", mtime=0),
        "\ufeffkey,text\na,\u00a0one\u00a0\nc,two\n".encode(),
        b"key,text,line\na,one,7\nc,two,8\n",
    ],
)
def test_one_table_in_many_shapes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    frame = read_csv(path, required=["key", "text"], optional=["more"])
    assert frame.select("key", "text", "more").rows() == [("a", "one", None), ("c", "two", None)]


def test_a_column_called_line_is_one_like_others(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("line,text\n7,a\n8,b\n")
    frame = read_csv(path, required=["line"])
    assert frame["line"].to_list() == ["7", "8"]
    assert frame[ROW].to_list() == ["line 2", "line 3"]


def test_keeps_a_response_longer_than_cells_are_by_default(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"text\n{'word ' * 40_000}end\n")
    assert len(read_csv(path, required=["text"])["text"][0]) == 200_003


def test_duplicates_name_both_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("key\na\nb\na\n")
    with pytest.raises(InputError, match=r"line 4: key 'a' stands in line 2 already"):
        refuse_duplicates(read_csv(path, required=["key"]), "key", path)


def test_duplicates_in_other_characters_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("key\nZoé\nb\nZoe\u0301\n", encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"line 4: key .* stands in line 2 already \(U\+0065 U\+0301 here, U\+00E9 there\)",
    ):
        refuse_duplicates(read_csv(path, required=["key"]), "key", path)


def test_levels_in_two_spellings_name_both_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("key,level\na,East Asian\nb,\nc,East Asian\nd,East\u00a0asian\n")
    frame = read_csv(path, required=["key"])
    with pytest.raises(InputError, match=r"line 5: level .* is written 'East Asian' in line 2"):
        refuse_spellings(frame, "level", path)
    refuse_spellings(frame[:3], "level", path)


@pytest.mark.parametrize("other", ["east_asian", "East-Asian", "east  asian"])
def test_levels_parted_in_two_ways_are_one(tmp_path: Path, other: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"key,level\na,East Asian\nb,-1\nc,1\nd,{other}\n")
    frame = read_csv(path, required=["key"])
    with pytest.raises(InputError, match=r"line 5: level .* is written 'East Asian' in line 2"):
        refuse_spellings(frame, "level", path)
    refuse_spellings(frame[:3], "level", path)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_csv(tmp_path, required=["key"])


def test_two_columns_that_read_alike_are_both_named(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name,Group,GROUP\nAna,a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"'Group' and 'GROUP' may both be the column 'group'"):
        read_csv(path, required=["name", "group"])
    path.write_text("name,group,GROUP\nAna,a,b\n", encoding="utf-8")
    assert read_csv(path, required=["name", "group"])["group"].to_list() == ["a"]
