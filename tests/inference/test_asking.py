"""Against a real HTTP server, which fails in the ways that servers fail."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.asking import ServerJob, ask_server
from refusal_parity.tables import Responses, read_metadata, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("openai")

KEY = "sk-very-secret-4242"


class Server(ThreadingHTTPServer):
    """Says what it was asked; misbehaves where the prompt's name says so."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.down_after = 10**9

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client hung up, as it should after its timeout."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"]
        way = prompt.split()[0]
        with server.lock:
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            server.asked[prompt] += 1
            first = server.asked[prompt] == 1
            down = server.asked.total() > server.down_after
        try:
            time.sleep(0.01)
            self._misbehave("down" if down else way, body, first=first)
        finally:
            with server.lock:
                server.at_once -= 1

    def _misbehave(self, way: str, body: dict[str, Any], *, first: bool) -> None:
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._send(401, {"error": {"message": f"wrong: {self.headers['Authorization']}"}})
        elif way == "down" or (way in {"429", "500", "503"} and first):
            self._send(500 if way == "down" else int(way), {"error": {"message": "later"}})
        elif way == "refused":
            self._send(400, {"error": {"message": f"too long, {KEY}"}})
        elif way == "garbled":
            self._send(200, b'{"choices": [')
        elif way == "choiceless":
            self._send(200, {"choices": [], "object": "chat.completion"})
        elif way == "cut" and first:
            self.close_connection = True
        else:
            if way == "slow" and first:
                time.sleep(4)
            text = "" if way == "silent" else f" said {body['seed']} "
            message = {"role": "assistant", "content": text}
            reason = "length" if way == "long" else "stop"
            usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            self._send(200, {"choices": [choice], "usage": usage, "object": "chat.completion"})

    def _send(self, status: int, content: dict[str, Any] | bytes) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("retry-after-ms", "20")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def _serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server() -> Iterator[Server]:
    with _serving() as serving:
        yield serving


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


def _prompts(*ways: str) -> pl.DataFrame:
    templates = pl.DataFrame(
        {"template_id": ways, "family": "f", "template": [f"{way} [NAME]" for way in ways]}
    )
    names = pl.DataFrame(
        {"name_id": ["a"], "name": ["Ana"], "group": ["x"], "gender": "w", "commonness": "c"}
    )
    return expand(templates, names, {"plain": None})


def _job(server: Server, *, samples: int = 1, **changes: Any) -> ServerJob:
    settings = {
        "base_url": f"http://127.0.0.1:{server.server_port}/v1",
        "model": "told",
        "api_key_env": "TEST_KEY",
        "timeout_s": 30,
        "retries": 3,
        "prompt_price": 1.0,
        "response_price": 5.0,
    }
    model = OpenAIModel(engine="openai", **settings | changes)
    return ServerJob(key="m", model=model, samples=samples, sampling=SamplingConfig())


def test_every_way_of_failing(server: Server, tmp_path: Path) -> None:
    passing = ("429", "500", "503", "cut", "slow")
    lasting = ("refused", "garbled", "choiceless")
    prompts = _prompts("well", *passing, *lasting, "silent", "long")
    said: list[str] = []
    output = tmp_path / "m/responses.parquet"
    ask_server(_job(server, timeout_s=1.5), prompts, output, say=said.append)
    rows = read_table(Responses, output).join(prompts, on="prompt_id")
    status = dict(rows.select("template_id", "status").iter_rows())
    assert status == {
        "well": "ok",
        **dict.fromkeys(passing, "ok"),
        **dict.fromkeys(lasting, "error"),
        "silent": "empty",
        "long": "ok",
    }
    assert rows.filter("truncated")["template_id"].to_list() == ["long"]
    assert all(server.asked[f"{way} Ana"] > 1 for way in passing)
    assert server.asked["refused Ana"] == 1
    well = rows.row(by_predicate=pl.col("template_id") == "well", named=True)
    assert (well["response"], well["prompt_tokens"], well["response_tokens"], well["cost"]) == (
        f"said {well['seed']}",
        10,
        4,
        3e-05,
    )
    assert rows.filter(pl.col("status") == "error")["cost"].null_count() == len(lasting)
    errors = rows.filter(pl.col("status") == "error")["error"].to_list()
    assert any("too long, ***" in error for error in errors)
    assert read_metadata(output)["usage"] == {
        "prompt_tokens": 80,
        "response_tokens": 32,
        "cost": 0.00024,
    }
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file())
    assert KEY.encode() not in written
    assert KEY not in str(said) + str(rows.to_dicts())


def test_never_more_requests_at_once_than_asked_for(server: Server, tmp_path: Path) -> None:
    prompts = _prompts(*(f"w{number}" for number in range(40)))
    job = _job(server, concurrency=3)
    ask_server(job, prompts, tmp_path / "r.parquet", say=lambda _: None)
    assert server.most_at_once == 3


def test_what_a_failing_server_answered_is_kept(tmp_path: Path) -> None:
    prompts = _prompts(*(f"w{number}" for number in range(40)))
    with _serving() as whole:
        undisturbed = tmp_path / "undisturbed.parquet"
        ask_server(_job(whole, samples=2), prompts, undisturbed, say=lambda _: None)
    with _serving() as server:
        job = _job(server, samples=2, retries=0)
        output = tmp_path / "m/responses.parquet"
        server.down_after = 30
        with pytest.raises(InputError, match=r"models.m: \d+ requests in a row failed, the last"):
            ask_server(job, prompts, output, say=lambda _: None)
        answered = sum(pl.read_parquet(p).height for p in tmp_path.rglob("chunk-*.parquet"))
        assert answered == 30
        server.down_after = 10**9
        said: list[str] = []
        ask_server(job, prompts, output, say=said.append)
        assert said[0] == "starting to draw: 30 of 80 responses are there already"
    assert read_table(Responses, output).equals(read_table(Responses, undisturbed))


def test_a_setting_that_cannot_be_sent(server: Server, tmp_path: Path) -> None:
    job = replace(_job(server), sampling=SamplingConfig(top_k=5))
    with pytest.raises(InputError, match="OpenAI's protocol has no top_k"):
        ask_server(job, _prompts("well"), tmp_path / "r.parquet", say=lambda _: None)


def test_wrong_key_stops_the_job_and_is_not_shown(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-other-secret")
    with pytest.raises(InputError, match=r"the server refuses .*status 401") as raised:
        ask_server(_job(server), _prompts("well"), tmp_path / "r.parquet", say=lambda _: None)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(InputError, match="TEST_KEY is not set"):
        ask_server(_job(server), _prompts("well"), tmp_path / "r.parquet", say=lambda _: None)
