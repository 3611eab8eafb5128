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


FILTERED = {
    "message": "The prompt was filtered",
    "code": "content_filter",
    "innererror": {"content_filter_result": {"hate": {"filtered": True, "severity": "low"}}},
}
REFUSALS: dict[str, tuple[int, dict[str, Any] | bytes]] = {
    "broken": (200, {"error": {"code": 502, "message": "Provider returned error"}}),
    "page": (200, b"<!doctype html><p>hello"),
    "garbled": (200, b'{"choices": ['),
    "choiceless": (200, {"choices": [], "object": "chat.completion"}),
    "refused": (400, {"error": {"message": f"too long, {KEY}"}}),
    "filter400": (400, {"error": FILTERED}),
    "filter200": (200, {"error": FILTERED}),
    "poor": (402, {"error": {"message": "no credit"}}),
    "nameless": (404, {"error": {"message": "The model `told` does not exist."}}),
    "lost": (404, {"detail": "Not Found"}),
    "unknown-model": (400, {"error": {"message": "told is not a valid model ID", "code": 400}}),
    "new-model": (
        400,
        {"error": {"message": "Use 'max_completion_tokens' instead.", "param": "max_tokens"}},
    ),
    "strict": (422, {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}),
    "lengthy": (
        400,
        {"error": {"message": "maximum context length is 8; lower max_tokens", "code": 400}},
    ),
}


def _answer(way: str, body: dict[str, Any]) -> dict[str, Any]:
    text: Any = "" if way == "silent" else f" said {body['seed']} "
    if way == "number":
        text = 5
    if way == "quoting":
        text = f"you sent {KEY}"
    message = {"role": "assistant", "content": text, "reasoning_content": "well"}
    reason = {"long": "max_tokens", "filtered": "content_filter", "odd": "brownout"}.get(
        way, "stop"
    )
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    answer = {"choices": [choice], "object": "chat.completion"}
    return answer if way == "uncounted" else answer | {"usage": usage}


