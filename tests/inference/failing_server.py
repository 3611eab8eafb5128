"""An HTTP server that fails in the ways that servers fail."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-very-secret-4242"

FILTERED = {
    "message": "The prompt was filtered",
    "code": "content_filter",
    "innererror": {"content_filter_result": {"hate": {"filtered": True, "severity": "low"}}},
}
REFUSALS: dict[str, tuple[int, dict[str, Any] | bytes]] = {
    "broken": (200, {"error": {"code": 502, "message": "Provider returned error"}}),
    "page": (200, b"<!doctype html><p>hello"),
    "own-interface": (200, {"created_at": "2026-11-29", "done": True, "message": {"content": "x"}}),
    "garbled": (200, b'{"choices": ['),
    "choiceless": (200, {"choices": [], "object": "chat.completion"}),
    "refused": (400, {"error": {"message": f"too long, {KEY}"}}),
    "filter400": (400, {"error": FILTERED}),
    "filter200": (200, {"error": FILTERED}),
    "poor": (402, {"error": {"message": "no credit"}}),
    "forbidden": (403, {"error": {"message": "not for you"}}),
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


def answer_of(way: str, body: dict[str, Any]) -> dict[str, Any]:
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
    answer: dict[str, Any] = {"choices": [choice], "object": "chat.completion"}
    if way == "named":
        answer |= {"model": "told-2026-11-01", "system_fingerprint": "fp_4242"}
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
        time.sleep(0.01)
        self._misbehave("down" if down else way, body, first=first)

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
            self._leave()
            self.close_connection = True
        else:
            if way == "slow" and first:
                time.sleep(4)
            self._send(200, answer_of(way, body))

    def _send(self, status: int, content: dict[str, Any] | bytes) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("retry-after-ms", "20")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        # Before the last byte: who has it all may ask again at once.
        self._leave()
        self.wfile.write(data)

    def _leave(self) -> None:
        with self.server.lock:
            self.server.at_once -= 1


@contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    """A server that runs until the block ends."""
    with Server(port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
