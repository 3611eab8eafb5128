"""Studies that ask at the same time, from one store: nothing twice, whoever is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from one_store import NAMES, is_whole, prompts_with
from server_jobs import job_of

from refusal_parity.tables import (
    Prompts,
    Responses,
    StoredResponses,
    empty,
    read_table,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from failing_server import Server


pytestmark = pytest.mark.usefixtures("key")


class Workers:
    """Jobs of two studies with half their prompts in common, each from a folder of its own."""

    def __init__(self, root: Path, folder: Path, server: Server) -> None:
        self.store = folder / "results/.responses"
        words = [f"w{number}" for number in range(30)]
        self.settings = {}
        for study, some in (("a", words[:20]), ("b", words[10:])):
            (folder / study).mkdir()
            prompts = folder / study / "prompts.parquet"
            write_table(prompts_with(NAMES, tuple(some)), Prompts, prompts)
            self.settings[study] = {
                "model": job_of(server, concurrency=2).model.model_dump(mode="json"),
                "samples": 2,
                "chunk_s": 0.2,
                "prompts": str(prompts),
                "output": str(folder / "results" / study / "responses.parquet"),
                "log": str(folder / study / "log"),
                "store": "../results/.responses",
            }
        self.processes = {
            study: subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("one_job.py"))],
                cwd=folder / study,
                env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for study in self.settings
        }

    def start(self, study: str) -> int:
        stdin = self.processes[study].stdin
        assert stdin
        print(json.dumps(self.settings[study]), file=stdin, flush=True)
        return self.answer(study)

    def answer(self, study: str) -> int:
        stdout = self.processes[study].stdout
        assert stdout
        return int(stdout.readline())

    def log(self, study: str) -> str:
        path = Path(self.settings[study]["log"])
        return path.read_text("utf-8") if path.exists() else ""

    def tables(self) -> list[pl.DataFrame]:
        return [
            read_table(Responses, Path(settings["output"])) for settings in self.settings.values()
        ]

    def close(self) -> None:
        for process in self.processes.values():
            assert process.stdin
            process.stdin.close()
            process.wait()


@pytest.fixture
def workers(root: Path, tmp_path: Path, server: Server) -> Iterator[Workers]:
    made = Workers(root, tmp_path, server)
    yield made
    made.close()


def _check_shared(workers: Workers) -> None:
    """Of 30 templates x 4 names x 2 samples each stands once, and both studies are whole."""
    tables = workers.tables()
    assert all(is_whole(table) and len(table) == 160 for table in tables)
    both = tables[0].join(tables[1], on="response_id", suffix="_b")
    assert len(both) == 80
    assert (both["response"] == both["response_b"]).all()
    stored = pl.concat([pl.read_parquet(path) for path in workers.store.rglob("chunk-*.parquet")])
    assert stored.columns == empty(StoredResponses).columns
    assert (len(stored), stored["response_id"].n_unique()) == (240, 240)
    assert not list(workers.store.rglob("*.claim"))


def test_two_studies_at_once_ask_nothing_twice(workers: Workers, server: Server) -> None:
    for study in "ab":
        workers.start(study)
    assert [workers.answer(study) for study in "ab"] == [0, 0], workers.log("a") + workers.log("b")
    assert server.asked.total() == 240
    _check_shared(workers)
    logs = workers.log("a") + workers.log("b")
    # How many depends on which began first, and by how much.
    assert re.search(r"\d+ responses that another job drew meanwhile are taken over", logs), logs


def test_what_a_killed_study_was_asking_another_one_asks(workers: Workers, server: Server) -> None:
    killed = workers.start("a")
    while not list(workers.store.rglob("chunk-*.parquet")):
        time.sleep(0.01)
    # However slow the machine is, it is still asking when the other one comes, and has no lock.
    os.kill(killed, signal.SIGSTOP)
    while list(workers.store.rglob(".lock")):
        os.kill(killed, signal.SIGCONT)
        time.sleep(0.01)
        os.kill(killed, signal.SIGSTOP)
    workers.start("b")
    while "waiting for" not in workers.log("b") and server.asked.total() < 200:
        time.sleep(0.01)
    os.kill(killed, signal.SIGKILL)
    assert workers.answer("a") == -signal.SIGKILL
    assert workers.answer("b") == 0, workers.log("b")
    workers.start("a")
    assert workers.answer("a") == 0, workers.log("a")
    # What was under way in the job that was killed, or came after its last saving.
    twice = server.asked.total() - 240
    assert twice <= 60
    found = re.search(r"([\d,]+) of 160 responses are there already", workers.log("a"))
    assert found
    assert int(found[1]) >= 80
    _check_shared(workers)
