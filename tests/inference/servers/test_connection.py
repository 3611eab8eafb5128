"""What leaves for a server, and what a hostile one can do."""

from __future__ import annotations

import gzip
import json
import re
import resource
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from server_jobs import prompts_of

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.servers.connection import about_connection, most_bytes
from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = json.dumps(
    {"choices": [{"message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}]}
).encode()
MEGABYTE = b"x" * 1024**2
ELSEWHERE = {
    "moved": "http://127.0.0.1:{port}/elsewhere",
    "lured": "http://localhost:{port}/elsewhere",
    "mislaid": "http://[::1/v1",
    "circling": "/v1/chat/completions",
    "renamed": "/elsewhere/",
}
PACKED = gzip.compress(GOOD + b" " * 10**7)


class Hostile(BaseHTTPRequestHandler):
    """Does what the first word of the prompt says, and remembers all headers."""

    protocol_version = "HTTP/1.1"
    headers_seen: list[dict[str, str]]
    gone_to: list[str]

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.headers_seen.append({key.lower(): value for key, value in self.headers.items()})
        way = body["messages"][-1]["content"].split()[0]
        port = self.server.server_address[1]
        if self.path.startswith("/elsewhere"):
            self.gone_to.append(self.path)
            self._send(200, GOOD)
        elif way in ELSEWHERE:
            status = 301 if way == "renamed" else 307
            self._send(status, b"", location=ELSEWHERE[way].format(port=port))
        elif way == "trickling":
            self._trickle()
        elif way == "giant":
            self._giant()
        elif way == "packed":
            self._send(200, PACKED, **{"content-encoding": "gzip"})
        elif way == "deep":
            self._send(400, b"[" * 150_000 + b"]" * 150_000)
        elif way == "strange":
            self._send(400, b"no", **{"content-type": "text/plain; charset=rot13"})
        else:
            self._send(200, GOOD)

    def _send(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            time.sleep(0.1)

    def _giant(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(400 * len(MEGABYTE)))
        self.end_headers()
        for _ in range(400):
            self.wfile.write(MEGABYTE)


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client hung up."""


@pytest.fixture
def hostile() -> Iterator[tuple[str, type[Hostile]]]:
    handler = type("Noting", (Hostile,), {"headers_seen": [], "gone_to": []})
    with Quiet(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", handler
        server.shutdown()


def _ask(address: str, output: Path, *ways: str, **changes: Any) -> dict[str, tuple[str, str]]:
    settings = {"base_url": address, "model": "m", "timeout_s": 3, "retries": 0} | changes
    model = OpenAIModel(engine="openai", **settings)
    prompts = prompts_of(*ways)
    job = InferenceJob(key="m", model=model, samples=1, sampling=SamplingConfig(max_tokens=128))
    run_job(job, prompts, output, say=lambda _: None)
    rows = read_table(Responses, output).join(prompts, on="prompt_id")
    found = rows.select("template_id", "status", "error").rows()
    return {way: (status, error) for way, status, error in found}


def test_no_answer_takes_others_along_nor_time_nor_memory(
    tmp_path: Path, hostile: tuple[str, type[Hostile]]
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    ways = (
        "well",
        "trickling",
        "giant",
        "packed",
        "deep",
        "strange",
        "moved",
        "fine",
        "mislaid",
        "circling",
    )
    found = _ask(hostile[0], tmp_path / "r.parquet", *ways)
    assert time.monotonic() - began < 30
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 300
    ok = {way for way, (status, _) in found.items() if status == "ok"}
    assert ok == {"well", "moved", "fine"}
    errors = {way: error for way, (_, error) in found.items() if error is not None}
    assert errors["trickling"] == "no whole answer within timeout_s (3 s)"
    assert re.match(r"the answer is longer than [\d,]+ bytes", errors["giant"])
    assert errors["packed"] == "the answer is compressed, which was not asked for"
    assert errors["deep"].startswith("status 400")
    assert errors["strange"] == "status 400: no"
    assert errors["mislaid"] == "the server sends the request on to no address"
    assert "redirect" in errors["circling"].lower()
    # On the same host, a request may go on.
    assert hostile[1].gone_to == ["/elsewhere"]


def test_another_host_ends_the_job_and_hears_nothing(
    tmp_path: Path, hostile: tuple[str, type[Hostile]]
) -> None:
    with pytest.raises(InputError, match=r"another host, http://localhost:\d+; nothing was sent"):
        _ask(hostile[0], tmp_path / "r.parquet", "well", "lured")
    assert hostile[1].gone_to == []


def test_a_redirect_that_takes_the_prompts_out_says_where_it_leads(
    tmp_path: Path, hostile: tuple[str, type[Hostile]]
) -> None:
    said = r"\(status 301\) to /elsewhere/, where they would come without their prompts.*base_url"
    with pytest.raises(InputError, match=said):
        _ask(hostile[0], tmp_path / "r.parquet", "renamed")
    assert hostile[1].gone_to == []


def test_nothing_of_the_environment_is_sent_but_the_key(
    tmp_path: Path, hostile: tuple[str, type[Hostile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-the-key-itself")
    for name in ("ORG_ID", "PROJECT_ID", "API_KEY", "ADMIN_KEY", "BASE_URL"):
        monkeypatch.setenv(f"OPENAI_{name}", f"secret-{name}")
    monkeypatch.setenv(
        "OPENAI_CUSTOM_HEADERS", "X-Secret: secret\nUser-Agent: secret\nHost: secret"
    )
    _ask(hostile[0], tmp_path / "a" / "r.parquet", "well", api_key_env="TEST_KEY")
    _ask(hostile[0], tmp_path / "b" / "r.parquet", "well")
    _ask(
        hostile[0], tmp_path / "c" / "r.parquet", "well",
        api_key_env="TEST_KEY", request={"presets": ["azure"]},
    )  # fmt: skip
    bearer, keyless, azure = hostile[1].headers_seen
    assert "secret" not in json.dumps(hostile[1].headers_seen)
    assert bearer["authorization"] == "Bearer sk-the-key-itself"
    assert "authorization" not in keyless | azure
    assert azure["api-key"] == "sk-the-key-itself"


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:8000/v1", False),
        ("http://[::1]:8000/v1", False),
        ("https://models.example/v1", False),
        ("http://models.example/v1", True),
        ("http://10.0.0.7/v1", True),
    ],
)
def test_where_requests_go_and_with_which_key_is_said(address: str, *, warned: bool) -> None:
    model = OpenAIModel(engine="openai", base_url=address, model="m", api_key_env="MY_KEY")
    lines = list(about_connection(model))
    host = address.split("/")[2]
    assert lines[0] == f"asking {host}, with the key in MY_KEY"
    assert any("without encryption" in line for line in lines) == warned


def test_long_answers_may_be_longer() -> None:
    assert most_bytes(10) < most_bytes(4_000) < most_bytes(None) == most_bytes(10**6)
