"""Servers that are asked in tokens, and what they may answer instead."""

from __future__ import annotations

import json
import math
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("openai")

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.inference.asking import speaker, start_weighing
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.requests import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "sk-tokens-4242"
LOGITS = [2.0, 0.5, -1.0, -30.0]
"""Of a model with four tokens, whatever it is sent."""

Answer = tuple[int, Any]


def log_probabilities(body: dict[str, Any], *, processed: bool = True) -> list[float]:
    """After temperature and top_p, as these are defined; -inf as the server writes it."""
    temperature = body["temperature"] if processed else 1.0
    weights = [math.exp(each / temperature) for each in LOGITS]
    chances = [each / sum(weights) for each in weights]
    kept = [sum(chances[:at]) < (body["top_p"] if processed else 1) for at in range(len(chances))]
    left = sum(chance for chance, keep in zip(chances, kept, strict=True) if keep)
    return [
        math.log(chance / left) if keep else -9999.0
        for chance, keep in zip(chances, kept, strict=True)
    ]


def told(body: dict[str, Any], *, processed: bool = True, known: int = 4) -> Answer:
    """What vLLM answers, of its first so many tokens."""
    values = log_probabilities(body, processed=processed)
    asked = [each for each in body.get("logprob_token_ids", range(4)) if each < known]
    top = {f"token_id:{token}": values[token] for token in asked}
    return 200, {"choices": [{"logprobs": {"top_logprobs": [top]}}]}


def rendered(body: dict[str, Any]) -> Answer:
    """A tokenizer with a token for each character, and another for `ab`."""
    text = body["prompt"] if "prompt" in body else f"<{body['messages'][-1]['content']}>"
    return 200, {"tokens": [*map(ord, text.replace("ab", "\x01"))]}


def written(body: dict[str, Any]) -> Answer:
    return 200, {"prompt": "".join(map(chr, body["tokens"])).replace("\x01", "ab")}


USUAL: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "/v1/completions": told,
    "/tokenize": rendered,
    "/detokenize": written,
}


@contextmanager
def serving(**changed: Callable[[dict[str, Any]], Answer]) -> Iterator[tuple[str, list[Any]]]:
    """A server, and what it was asked; `completions`, `tokenize` or `detokenize` may differ."""
    ways = USUAL | {path: changed.get(path.rpartition("/")[2], way) for path, way in USUAL.items()}
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Keep the test's output clean."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert body["model"] == "small"
            bodies.append(body)
            status, answer = ways[self.path](body)
            if self.headers["Authorization"] != f"Bearer {KEY}":
                status, answer = 401, {"error": {"message": self.headers["Authorization"]}}
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", bodies
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


