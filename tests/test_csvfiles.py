from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from refusal_parity.csvfiles import read_csv, refuse_duplicates
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"key,text\n", "no rows"),
        (b"key\na\n", "row 1: column 'text' is missing (found: key)"),
        (b"key,text\na,b\nc\n", "row 3: 1 cells where the header has 2"),
        (b"key,text\na,b,c\n", "row 2: 3 cells where the header has 2"),
        (b'key,text\na,"b\nb"\nc,\n', "row 4: column 'text' is empty"),
        (b'key,text\na,b\nc,"d', "row 3: broken CSV"),
        ("key,text\na,é\n".encode("latin-1"), "not UTF-8 text (byte 11)"),
        (b"key,text\na,  \n", "row 2: column 'text' is empty"),
    ],
)
def test_names_file_row_and_remedy(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(complaint)) as raised:
        read_csv(path, required=["key", "text"], filled=["key", "text"])
    assert str(path) in str(raised.value)
    assert raised.value.remedy


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "none.csv", required=["key"])


def test_keeps_unicode_and_counts_lines_of_quoted_cells(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes('\ufeffkey,text\na, José \nb,"two\nlines"\nc,last\n'.encode())
    frame = read_csv(path, required=["key", "text"])
    assert frame["text"].to_list() == ["José", "two\nlines", "last"]
    assert frame["line"].to_list() == [2, 3, 5]


def test_keeps_a_response_longer_than_cells_are_by_default(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"text\n{'word ' * 40_000}end\n")
    assert len(read_csv(path, required=["text"])["text"][0]) == 200_003


def test_duplicates_name_both_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("key\na\nb\na\n")
    with pytest.raises(InputError, match=r"row 4: key 'a' stands in row 2 already"):
        refuse_duplicates(read_csv(path, required=["key"]), "key", path)
