from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.tables import (
    Exclusions,
    Responses,
    empty,
    read_metadata,
    read_parts,
    read_table,
    write_table,
)

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


def test_responses_of_before_are_read_as_what_they_mean_now(tmp_path: Path) -> None:
    path = tmp_path / "responses.parquet"
    now = (
        empty(Responses)
        .clear(3)
        .with_columns(
            model=pl.lit("m"),
            prompt_id=pl.lit("p"),
            sample=pl.Series(range(3), dtype=pl.Int32),
            status=pl.Series(["ok", "truncated", "empty"]),
            truncated=pl.Series([False, True, False]),
        )
    )
    now.drop("truncated", "thinking", "refusal_reason").write_parquet(path)
    for table in (read_table(Responses, path), pl.concat(read_parts(Responses, path, 2))):
        assert table["status"].to_list() == ["ok", "ok", "empty"]
        assert table["truncated"].to_list() == [False, True, False]
        assert table["thinking"].null_count() == 3


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
