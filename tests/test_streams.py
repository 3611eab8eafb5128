from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.tables import (
    Labels,
    conform,
    empty,
    read_metadata,
    read_parts,
    read_table,
    write_parts,
    write_table,
)

if TYPE_CHECKING:
    from pathlib import Path


def labels(rows: int) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "model": "m",
            "prompt_id": [f"p{k}" for k in range(rows)],
            "sample": 0,
            "label": ["answer" if k % 3 else None for k in range(rows)],
            "label_source": "classifier",
            "p_answer": 0.5,
            "truncated": False,
            "filtered": False,
        }
    )
    rest = [name for name in Labels.column_names() if name not in frame.columns]
    full = frame.with_columns(pl.lit(None).alias(name) for name in rest)
    return conform(full, Labels, where="test")


def test_parts_are_the_table(tmp_path: Path) -> None:
    whole = labels(10)
    parts = [whole[:4], whole[4:8], whole[8:]]
    path = tmp_path / "deep/labels.parquet"
    assert write_parts(parts, Labels, path, metadata={"a": 1}) == 10
    assert read_table(Labels, path).equals(whole)
    assert read_metadata(path) == {"a": 1}
    # Whoever reads the file without this package finds the six labels as an Enum.
    assert pl.read_parquet(path).schema == whole.schema
    assert max(len(part) for part in read_parts(Labels, path, 3)) <= 3
    assert pl.concat(read_parts(Labels, path, 3)).equals(whole)


def test_parts_of_a_table_written_in_one(tmp_path: Path) -> None:
    whole = labels(10)
    write_table(whole, Labels, tmp_path / "t.parquet")
    parts = list(read_parts(Labels, tmp_path / "t.parquet", 4))
    assert pl.concat(parts).equals(whole)


def test_a_table_without_rows_is_one_empty_part(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parts([empty(Labels)], Labels, path)
    assert [len(part) for part in read_parts(Labels, path, 4)] == [0]


def test_a_part_that_does_not_fit_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    wrong = labels(3).with_columns(p_answer=pl.lit(2.0))
    with pytest.raises(InputError, match="not a table of Labels"):
        write_parts([labels(3), wrong], Labels, path)
    assert list(tmp_path.iterdir()) == []


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(read_parts(Labels, tmp_path / "none.parquet", 4))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        list(read_parts(Labels, tmp_path / "broken.parquet", 4))
