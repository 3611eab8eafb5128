"""What is in the store is never asked for again: by any study, after any change."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from server_jobs import job_of, prompts_of

from refusal_parity.config import SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.running import run_job
from refusal_parity.tables import (
    Prompts,
    Responses,
    StoredResponses,
    empty,
    read_metadata,
    read_table,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from failing_server import Server

    from refusal_parity.config import OpenAIModel

pytestmark = pytest.mark.usefixtures("key")

NAMES = ("Ana", "Bo", "Cy", "Di")


def _prompts(
    names: tuple[str, ...], templates: tuple[str, ...], **arms: str | None
) -> pl.DataFrame:
    return expand(
        pl.DataFrame(
            {
                "template_id": [f"t-{text}" for text in templates],
                "family": "f",
                "template": [f"{text} [NAME]" for text in templates],
            }
        ),
        pl.DataFrame(
            {
                "name_id": [f"n-{name}" for name in names],
                "name": names,
                "group": "x",
                "gender": "w",
                "commonness": "c",
            }
        ),
        arms or {"plain": None},
    )


class Place:
    """A results folder with one store, and a server that counts."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.said: list[str] = []

    def run(
        self, prompts: pl.DataFrame, study: str = "s", key: str = "m", **changes: Any
    ) -> tuple[int, pl.DataFrame]:
        """Run a job; how many requests it took, and its table."""
        job = replace(job_of(self.server), key=key, store=self.folder / ".responses", **changes)
        before = self.server.asked.total()
        self.said.clear()
        output = self.folder / study / key / "responses.parquet"
        run_job(job, prompts, output, say=self.said.append)
        return self.server.asked.total() - before, read_table(Responses, output)


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Place:
    return Place(server, tmp_path)


def _whole(table: pl.DataFrame) -> bool:
    return len(table) > 0 and set(table["status"]) == {"ok"}


def test_only_what_is_new_is_asked(place: Place) -> None:
    first = _prompts(NAMES, ("buys", "eats"))
    asked, table = place.run(first, samples=2)
    assert (asked, len(table)) == (16, 16)
    steps: list[tuple[str, pl.DataFrame, dict[str, Any], int]] = [
        ("the same again", first, {"samples": 2}, 0),
        ("two names more", _prompts((*NAMES, "Ed", "Fi"), ("buys", "eats")), {"samples": 2}, 8),
        ("a template more", _prompts(NAMES, ("buys", "eats", "sees")), {"samples": 2}, 8),
        ("a template less", _prompts(NAMES, ("eats",)), {"samples": 2}, 0),
        ("it comes back", first, {"samples": 2}, 0),
        ("a name changed", _prompts(("Ana", "Bo", "Cy", "Dee"), ("buys",)), {"samples": 2}, 2),
        ("an arm more", _prompts(NAMES, ("buys",), a=None, b="Be kind."), {"samples": 2}, 8),
        ("arms renamed", _prompts(NAMES, ("buys",), c="Be kind.", d=None), {"samples": 2}, 0),
        ("a sample more", first, {"samples": 3}, 8),
        ("a sample less", first, {"samples": 1}, 0),
        ("the model renamed", first, {"samples": 3, "key": "other"}, 0),
        ("another study", first, {"samples": 2, "study": "t"}, 0),
        ("other order", first.reverse(), {"samples": 2}, 0),
    ]
    for what, prompts, changes, new in steps:
        asked, table = place.run(prompts, **changes)
        assert asked == new, what
        assert _whole(table), what
        total = len(prompts) * changes["samples"]
        assert len(table) == total, what
        line = f"starting to draw: {total - new:,} of {total:,} responses are there already"
        assert line in place.said, what
    _, again = place.run(first, samples=2)
    texts = dict(again.select("response_id", "response").iter_rows())
    _, whole = place.run(first, samples=3)
    assert texts.items() <= dict(whole.select("response_id", "response").iter_rows()).items()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sampling": SamplingConfig(temperature=0.5)}, "sampling.temperature"),
        ({"sampling": SamplingConfig(max_tokens=5)}, "sampling.max_tokens"),
        ({"schema": {"type": "object"}}, "schema"),
    ],
)
def test_a_changed_setting_never_mixes_and_is_named(
    place: Place, changes: dict[str, Any], named: str
) -> None:
    prompts = _prompts(NAMES, ("buys",))
    _, before = place.run(prompts, samples=1)
    asked, now = place.run(prompts, samples=1, **changes)
    assert asked == len(prompts)
    assert set(now["response_id"]).isdisjoint(before["response_id"])
    assert any(f"other settings before ({named})" in line for line in place.said), place.said
    asked, back = place.run(prompts, samples=1)
    assert (asked, back.equals(before)) == (0, True)


