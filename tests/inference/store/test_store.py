"""What is kept of responses, whatever becomes of files, settings and jobs."""

from __future__ import annotations

import os
import random
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.inference.store.forgetting import forget
from refusal_parity.inference.store.responses import STORE, ResponseStore, Taking, response_ids
from refusal_parity.tables import StoredResponses, conform

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {"engine": "vllm", "sampling": {"temperature": 1.0, "top_p": 1.0}}


def _open(
    folder: Path, settings: dict[str, Any] = SETTINGS, device: str = "cpu", **taking: Any
) -> tuple[ResponseStore, list[str]]:
    said: list[str] = []
    store = ResponseStore(folder, settings, device=device, taking=Taking(**taking), say=said.append)
    return store, said


@pytest.fixture
def stored(rows: pl.DataFrame) -> pl.DataFrame:
    """Six responses as the store has them."""
    return conform(rows, StoredResponses, where="test")


def _found(store: ResponseStore, stored: pl.DataFrame) -> pl.DataFrame:
    return store.find(stored["response_id"]).sort("response_id")


def test_rows_outlive_the_store_that_saved_them(tmp_path: Path, stored: pl.DataFrame) -> None:
    first, _ = _open(tmp_path / "c", device="a GPU")
    assert first.is_empty()
    first.save(stored[:2])
    second, _ = _open(tmp_path / "c", device="another")
    second.save(stored[2:])
    third, said = _open(tmp_path / "c")
    assert _found(third, stored).equals(stored)
    assert third.drawn_on == {"a GPU", "another"}
    assert _found(third, stored[1:3]).equals(stored[1:3])
    assert said == []


def test_only_new_files_are_looked_into(tmp_path: Path, stored: pl.DataFrame) -> None:
    here, _ = _open(tmp_path)
    there, _ = _open(tmp_path)
    there.save(stored[:2])
    assert len(here.find(stored["response_id"])) == 2
    there.save(stored[2:3])
    found = here.find(stored["response_id"], new_only=True)
    assert found["response_id"].to_list() == stored["response_id"].to_list()[2:3]


def test_chunks_of_one_job_become_one_file(tmp_path: Path, stored: pl.DataFrame) -> None:
    reader, _ = _open(tmp_path)
    store, _ = _open(tmp_path)
    for number in range(6):
        store.save(stored[number : number + 1])
    assert len(list(store.folder.glob("chunk-*"))) == 6
    assert len(_found(reader, stored)) == 6
    store.close()
    store.close()
    assert len(list(store.folder.glob("chunk-*"))) == 1
    assert _found(reader, stored).equals(stored)


@pytest.mark.parametrize("seed", range(20))
def test_any_change_of_a_chunk_is_noticed(tmp_path: Path, stored: pl.DataFrame, seed: int) -> None:
    store, _ = _open(tmp_path)
    for part in (stored[:2], stored[2:4], stored[4:]):
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
    assert _found(again, stored).equals(stored[:2].vstack(stored[4:]))
    assert said == [f"{chunk} is truncated or corrupt: its responses are drawn again"]
    assert not chunk.exists()
    again.save(stored[2:4])
    assert _found(again, stored).equals(stored)


@pytest.mark.parametrize("since", [None, datetime(2020, 1, 1, tzinfo=UTC)])
def test_a_copy_under_another_name_is_named_and_set_aside(
    tmp_path: Path, stored: pl.DataFrame, since: datetime | None
) -> None:
    """Programs that keep folders alike on several machines write such copies."""
    store, _ = _open(tmp_path / STORE)
    store.save(stored)
    (chunk,) = store.folder.glob("chunk-*")
    copy = chunk.with_name("chunk-copy (2).parquet")
    copy.write_bytes(chunk.read_bytes())
    again, said = _open(tmp_path / STORE, since=since)
    assert _found(again, stored).equals(stored)
    assert said == [f"{copy} is truncated or corrupt: its responses are drawn again"]
    assert not copy.exists()
    copy.write_bytes(b"PAR1")
    assert forget(tmp_path, 0, remove=False, say=lambda _: None) == len(stored)


