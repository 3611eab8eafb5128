"""Files of preference data as objects, one line or row after the other."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.preference.lines import read_lines

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, rows: list[Any], *, packed: bool = False) -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if packed else text)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1}\n{"a": ', "line 2: no JSON"),
        (b'{"a": "\xff"}\n', "line 1: no JSON"),
        (b'[\n{"a": 1}]', "line 1: no JSON"),
        (b"", "the file is empty"),
        (gzip.compress(b'{"a": 1}\n' * 9, mtime=0)[:-9], "damaged after line"),
        (gzip.compress(b'{"a": 1}\n', mtime=0)[:-2] + b"xx", "damaged after line 1"),
    ],
)
def test_a_damaged_file_is_an_error_for_people(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_lines(path))
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_parquet_is_read_like_json_lines(tmp_path: Path) -> None:
    rows = [
        {"prompt": [{"role": "user", "content": "Who?"}], "chosen": f"x{at}", "rejected": None}
        for at in range(1_500)
    ]
    path = tmp_path / "pairs.jsonl"
    pl.DataFrame(rows, schema_overrides={"rejected": pl.String}).write_parquet(path)
    assert list(read_lines(path)) == list(enumerate(rows, 1))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"pairs\.jsonl: cannot be read as Parquet"):
        list(read_lines(path))
    pl.DataFrame({"prompt": []}).write_parquet(path)
    with pytest.raises(InputError, match="no rows"):
        list(read_lines(path))


def test_a_missing_file_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(read_lines(tmp_path / "none.jsonl"))


def test_compression_is_seen_in_the_file_and_not_in_its_name(tmp_path: Path) -> None:
    rows = [{"a": "\u2028 é"}, {"a": "b"}]
    plain = write(tmp_path / "plain.jsonl.gz", rows)
    packed = write(tmp_path / "packed.jsonl", rows, packed=True)
    expected = list(enumerate(rows, 1))
    assert list(read_lines(plain)) == list(read_lines(packed)) == expected
