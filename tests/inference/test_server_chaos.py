"""A server that picks among all kinds of answers, and jobs that are killed and go on."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.expansion import expand
from refusal_parity.inference.stopping import STOPPED
from refusal_parity.tables import Prompts, Responses, read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("openai")

CONCURRENCY = 16
PROMPTS = 100
SAMPLES = 8
TRICKLES = 4
LONGEST_S = 120
USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


def _body(content: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": USAGE} | more


def _filtered(_: str) -> dict[str, Any]:
    return {"error": {"code": "content_filter", "message": "no"}}


# Status of the row, HTTP status and body; a row without a status is to be asked once more.
KINDS: list[tuple[str | None, int, Callable[[str], Any]]] = [
    ("ok", 200, _body),
    ("ok", 200, lambda text: _body([{"type": "text", "text": text}])),
    ("ok", 200, lambda text: _body([{"type": "thinking", "thinking": "m"}, _text(text)])),
    ("ok", 200, lambda text: _body(text, "MAX_TOKENS")),
    ("ok", 200, lambda text: _body(text, None, usage=None)),
    ("ok", 200, lambda text: _body(text, "novel", usage={"prompt_tokens": 10**12})),
    ("ok", 200, lambda text: _body(text, usage=["x"])),
    ("empty", 200, lambda _: _body(None)),
    ("filtered", 200, lambda _: _body("", "SAFETY")),
    ("filtered", 400, _filtered),
    ("filtered", 200, _filtered),
    ("error", 200, lambda _: _body(12)),
    ("error", 200, lambda _: _body("x", {"why": "stop"})),
    ("error", 200, lambda _: [1]),
    ("error", 200, lambda _: "<!doctype html>"[::-1]),
    ("error", 200, lambda _: {"choices": None}),
    ("error", 400, lambda _: {"error": {"message": "this prompt is too long"}}),
    ("ok", 200, lambda text: _body([{"type": "output_text", "text": text}, _text("")])),
    ("ok", 200, lambda text: {**_body(text), "usage": {"prompt_tokens": "many"}}),
    ("ok", 200, lambda text: "\ufeff" + json.dumps(_body(text))),
    ("error", 200, lambda _: _body({"a": [1]})),
    ("error", 200, lambda _: {"choices": [{"message": None, "finish_reason": "stop"}]}),
    ("error", 200, lambda _: {"choices": [None]}),
    ("error", 200, lambda _: '"hello"'),
    ("error", 200, lambda _: "[" * 100_000 + "]" * 100_000),
    ("error", 200, lambda _: _body("x" * 2_000_000)),
    ("error", 403, lambda _: {"error": {"message": "\x1b[2J not this one"}}),
    (None, 1, lambda _: None),
    (None, 429, lambda _: {"error": {"message": "slow down"}}),
    (None, 503, lambda _: "<html>Bad gateway</html>"),
    (None, 200, lambda _: {"error": {"code": 429, "message": "slow down"}}),
    (None, 200, lambda _: _body("x", "error")),
    (None, 0, lambda _: None),
]


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


class Chaos(ThreadingHTTPServer):
    """Remembers what it was asked, and what the last word on each row was."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.asked: Counter[tuple[str, int]] = Counter()
        self.said: dict[tuple[str, int], tuple[str, str]] = {}
        self.well = False
        self.trickled = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client was killed."""

    def kind_of(self, key: tuple[str, int]) -> tuple[str | None, int, Callable[[str], Any]]:
        """Hangs on the request and on how often it came, and on nothing else."""
        if self.well:
            return KINDS[0]
        digest = hashlib.sha256(f"{key} {self.asked[key]}".encode()).digest()
        kind = KINDS[int.from_bytes(digest[:4]) % len(KINDS)]
        if kind[1] == 1:
            # Each takes the whole of its time.
            self.trickled += 1
            return kind if self.trickled <= TRICKLES else KINDS[0]
        return kind


class Handler(BaseHTTPRequestHandler):
    server: Chaos

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = (body["messages"][-1]["content"], body["seed"])
        with self.server.lock:
            status, code, answer = self.server.kind_of(key)
            self.server.asked[key] += 1
        time.sleep(0.005)
        if code in (0, 1):
            self.close_connection = True
            if code:
                self._trickle()
            return
        text = f"{key[0]} {key[1]}"
        said = answer(text)
        data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(code)
        self.send_header("retry-after-ms", "5")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        if status is not None:
            with self.server.lock:
                self.server.said[key] = (status, text)

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            time.sleep(0.1)


class Jobs:
    """The process of `one_job.py`, and the place in which its jobs work."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, port: int) -> None:
        self.process = process
        self.output = folder / "m/responses.parquet"
        self.log = folder / "log"
        self.settings = {
            "model": {
                "engine": "openai",
                "base_url": f"http://127.0.0.1:{port}/v1",
                "model": "m",
                "concurrency": CONCURRENCY,
                "retries": 50,
                "timeout_s": 5,
            },
            "samples": SAMPLES,
            "chunk_s": 0.1,
            "prompts": str(folder / "prompts.parquet"),
            "output": str(self.output),
            "log": str(self.log),
        }

    def start(self, *, again: bool = False) -> int:
        assert self.process.stdin
        print(json.dumps(self.settings | {"again": again}), file=self.process.stdin, flush=True)
        return self.wait()

    def wait(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def saved(self) -> set[int]:
        """Seeds of the responses that are in the store."""
        chunks = self.output.parent.glob(".responses/*/chunk-*.parquet")
        return {seed for chunk in chunks for seed in pl.read_parquet(chunk)["seed"]}


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with Chaos() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def jobs(chaos: Chaos, tmp_path: Path, root: Path) -> Iterator[Jobs]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("one_job.py"))],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Jobs(process, tmp_path, chaos.server_port)
        assert process.stdin
        process.stdin.close()


