from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.inference.shards import gather_shards, take_shard
from refusal_parity.tables import Responses, read_metadata, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path


def _responses(prompts: pl.DataFrame, samples: int = 2) -> pl.DataFrame:
    return prompts.select(
        "prompt_id",
        model=pl.lit("m"),
        seed=pl.lit(1),
        response_id=pl.lit("0" * 32),
        answered_at=pl.lit(None, pl.Datetime("ms", "UTC")),
        answered_by=pl.lit(None, pl.String),
        fingerprint=pl.lit(None, pl.String),
        response=pl.col("prompt"),
        finish_reason=pl.lit("stop"),
        prompt_tokens=pl.lit(5),
        response_tokens=pl.lit(3),
        cost=pl.lit(None, pl.Float64),
        status=pl.lit("ok"),
        truncated=pl.lit(value=False),
        thinking=pl.lit(None, pl.String),
        refusal_reason=pl.lit(None, pl.String),
        error=pl.lit(None, pl.String),
        rendered_sha256=pl.lit("0" * 16),
        imported_label=pl.lit(None, pl.String),
    ).join(pl.DataFrame({"sample": range(samples)}), how="cross")


def _write(
    folder: Path, prompts: pl.DataFrame, shards: int, *, samples: int = 2, **metadata: Any
) -> list[Path]:
    paths = []
    for shard in range(1, shards + 1):
        path = folder / f"{shard}-of-{shards}" / "responses.parquet"
        given = {"samples": 2, "device": f"gpu {shard % 2}", "engine_version": "1"} | metadata
        write_table(
            _responses(take_shard(prompts, shard, shards), samples), Responses, path, metadata=given
        )
        paths.append(path)
    return paths


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_shards_part_the_prompts(prompts: pl.DataFrame, shards: int) -> None:
    parts = [take_shard(prompts, shard, shards) for shard in range(1, shards + 1)]
    assert sorted(pl.concat(parts)["prompt_id"]) == sorted(prompts["prompt_id"])
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("shards", [2, 5])
def test_gathered_table_is_the_whole_ones(
    prompts: pl.DataFrame, tmp_path: Path, shards: int
) -> None:
    whole, gathered = tmp_path / "whole.parquet", tmp_path / "gathered.parquet"
    write_table(_responses(prompts), Responses, whole)
    gather_shards(_write(tmp_path, prompts, shards), prompts, gathered)
    assert read_table(Responses, gathered).equals(read_table(Responses, whole))
    assert read_metadata(gathered) == {
        "samples": 2, "device": "gpu 0 and gpu 1", "engine_version": "1", "shards": shards,
        "warnings": [],
    }  # fmt: skip


def test_warnings_are_of_all_shards_together(prompts: pl.DataFrame, tmp_path: Path) -> None:
    paths = []
    for shard in (1, 2):
        path = tmp_path / f"{shard}-of-2" / "responses.parquet"
        rows = _responses(take_shard(prompts, shard, 2)).with_columns(
            finish_reason=pl.lit("paused" if shard == 1 else "stop")
        )
        given = {"samples": 2, "device": "gpu", "warnings": ["odd"] * (2 - shard)}
        write_table(rows, Responses, path, metadata=given)
        paths.append(path)
    gather_shards(paths, prompts, tmp_path / "all.parquet")
    [warning] = read_metadata(tmp_path / "all.parquet")["warnings"]
    odd = 2 * len(take_shard(prompts, 1, 2))
    assert warning.startswith(f"{odd:,} responses came with the finish reason 'paused'")


def test_missing_rows_are_told(prompts: pl.DataFrame, tmp_path: Path) -> None:
    paths = _write(tmp_path, prompts, 2, samples=1)
    with pytest.raises(InputError, match=r"hold 1,792 responses .* instead of 3,584"):
        gather_shards(paths, prompts, tmp_path / "gathered.parquet")


def test_shards_of_two_engines_are_refused(prompts: pl.DataFrame, tmp_path: Path) -> None:
    first = _write(tmp_path / "old", prompts, 2)[0]
    second = _write(tmp_path / "new", prompts, 2, engine_version="2")[1]
    with pytest.raises(InputError, match=r"2-of-2.*drawn with another engine_version than"):
        gather_shards([first, second], prompts, tmp_path / "gathered.parquet")