def test_half_written_files_of_dead_jobs_are_named_and_of_live_ones_left(
    tmp_path: Path, stored: pl.DataFrame
) -> None:
    store, _ = _open(tmp_path)
    store.save(stored)
    old, young = store.folder / ".chunk-1.0a1b2c3d", store.folder / ".chunk-2.0a1b2c3d"
    for remnant in (old, young):
        remnant.write_bytes(b"PAR1")
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    again, said = _open(tmp_path)
    again.save(stored[:1])
    assert said == [f"{old} was half-written by a job that was killed, and is removed"]
    assert young.exists()
    assert _found(again, stored).equals(stored)


def test_other_settings_never_mix_and_are_named(tmp_path: Path, stored: pl.DataFrame) -> None:
    table = tmp_path / "study/responses.parquet"
    before, _ = _open(tmp_path)
    before.save(stored)
    before.note_use(table)
    other = {"engine": "vllm", "sampling": {"temperature": 0.5, "top_p": 1.0}, "stop": ["x"]}
    now, _ = _open(tmp_path, other)
    assert len(_found(now, stored)) == 0
    assert now.former_use(table) == (before.folder, ["sampling.temperature", "stop"])
    assert now.former_use(tmp_path / "another/responses.parquet") is None
    now.note_use(table)
    assert now.former_use(table) is None
    back, _ = _open(tmp_path)
    assert _found(back, stored).equals(stored)


def test_answers_of_servers_grow_old(tmp_path: Path, stored: pl.DataFrame) -> None:
    now = datetime.now(tz=UTC)
    ages = [0, 0.001, 6.9, 7.1, 30, None]
    times = [None if age is None else now - timedelta(days=age) for age in ages]
    store, _ = _open(tmp_path)
    store.save(stored.with_columns(answered_at=pl.Series(times, dtype=pl.Datetime("ms", "UTC"))))
    for within, kept in ((7, [0, 1, 2, 5]), (0, [0, 1, 5]), (40, [0, 1, 2, 3, 4, 5])):
        if within == 0 and now.hour == 0 and now.minute < 2:
            continue
        look, _ = _open(tmp_path, within=timedelta(days=within))
        assert _found(look, stored)["seed"].to_list() == kept
        assert look.expired == 6 - len(kept)


def test_what_is_wanted_anew_is_not_taken_over_but_once_drawn_it_is(
    tmp_path: Path, stored: pl.DataFrame
) -> None:
    before, _ = _open(tmp_path)
    before._begun -= timedelta(hours=1)  # noqa: SLF001 - an older job
    before.save(stored)
    since = datetime.now(tz=UTC)
    first, _ = _open(tmp_path, since=since)
    assert len(_found(first, stored)) == 0
    anew = stored.with_columns(response=pl.lit("anew"))
    first.save(anew[:3])
    again, _ = _open(tmp_path, since=since)
    assert _found(again, stored).equals(anew[:3])
    # Of two the newer one counts, once.
    any_, _ = _open(tmp_path)
    assert _found(any_, stored)["response"].to_list() == [
        *["anew"] * 3, *stored["response"].to_list()[3:]
    ]  # fmt: skip


def test_keys_hang_on_what_is_sent_and_how() -> None:
    plan = pl.DataFrame({"sent": ["a", "a", "b"], "number": [0, 1, 0], "seed": [5, 6, 7]})
    keys = response_ids(plan, SETTINGS)
    assert keys.n_unique() == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    assert response_ids(plan[::-1], SETTINGS)[::-1].equals(keys)
    changed = [
        response_ids(plan, SETTINGS | {"stop": ["x"]}),
        response_ids(plan.with_columns(seed=pl.col("seed") + 1), SETTINGS),
        response_ids(plan.with_columns(number=pl.col("number") + 1), SETTINGS),
    ]
    assert all(set(other).isdisjoint(keys) for other in changed[:2])
    assert changed[2][0] != keys[0]