def test_there_are_thirty_kinds() -> None:
    assert len(KINDS) >= 30


def test_nothing_that_was_answered_is_lost(chaos: Chaos, jobs: Jobs) -> None:
    templates = pl.DataFrame(
        {
            "template_id": [f"t{number}" for number in range(PROMPTS)],
            "family": "f",
            "template": [f"{number} [NAME]" for number in range(PROMPTS)],
        }
    )
    names = pl.DataFrame(
        {"name_id": ["a"], "name": ["Ana"], "group": ["x"], "gender": "w", "commonness": "c"}
    )
    prompts = expand(templates, names, {"plain": None})
    write_table(prompts, Prompts, Path(jobs.settings["prompts"]))

    def asked() -> set[int]:
        return {seed for _, seed in chaos.asked}

    saved: set[int] = set()
    for kill in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        chaos.asked.clear()
        chaos.said.clear()
        job = jobs.start()
        until = time.monotonic() + LONGEST_S
        while len(chaos.said) < 120 or not jobs.saved() > saved:
            time.sleep(0.02)
            assert time.monotonic() < until, jobs.log.read_text("utf-8")
        os.kill(job, kill)
        assert jobs.wait() == (STOPPED if kill == signal.SIGTERM else -kill)
        # What was saved by any job before is never asked again.
        assert not asked() & saved
        now = jobs.saved()
        if kill == signal.SIGTERM:
            told = {seed for (_, seed), said in chaos.said.items() if said[0] != "error"}
            assert len(told - now) <= CONCURRENCY
        saved = now
        assert not jobs.output.exists()
    chaos.asked.clear()
    jobs.start()
    assert jobs.wait() == 0, jobs.log.read_text("utf-8")
    assert not asked() & saved
    rows = read_table(Responses, jobs.output)
    assert len(rows) == PROMPTS * SAMPLES
    fresh = rows.join(prompts, on="prompt_id").filter(~pl.col("seed").is_in(saved))
    for row in fresh.iter_rows(named=True):
        status, text = chaos.said[row["prompt"], row["seed"]]
        assert row["status"] == status
        if status == "ok":
            assert row["response"] == text
    assert set(rows["status"]) == {"ok", "empty", "filtered", "error"}
    assert "\x1b" not in jobs.log.read_text("utf-8")

    failed = set(rows.filter(pl.col("status") == "error")["seed"])
    chaos.well = True
    chaos.asked.clear()
    jobs.start(again=True)
    assert jobs.wait() == 0, jobs.log.read_text("utf-8")
    assert asked() == failed
    assert set(chaos.asked.values()) == {1}
    mended = read_table(Responses, jobs.output)
    assert set(mended["status"]) == {"ok", "empty", "filtered"}
    assert mended.filter(rows["status"] != "error").equals(rows.filter(pl.col("status") != "error"))
