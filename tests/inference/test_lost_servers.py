"""Servers that fail for good, go away, come back or were never there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import polars as pl
import pytest
from failing_server import serving
from server_jobs import job_of, prompts_of

from refusal_parity.errors import InputError
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("key")


def test_what_a_failing_server_answered_is_kept(tmp_path: Path) -> None:
    prompts = prompts_of(*(f"w{number}" for number in range(40)))
    with serving() as whole:
        undisturbed = tmp_path / "whole/responses.parquet"
        run_job(job_of(whole, samples=2), prompts, undisturbed, say=lambda _: None)
    with serving() as server:
        job = job_of(server, samples=2, retries=0)
        output = tmp_path / "m/responses.parquet"
        server.down_after = 30
        with pytest.raises(InputError, match=r"models.m: \d+ requests in a row failed, the last"):
            run_job(job, prompts, output, say=lambda _: None)
        answered = sum(pl.read_parquet(p).height for p in output.parent.rglob("chunk-*.parquet"))
        assert answered == 30
        server.down_after = 10**9
        said: list[str] = []
        run_job(job, prompts, output, say=said.append)
        assert said[1] == "starting to draw: 30 of 80 responses are there already"
    first, second = (read_table(Responses, path) for path in (undisturbed, output))
    assert second.drop("answered_at").equals(first.drop("answered_at"))
    assert second["answered_at"].null_count() == 0


def test_a_wrong_port_ends_soon(tmp_path: Path) -> None:
    with serving() as gone:
        job = job_of(gone)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"cannot be reached .*Check base_url"):
        run_job(job, prompts_of("well"), tmp_path / "r.parquet", say=lambda _: None)
    assert time.monotonic() - began < 10


def test_a_server_that_goes_and_comes_back(tmp_path: Path) -> None:
    prompts = prompts_of(*(f"w{number}" for number in range(100)))
    said: list[tuple[float, str]] = []
    with serving() as server:
        server.leaves_after = 20
        job = job_of(server, concurrency=2)
        done = threading.Event()

        def come_back() -> None:
            server.left.wait(60)
            time.sleep(4)
            with serving(server.server_port):
                done.wait(60)

        threading.Thread(target=come_back).start()
        output = tmp_path / "m/r.parquet"
        run_job(job, prompts, output, say=lambda line: said.append((time.monotonic(), line)))
        done.set()
    gone, again = [(at, line) for at, line in said if "answer" in line][:2]
    assert "no answer for" in gone[1]
    assert gone[0] - server.left_at < 5
    assert "the server answers again" in again[1]
    rows = read_table(Responses, output)
    assert (len(rows), rows["status"].unique().to_list()) == (100, ["ok"])


def test_a_server_that_stays_away(tmp_path: Path) -> None:
    prompts = prompts_of(*(f"w{number}" for number in range(100)))
    with serving() as server:
        server.leaves_after = 20
        job = job_of(server, concurrency=2, patience_s=1.0)
        with pytest.raises(InputError, match=r"cannot be reached .*what it answered is kept"):
            run_job(job, prompts, tmp_path / "m/r.parquet", say=lambda _: None)
    saved = sum(pl.read_parquet(path).height for path in tmp_path.rglob("chunk-*.parquet"))
    assert 10 < saved <= server.asked.total()