def test_another_seed_draws_anew_and_a_machines_other_name_does_not(place: Place) -> None:
    prompts = _prompts(NAMES, ("buys",))
    _, before = place.run(prompts, samples=1)
    asked, _ = place.run(prompts, samples=1, sampling=SamplingConfig(seed=2))
    assert asked == len(prompts)
    model = job_of(place.server).model
    named = model.model_copy(
        update={"base_url": model.base_url.replace("127.0.0.1", "localhost"), "retries": 1}
    )
    asked, now = place.run(prompts, samples=1, model=named)
    assert (asked, now.equals(before)) == (0, True)
    other = model.model_copy(update={"model": "another"})
    asked, _ = place.run(prompts, samples=1, model=other)
    assert asked == len(prompts)


def test_a_service_of_another_name_is_another_one(place: Place) -> None:
    """The machine's name is none: who shares model and path with another says who it is."""
    prompts = _prompts(NAMES, ("buys",))
    place.run(prompts, samples=1)
    model = job_of(place.server).model
    localhost = model.base_url.replace("127.0.0.1", "localhost")
    moved = model.model_copy(update={"base_url": localhost})
    asked, _ = place.run(prompts, samples=1, model=moved)
    assert asked == 0
    port = localhost.rpartition(":")[2].partition("/")[0]
    told = f"answers of server 127.0.0.1:{port} are among them; this is server localhost:{port}."
    assert [line for line in place.said if line.startswith(told)]
    second = model.model_copy(update={"base_url": localhost, "service": "second"})
    asked, table = place.run(prompts, samples=1, model=second)
    assert asked == len(prompts)
    assert any("other settings before (service)" in line for line in place.said)
    assert not [line for line in place.said if "are among them" in line]
    again, same = place.run(prompts, samples=1, model=second.model_copy(update=_at(model)))
    assert (again, same.equals(table)) == (0, True)


def _at(model: OpenAIModel) -> dict[str, Any]:
    return {"base_url": model.base_url}


def test_each_row_says_when_and_by_what_it_was_answered(place: Place) -> None:
    _, table = place.run(_prompts(NAMES, ("buys", "named")), samples=1)
    assert table["answered_at"].null_count() == 0
    named = table.filter(pl.col("answered_by").is_not_null())
    assert len(named) == len(NAMES)
    assert set(named.select("answered_by", "fingerprint").iter_rows()) == {
        ("told-2026-11-01", "fp_4242")
    }
    said = read_metadata(place.folder / "s/m/responses.parquet")["answered"]
    days = table["answered_at"].dt.date().unique().sort()
    assert list(said) == [str(day) for day in days]
    if len(days) == 1:
        assert said[str(days[0])] == (
            "4 by a model that the answers do not name; 4 by told-2026-11-01 (fp_4242)"
        )


def test_prompts_that_send_the_same_are_drawn_one_by_one(place: Place) -> None:
    prompts = _prompts(NAMES[:2], ("buys",))
    twice = pl.concat([prompts, prompts.with_columns(prompt_id=pl.col("prompt_id") + "x")])
    asked, table = place.run(twice, samples=2)
    assert (asked, table["seed"].n_unique()) == (8, 8)
    asked, _ = place.run(prompts, samples=2)
    assert asked == 0


def test_what_was_answered_before_a_failure_is_not_asked_again(place: Place) -> None:
    prompts = prompts_of(*(f"w{number}" for number in range(40)))
    place.server.down_after = 25
    with pytest.raises(InputError, match="in a row failed"):
        place.run(prompts, samples=1, model=_impatient(place.server))
    place.server.down_after = 10**9
    asked, table = place.run(prompts, samples=1)
    assert _whole(table)
    assert asked == 40 - 25


def _impatient(server: Server) -> OpenAIModel:
    return job_of(server).model.model_copy(update={"retries": 0, "concurrency": 1})


class Workers:
    """Jobs of two studies with half their prompts in common, each from a folder of its own."""

    def __init__(self, root: Path, folder: Path, server: Server) -> None:
        self.store = folder / "results/.responses"
        words = [f"w{number}" for number in range(30)]
        self.settings = {}
        for study, some in (("a", words[:20]), ("b", words[10:])):
            (folder / study).mkdir()
            prompts = folder / study / "prompts.parquet"
            write_table(_prompts(NAMES, tuple(some)), Prompts, prompts)
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
    assert all(_whole(table) and len(table) == 160 for table in tables)
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


def test_a_table_taken_over_says_how_it_was_drawn(place: Place) -> None:
    prompts = _prompts(NAMES, ("buys",))
    place.run(prompts, samples=1)
    place.run(prompts, samples=1, study="t")
    first, second = (
        read_metadata(place.folder / study / "m/responses.parquet") for study in ("s", "t")
    )
    assert first == second
    assert first["device"].startswith("server 127.0.0.1:")
