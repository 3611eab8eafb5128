from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.inference.chunks import ChunkStore

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

SETTINGS: dict[str, Any] = {"engine": "vllm", "sampling": {"temperature": 1.0, "top_p": 1.0}}


def _open(
    folder: Path, settings: dict[str, Any] = SETTINGS, device: str = "cpu"
) -> tuple[ChunkStore, list[str]]:
    said: list[str] = []
    return ChunkStore(folder, settings, device=device, say=said.append), said


def test_rows_outlive_the_store_that_saved_them(tmp_path: Path, rows: pl.DataFrame) -> None:
    first, _ = _open(tmp_path / "c", device="a GPU")
    first.save(rows[:2])
    second, said = _open(tmp_path / "c", device="another")
    second.save(rows[2:])
    third, _ = _open(tmp_path / "c")
    assert third.read().equals(rows)
    assert third.devices() == ["a GPU", "another"]
    assert said == []
    third.remove()
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("seed", range(20))
def test_any_change_of_a_chunk_is_noticed(tmp_path: Path, rows: pl.DataFrame, seed: int) -> None:
    store, _ = _open(tmp_path)
    for part in (rows[:2], rows[2:4], rows[4:]):
        store.save(part)
    chunk = sorted(store.folder.glob("chunk-*"))[1]
    content = bytearray(chunk.read_bytes())
    chance = random.Random(seed)  # noqa: S311 - a test's choice
    if seed % 2:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    else:
        del content[chance.randrange(len(content)) :]
    chunk.write_bytes(content)
    again, said = _open(tmp_path)
    assert again.read().equals(rows[:2].vstack(rows[4:]))
    assert said == [f"{chunk} is truncated or corrupt: its responses are drawn again"]
    assert not chunk.exists()
    again.save(rows[2:4])
    assert again.read().sort("seed").equals(rows)


def test_half_written_chunks_are_swept_away(tmp_path: Path, rows: pl.DataFrame) -> None:
    store, _ = _open(tmp_path)
    store.save(rows)
    (store.folder / ".part").write_bytes(b"PAR1")
    (store.folder / "..part.0a1b2c3d").write_bytes(b"PAR1")
    again, _ = _open(tmp_path)
    assert again.read().equals(rows)
    assert sorted(path.name[:5] for path in again.folder.iterdir()) == ["chunk", "setti"]


def test_other_settings_never_mix(tmp_path: Path, rows: pl.DataFrame) -> None:
    before, _ = _open(tmp_path)
    before.save(rows)
    other = {"engine": "vllm", "sampling": {"temperature": 0.5, "top_p": 1.0}, "stop": ["x"]}
    now, said = _open(tmp_path, other)
    assert len(now.read()) == 0
    (line,) = said
    assert line.startswith(
        f"{before.folder} holds responses drawn with other settings (sampling.temperature, stop): "
    )
    now.save(rows[:1])
    now.remove()
    back, said = _open(tmp_path)
    assert back.read().equals(rows)
    assert said == []