def job(address: str, request: dict[str, Any] | None = None, **sampling: Any) -> InferenceJob[Any]:
    model = OpenAIModel(
        engine="openai", base_url=address, model="small", server="vllm", retries=2,
        api_key_env="TEST_KEY", request=request or {},
    )  # fmt: skip
    return InferenceJob(
        key="s", model=model, samples=1, sampling=SamplingConfig(max_tokens=8, **sampling)
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("top_p", [1.0, 0.6])
def test_probabilities_before_and_after_truncation(temperature: float, top_p: float) -> None:
    with serving() as (address, bodies):
        teller = start_weighing(job(address, temperature=temperature, top_p=top_p))
        answers = list(teller.next_tokens([Step(7, [1, 2], [0, 3]), Step(9, [1], [2])]))
    found = {each.index: each for each in answers}
    for top, kind in ((1.0, "probabilities"), (top_p, "as_drawn")):
        expected = log_probabilities({"temperature": temperature, "top_p": top})
        assert getattr(found[7], kind) == pytest.approx([math.exp(expected[at]) for at in (0, 3)])
        assert getattr(found[9], kind) == pytest.approx([math.exp(expected[2])])
    assert all(body["max_tokens"] == 1 for body in bodies)
    assert not any("seed" in body for body in bodies)


def test_what_the_config_sends_is_sent_as_drawn_alone() -> None:
    request = {"extra_body": {"top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1}}
    with serving() as (address, bodies):
        teller = start_weighing(job(address, request))
        list(teller.next_tokens([Step(0, [1], [0])]))
    asked = [body for body in bodies if "logprob_token_ids" in body]
    assert sorted((body["top_k"], body["min_p"]) for body in asked) == [(-1, 0.0), (3, 0.1)]
    assert [body["repetition_penalty"] for body in asked] == [1.1, 1.1]


def test_more_tokens_than_one_request_may_name() -> None:
    def wide(body: dict[str, Any]) -> Answer:
        ids = body.get("logprob_token_ids", [0])
        top = {f"token_id:{each}": -each * body["temperature"] for each in ids}
        return 200, {"choices": [{"logprobs": {"top_logprobs": [top | {"token_id:1": -1}]}}]}

    def odd(body: dict[str, Any]) -> Answer:
        return wide(body) if "logprob_token_ids" in body else told(body)

    with serving(completions=odd) as (address, bodies):
        teller = start_weighing(job(address))
        (answer,) = teller.next_tokens([Step(0, [1], range(2, 302))])
    assert answer.probabilities == pytest.approx([math.exp(-each) for each in range(2, 302)])
    assert max(len(body.get("logprob_token_ids", [])) for body in bodies) == 128


def test_words_in_the_servers_tokens() -> None:
    with serving() as (address, bodies):
        served = job(address, {"extra_body": {"chat_template_kwargs": {"thinks": False}}}).model
        speaks = speaker("s", served)
        one, two = speaks.sent([("hi", None), ("a", "Be kind.")])
        assert (one.token_ids, one.text) == ([*map(ord, "<hi>")], "<hi>")
        assert sorted(len(body["messages"]) for body in bodies if "messages" in body) == [1, 2]
        assert bodies[0]["chat_template_kwargs"] == {"thinks": False}
        asked = len(bodies)
        ends = [(one, "no"), (two, "no"), (one, "no"), (one, "")]
        assert speaks.said(ends) == [[*map(ord, "no")]] * 3 + [[]]
        # Responses that are alike are asked about once.
        assert len(bodies) - asked == 3
        assert speaks.written([1, 99]) == "abc"


def test_a_response_that_melts_into_its_prompt_is_tokenised_alone() -> None:
    def bare(body: dict[str, Any]) -> Answer:
        return rendered(body if "prompt" in body else {"prompt": body["messages"][-1]["content"]})

    with serving(tokenize=bare) as (address, _):
        speaks = speaker("s", job(address).model)
        (one,) = speaks.sent([("xa", None)])
        assert speaks.said([(one, "bc"), (one, "c")]) == [[98, 99], [99]]


def _fails(times: int, answer: Answer) -> Callable[[dict[str, Any]], Answer]:
    left = [answer] * times
    return lambda body: left.pop() if left else told(body)


LATER = (503, {"error": {"message": "later"}})


@pytest.mark.parametrize("answer", [LATER, (429, {"error": {"message": "slow"}})])
def test_what_passes_is_tried_again(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = "refusal_parity.inference.servers.token_server.wait_before"
    monkeypatch.setattr(waits, lambda *_: 0.01)
    with serving(completions=_fails(2, answer)) as (address, _):
        (found,) = start_weighing(job(address)).next_tokens([Step(0, [1], [0])])
    assert found.probabilities[0] > 0.5
    with serving(completions=_fails(9, answer)) as (address, _):
        teller = start_weighing(job(address))
        with pytest.raises(InputError, match="does not answer what weighing openings asks"):
            list(teller.next_tokens([Step(0, [1], [0])]))


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (lambda body: told(body, processed=False), "before temperature.*processed_logprobs"),
        (lambda body: told(body, known=2), "does not tell how probable the tokens are"),
        (lambda _: (200, {"choices": [{"logprobs": None}]}), "does not tell how probable tokens"),
        (lambda _: (200, {"choices": []}), "does not tell how probable tokens"),
        (lambda _: (200, ["odd"]), "no JSON object"),
        (lambda _: (200, b"<!doctype html>"), "is no JSON"),
        (lambda _: (404, {"detail": "Not Found"}), "status 404"),
        (lambda _: (400, {"error": {"message": f"what is {KEY}"}}), r"what is \*\*\*"),
    ],
    ids=["raw", "some", "none", "empty", "list", "page", "lost", "refused"],
)
def test_servers_that_cannot(way: Callable[[dict[str, Any]], Answer], words: str) -> None:
    with serving(completions=way) as (address, _):
        teller = start_weighing(job(address, temperature=0.7))
        with pytest.raises(InputError, match=f"(?s){words}") as raised:
            list(teller.next_tokens([Step(0, [1], [0, 3])]))
    assert KEY not in str(raised.value)


def test_a_tokenizer_that_is_not_told() -> None:
    with (
        serving(tokenize=lambda _: (200, {"count": 3})) as (address, _),
        pytest.raises(InputError, match="does not tell tokens"),
    ):
        speaker("s", job(address).model).sent([("hi", None)])


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = "refusal_parity.inference.servers.token_server.wait_before"
    monkeypatch.setattr(waits, lambda *_: 0.01)
    with serving() as (address, _):
        pass
    with pytest.raises(InputError, match="does not answer"):
        speaker("s", job(address).model).sent([("hi", None)])