class Server(ThreadingHTTPServer):
    """Says what it was asked; misbehaves where the prompt's name says so."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.down_after = self.leaves_after = 10**9
        self.left_at = 0.0
        self.left = threading.Event()

    def leave(self) -> None:
        """Be gone, as a process that died."""
        self.shutdown()
        self.server_close()
        self.left_at = time.monotonic()
        self.left.set()

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
            server.bodies.append(body)
            server.paths.append(self.path)
            first = server.asked[prompt] == 1
            down = server.asked.total() > server.down_after
            if server.asked.total() == server.leaves_after:
                threading.Thread(target=server.leave).start()
        try:
            time.sleep(0.01)
            self._misbehave("down" if down else way, body, first=first)
        finally:
            with server.lock:
                server.at_once -= 1

    def _misbehave(self, way: str, body: dict[str, Any], *, first: bool) -> None:
        key = self.headers["api-key"] or self.headers["Authorization"].removeprefix("Bearer ")
        if key != KEY:
            self._send(401, {"error": {"message": f"wrong: {self.headers['Authorization']}"}})
        elif way == "down" or (way in {"429", "500", "503"} and first):
            self._send(500 if way == "down" else int(way), {"error": {"message": "later"}})
        elif way in REFUSALS:
            self._send(*REFUSALS[way])
        elif way == "within" and first:
            self._send(200, {"error": {"code": 429, "message": "slow down"}})
        elif way == "cut" and first:
            self.close_connection = True
        else:
            if way == "slow" and first:
                time.sleep(4)
            self._send(200, _answer(way, body))

    def _send(self, status: int, content: dict[str, Any] | bytes) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("retry-after-ms", "20")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def _serving(port: int = 0) -> Iterator[Server]:
    with Server(port) as server:
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
    passing = ("429", "500", "503", "cut", "slow", "within")
    lasting = ("refused", "garbled", "choiceless", "broken", "number", "lengthy")
    filtered = ("filter400", "filter200", "filtered")
    well = ("well", "uncounted", "quoting", "odd")
    prompts = _prompts(*well, *passing, *lasting, *filtered, "silent", "long")
    said: list[str] = []
    output = tmp_path / "m/responses.parquet"
    ask_server(_job(server, timeout_s=1.5), prompts, output, say=said.append)
    rows = read_table(Responses, output).join(prompts, on="prompt_id")
    status = dict(rows.select("template_id", "status").iter_rows())
    assert status == {
        **dict.fromkeys(well, "ok"),
        **dict.fromkeys(filtered, "filtered"),
        **dict.fromkeys(passing, "ok"),
        **dict.fromkeys(lasting, "error"),
        "silent": "empty",
        "long": "ok",
    }
    assert rows.filter("truncated")["template_id"].to_list() == ["long"]
    assert all(server.asked[f"{way} Ana"] > 1 for way in passing)
    assert server.asked["broken Ana"] == 4
    assert all(server.asked[f"{way} Ana"] == 1 for way in ("refused", "number", *filtered, *well))
    of = {row["template_id"]: row for row in rows.iter_rows(named=True)}
    one = of["well"]
    assert (one["response"], one["prompt_tokens"], one["response_tokens"], one["cost"]) == (
        f"said {one['seed']}",
        10,
        4,
        3e-05,
    )
    assert one["thinking"] == "well"
    assert (of["uncounted"]["response_tokens"], of["uncounted"]["cost"]) == (None, None)
    assert (of["odd"]["finish_reason"], of["long"]["finish_reason"]) == ("brownout", "length")
    assert of["filter400"]["refusal_reason"] == "content_filter: hate (low)"
    assert of["filtered"]["refusal_reason"] == "content_filter"
    assert of["broken"]["error"] == "status 502: Provider returned error"
    assert of["number"]["error"] == "content is a number"
    assert rows.filter(pl.col("status") == "error")["cost"].null_count() == len(lasting)
    told = "\n".join(said)
    assert "1 responses came with the finish reason 'brownout'" in told
    assert "3 of 21 requests were refused by the service's own filter" in told
    assert f"{len(lasting)} of 21 requests failed" in told
    assert "the cost of 1 responses is not known" in told
    errors = rows.filter(pl.col("status") == "error")["error"].to_list()
    assert any("too long, ***" in error for error in errors)
    assert read_metadata(output)["usage"] == {
        "prompt_tokens": 120,
        "response_tokens": 48,
        "cost": 0.00036,
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
    with pytest.raises(
        InputError, match=r"the server refuses .*status 401: wrong: Bearer \*\*\*"
    ) as raised:
        ask_server(_job(server), _prompts("well"), tmp_path / "r.parquet", say=lambda _: None)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(InputError, match="TEST_KEY is not set"):
        ask_server(_job(server), _prompts("well"), tmp_path / "r.parquet", say=lambda _: None)


@pytest.mark.parametrize(
    ("way", "match"),
    [
        ("new-model", r"does not take the parameter max_tokens .*rename: \{max_tokens: max_compl"),
        (
            "strict",
            r"does not take the parameter seed .*models\.m: `request: \{leave_out: \[seed\]",
        ),
        ("nameless", r"status 404: The model `told` does not exist"),
        ("unknown-model", r"refuses the model .*told is not a valid model ID.*models\.m\.model"),
        ("poor", r"status 402: no credit"),
        ("page", r"web page and is no API.*/v1"),
        ("lost", r"status 404: Not Found"),
    ],
)
def test_what_is_wrong_with_every_request_is_said_at_the_first(
    server: Server, tmp_path: Path, way: str, match: str
) -> None:
    prompts = _prompts(*(f"{way} {number}" for number in range(60)))
    with pytest.raises(InputError, match=match):
        ask_server(_job(server, retries=1), prompts, tmp_path / "r.parquet", say=lambda _: None)
    assert server.asked.total() == 1


def test_an_address_without_its_version(server: Server, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{server.server_port}"
    job = _job(server, base_url=address)
    with pytest.raises(InputError, match=r"add /v1 to base_url\?"):
        ask_server(job, _prompts("lost"), tmp_path / "r.parquet", say=lambda _: None)


def test_a_study_of_which_nothing_is_taken_ends(server: Server, tmp_path: Path) -> None:
    prompts = _prompts(*(f"number {number}" for number in range(200)))
    with pytest.raises(InputError, match=r"not one of the first \d+ prompts got a response"):
        ask_server(_job(server), prompts, tmp_path / "r.parquet", say=lambda _: None)
    assert server.asked.total() < 70


def test_a_prompt_filtered_in_all_its_samples_ends_nothing(server: Server, tmp_path: Path) -> None:
    prompts = _prompts("filter400", "refused", "well")
    output = tmp_path / "r.parquet"
    ask_server(_job(server, samples=11, concurrency=2), prompts, output, say=lambda _: None)
    rows = read_table(Responses, output).join(prompts, on="prompt_id")
    counts = rows.group_by("template_id", "status").len().sort("template_id").rows()
    assert counts == [("filter400", "filtered", 11), ("refused", "error", 11), ("well", "ok", 11)]


def test_what_is_sent_is_what_the_config_says(server: Server, tmp_path: Path) -> None:
    request = {"presets": ["azure", "openai-reasoning"], "extra_body": {"reasoning_effort": "low"}}
    output = tmp_path / "r.parquet"
    said: list[str] = []
    ask_server(_job(server, request=request), _prompts("well"), output, say=said.append)
    assert server.paths == ["/v1/chat/completions?api-version=2024-10-21"]
    assert server.bodies[0].keys() == {
        *("model", "messages", "seed", "max_completion_tokens", "reasoning_effort")
    }
    assert "temperature, top_p" in said[0]
    assert read_metadata(output)["request"] == {
        "rename": {"max_tokens": "max_completion_tokens"},
        "leave_out": ["temperature", "top_p"],
        "extra_body": {"reasoning_effort": "low"},
        "query": {"api-version": "2024-10-21"},
    }


def test_a_wrong_port_ends_soon(tmp_path: Path) -> None:
    with _serving() as gone:
        job = _job(gone)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"cannot be reached .*Check base_url"):
        ask_server(job, _prompts("well"), tmp_path / "r.parquet", say=lambda _: None)
    assert time.monotonic() - began < 10


def test_a_server_that_goes_and_comes_back(tmp_path: Path) -> None:
    prompts = _prompts(*(f"w{number}" for number in range(100)))
    said: list[tuple[float, str]] = []
    with _serving() as server:
        server.leaves_after = 20
        job = _job(server, concurrency=2)
        done = threading.Event()

        def come_back() -> None:
            server.left.wait(60)
            time.sleep(4)
            with _serving(server.server_port):
                done.wait(60)

        threading.Thread(target=come_back).start()
        output = tmp_path / "m/r.parquet"
        ask_server(job, prompts, output, say=lambda line: said.append((time.monotonic(), line)))
        done.set()
    gone, again = [(at, line) for at, line in said if "answer" in line][:2]
    assert "no answer for" in gone[1]
    assert gone[0] - server.left_at < 5
    assert "the server answers again" in again[1]
    rows = read_table(Responses, output)
    assert (len(rows), rows["status"].unique().to_list()) == (100, ["ok"])


def test_a_server_that_stays_away(tmp_path: Path) -> None:
    prompts = _prompts(*(f"w{number}" for number in range(100)))
    with _serving() as server:
        server.leaves_after = 20
        job = _job(server, concurrency=2, patience_s=1.0)
        with pytest.raises(InputError, match=r"cannot be reached .*what it answered is kept"):
            ask_server(job, prompts, tmp_path / "m/r.parquet", say=lambda _: None)
    saved = sum(pl.read_parquet(path).height for path in tmp_path.rglob("chunk-*.parquet"))
    assert 10 < saved <= server.asked.total()


def test_what_failed_is_asked_again_alone(tmp_path: Path) -> None:
    ways = ["well", "number", "broken", "filter400"]
    prompts = _prompts(*(f"{way} {number}" for number in range(10) for way in ways))
    output = tmp_path / "m/responses.parquet"
    with _serving() as server:
        job = _job(server, retries=0, concurrency=1)
        ask_server(job, prompts, output, say=lambda _: None)
        first = read_table(Responses, output)
        failed = first.filter(pl.col("status") == "error")
        assert len(failed) == 20
        port = server.server_port
    # The server is mended, and breaks in the middle of what is asked again.
    with _serving(port) as server, pytest.MonkeyPatch.context() as mended:
        for way in ("number", "broken"):
            mended.setitem(REFUSALS, way, (200, _answer("well", {"seed": 0})))
        server.down_after = 8
        with pytest.raises(InputError, match="in a row failed"):
            ask_server(job, prompts, output, say=lambda _: None, again=True)
        assert read_table(Responses, output).equals(first)
        asked = server.asked.copy()
        server.down_after = 10**9
        ask_server(job, prompts, output, say=lambda _: None, again=True)
        answered = [prompt for prompt, _ in asked.most_common()][:8]
        assert len(answered) == 8
        ever = set(server.asked)
    second = read_table(Responses, output)
    wanted = prompts.join(failed, on="prompt_id", how="semi")["prompt"].to_list()
    assert ever == set(wanted)
    assert second["status"].cast(pl.String).value_counts(sort=True).rows() == [
        ("ok", 30),
        ("filtered", 10),
    ]
    kept = first.filter(pl.col("status") != "error")
    assert second.join(failed, on=["prompt_id", "sample"], how="anti").equals(kept)
    assert list(output.parent.iterdir()) == [output]


def test_nothing_is_paid_twice_by_asking_again(server: Server, tmp_path: Path) -> None:
    prompts = _prompts("well", "number")
    output = tmp_path / "m/responses.parquet"
    job = _job(server)
    ask_server(job, prompts, output, say=lambda _: None)
    other = replace(job, sampling=SamplingConfig(temperature=0.3))
    for changed, words in [(other, "sampling.temperature"), (replace(job, samples=2), "samples")]:
        with pytest.raises(InputError, match=words):
            ask_server(changed, prompts, output, say=lambda _: None, again=True)
    with pytest.raises(InputError, match="prompts, samples or seeds"):
        ask_server(job, prompts[:1], output, say=lambda _: None, again=True)
    assert server.asked["well Ana"] == 1
    said: list[str] = []
    ask_server(job, prompts[:1], tmp_path / "w/r.parquet", say=said.append)
    ask_server(job, prompts[:1], tmp_path / "w/r.parquet", say=said.append, again=True)
    assert said[-1] == "no response failed: nothing is asked again"
    assert server.asked["well Ana"] == 2
