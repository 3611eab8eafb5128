"""Jobs of the real engine that are killed and go on."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.inference.stopping import STOPPED
from refusal_parity.tables import Prompts, Responses, read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("kills")]

KILLS = 20


@dataclass(frozen=True)
class Server:
    """The process of `one_job.py`."""

    process: subprocess.Popen[str]

    def start(self, settings: dict[str, Any]) -> int:
        assert self.process.stdin
        print(json.dumps(settings), file=self.process.stdin, flush=True)
        return self._answer()

    def wait(self) -> int:
        return self._answer()

    def _answer(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())


@dataclass(frozen=True)
class Place:
    """A folder in which one job runs, again and again."""

    server: Server
    folder: Path
    root: Path
    prompts: pl.DataFrame

    @property
    def output(self) -> Path:
        return self.folder / "m/responses.parquet"

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def chunks(self) -> list[Path]:
        return sorted(self.folder.glob("m/.responses/*/chunk-*.parquet"))

    def saved(self) -> int:
        return sum(pl.read_parquet(path).height for path in self.chunks())

    def start(self, *, temperature: float = 1.0) -> int:
        (self.folder / "log").unlink(missing_ok=True)
        write_table(self.prompts, Prompts, self.folder / "prompts.parquet")
        return self.server.start(
            {
                "model": {
                    "engine": "vllm",
                    "source": {"path": str(self.root / "data/models/demo-even")},
                    "prompt_mode": "chat",
                },
                "folder": str(self.root / "data/models/demo-even"),
                "samples": 3,
                "prompts": str(self.folder / "prompts.parquet"),
                "output": str(self.output),
                "log": str(self.folder / "log"),
                "sampling": {"max_tokens": 128, "temperature": temperature},
                "chunk_s": 0.25,
            }
        )

    def run(self, *, temperature: float = 1.0) -> str:
        """Run the job to its end; returns its log."""
        self.start(temperature=temperature)
        assert self.server.wait() == 0, self.log()
        return self.log()

    def interrupt(self, signal_number: int, when: Callable[[], bool]) -> int:
        """Run the job, send it a signal at some time, and return its exit status."""
        job = self.start()
        while not when():
            time.sleep(0.002)
            assert "ERROR" not in self.log()
        os.kill(job, signal_number)
        return self.server.wait()

    def drawing(self) -> bool:
        return "starting to draw" in self.log()


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    settings = {"PYTHONPATH": str(root / "workflow/lib"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("one_job.py")), "vllm"],
        env=os.environ | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Server(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="module")
def asked(prompts: pl.DataFrame) -> pl.DataFrame:
    """Prompts of several templates and names: some seconds of drawing."""
    return prompts[::4]


@pytest.fixture(scope="module")
def undisturbed(
    server: Server, asked: pl.DataFrame, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> pl.DataFrame:
    place = Place(server, tmp_path_factory.mktemp("undisturbed"), root, asked)
    place.run()
    assert place.saved() == len(read_table(Responses, place.output))
    return read_table(Responses, place.output)


@pytest.fixture
def place(server: Server, asked: pl.DataFrame, root: Path, tmp_path: Path) -> Place:
    return Place(server, tmp_path, root, asked)


@pytest.fixture
def half(place: Place) -> Place:
    """The same with every other prompt, where a job is killed once."""
    return replace(place, prompts=place.prompts[::2])


@pytest.fixture
def half_undisturbed(half: Place, undisturbed: pl.DataFrame) -> pl.DataFrame:
    asked = pl.col("prompt_id").is_in(half.prompts["prompt_id"].implode())
    return undisturbed.filter(asked)


def _drawn(log: str) -> int:
    found = re.search(r"([\d,]+) responses in \d+ s", log)
    assert found, log
    return int(found[1].replace(",", ""))


def test_killed_at_random_instants(place: Place, undisturbed: pl.DataFrame) -> None:
    chance = random.Random(KILLS)  # noqa: S311 - a test's choice
    saved = 0
    for _ in range(KILLS):
        delay = chance.uniform(0, 0.2 + 4 / KILLS)

        def due(delay: float = delay) -> bool:
            if not place.drawing():
                return False
            time.sleep(delay)
            return True

        assert place.interrupt(signal.SIGKILL, due) == -signal.SIGKILL
        assert not place.output.exists()
        assert f"{saved:,} of {len(undisturbed):,} responses are there already" in place.log()
        assert place.saved() >= saved
        saved = place.saved()
    # What was saved is never drawn again.
    assert _drawn(place.run()) == len(undisturbed) - saved
    assert read_table(Responses, place.output).equals(undisturbed)
    assert place.saved() == len(undisturbed)


def test_sigterm_saves_what_is_finished(half: Place, half_undisturbed: pl.DataFrame) -> None:
    def some() -> bool:
        return len(half.chunks()) > 1

    assert half.interrupt(signal.SIGTERM, some) == STOPPED == 143
    saved = half.saved()
    assert not half.output.exists()
    assert (
        f"stopped by SIGTERM: {saved:,} of {len(half_undisturbed):,}"
        in (half.folder / "log").read_text()
    )
    # A chunk that the disk spoilt is the only thing drawn twice.
    broken = half.chunks()[0]
    lost = pl.read_parquet(broken).height
    broken.write_bytes(broken.read_bytes()[:-40])
    log = half.run()
    assert f"{broken} is truncated or corrupt" in log
    assert _drawn(log) == len(half_undisturbed) - saved + lost
    assert read_table(Responses, half.output).equals(half_undisturbed)


def test_changed_setting_starts_anew(half: Place, half_undisturbed: pl.DataFrame) -> None:
    half.interrupt(signal.SIGKILL, lambda: len(half.chunks()) > 1)
    old = half.chunks()
    log = half.run(temperature=0.7)
    assert "made with other settings before (sampling.temperature)" in log
    assert _drawn(log) == len(half_undisturbed)
    assert set(old) < set(half.chunks())
    cooler = read_table(Responses, half.output)
    assert not cooler["response"].equals(half_undisturbed["response"])
    saved = sum(pl.read_parquet(path).height for path in old)
    assert _drawn(half.run()) == len(half_undisturbed) - saved
    assert read_table(Responses, half.output).equals(half_undisturbed)
