from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.tables import Exclusions, read_metadata, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

GOOD = pl.DataFrame(
    {
        "model": ["a", "a"],
        "dimension": ["group", "group"],
        "group": ["x", "y"],
        "reason": ["labelled", "labelled"],
        "n": [3, 4],
        "share": [1.0, None],
    }
)


def test_round_trip_with_metadata(tmp_path: Path) -> None:
    path = tmp_path / "new" / "exclusions.parquet"
    shuffled = GOOD.select(reversed(GOOD.columns)).with_columns(extra=1)
    write_table(shuffled, Exclusions, path, metadata={"engine": {"name": "x"}})
    assert read_table(Exclusions, path).equals(GOOD)
    assert read_metadata(path) == {"engine": {"name": "x"}}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (GOOD.drop("share"), "column share of table Exclusions is missing"),
        (GOOD.with_columns(n=-1), "'n' failed validation"),
        (GOOD.with_columns(n=pl.lit("many")), "'n' failed validation"),
        (GOOD.with_columns(group=None), "'group' failed validation"),
        (GOOD.with_columns(group=pl.lit("x")), "'primary_key' failed"),
        (GOOD.with_columns(share=float("nan")), "'share' failed validation"),
    ],
)
def test_bad_rows_are_not_written(tmp_path: Path, bad: pl.DataFrame, complaint: str) -> None:
    path = tmp_path / "exclusions.parquet"
    write_table(GOOD, Exclusions, path)
    with pytest.raises(InputError, match=re.escape(complaint)):
        write_table(bad, Exclusions, path)
    assert read_table(Exclusions, path).equals(GOOD)


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "exclusions.parquet"
    write_table(GOOD, Exclusions, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"exclusions.parquet: not a readable Parquet file"):
        read_table(Exclusions, path)


def test_other_tables_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pl.DataFrame({"model": ["a"]}).write_parquet(path)
    with pytest.raises(InputError, match="column dimension, group, n, reason, share"):
        read_table(Exclusions, path)


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .* Give a results folder"):
        write_table(GOOD, Exclusions, tmp_path / "results" / "exclusions.parquet")
