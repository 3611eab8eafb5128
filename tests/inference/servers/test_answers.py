"""Every kind of answer that a server may give, through the one gate."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.inference.servers.answers import read_answer
from refusal_parity.inference.servers.errors import OddAnswerError, ServerError

if TYPE_CHECKING:
    from refusal_parity.inference.requests import Completion

GOOD_USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def _body(content: Any = "a loaf of bread", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": finish, **more.pop("choice", {})}
    return {"id": "x", "choices": [choice], "usage": GOOD_USAGE, **more}


def _read(body: Any) -> Completion:
    return read_answer(3, body if isinstance(body, bytes) else json.dumps(body).encode())


def _part(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (_body(), {"text": "a loaf of bread", "finish_reason": "stop", "response_tokens": 4}),
        (_body(None), {"text": ""}),
        (_body(message={"content": None, "refusal": "I won't."}), {"text": "I won't."}),
        (_body([_part("text", text="a "), _part("text", text="loaf")]), {"text": "a loaf"}),
        (_body([_part("output_text", text="a loaf")]), {"text": "a loaf"}),
        (
            _body([_part("thinking", thinking="so"), _part("text", text="a loaf")]),
            {"text": "a loaf", "thinking": "so"},
        ),
        (
            _body([_part("thinking", thinking=[_part("text", text="s"), _part("text", text="o")])]),
            {"text": "", "thinking": "so"},
        ),
        (_body(message={"reasoning_content": "so"}), {"thinking": "so"}),
        (_body(message={"reasoning": "so"}), {"thinking": "so"}),
        (_body(message={"reasoning": {"steps": 2}}), {"thinking": '{"steps": 2}'}),
        (_body("a loaf \ud83d"), {"text": "a loaf \ufffd"}),
        (_body("a loaf \ud83c\udf5e"), {"text": "a loaf \U0001f35e"}),
        (b'{"choices": [{"message": {"content": "caf\xe9"}}]}', {"text": "caf\ufffd"}),
        (b"\xef\xbb\xbf" + json.dumps(_body()).encode(), {"text": "a loaf of bread"}),
        # More digits than Python reads as a whole number.
        (
            json.dumps(_body()).replace("9,", f"{'9' * 5000},").encode(),
            {"text": "a loaf of bread", "prompt_tokens": None, "response_tokens": 4},
        ),
        (_body("x", "\x1b[2J" + "f" * 10**5), {"finish_reason": "[2J" + "f" * 297}),
        (_body("x", "\x1b\n"), {"finish_reason": None}),
        (_body(model="m\x00" + "n" * 10**5), {"answered_by": "m " + "n" * 298}),
        (
            _body(
                "",
                "content_filter",
                choice={
                    "content_filter_results": {"hate": {"filtered": True, "severity": "h" * 10**5}}
                },
            ),
            {"refusal_reason": "content_filter: hate (" + "h" * 278},
        ),
        *(
            (_body(usage=usage), {"response_tokens": None, "prompt_tokens": None})
            for usage in (
                *(None, [], "many", {}, {"prompt_tokens": None, "completion_tokens": None}),
                *({"prompt_tokens": n, "completion_tokens": n} for n in (-1, 10**12, "9", True)),
            )
        ),
        (
            _body(usage={"prompt_tokens": 55, "total_tokens": 55}),
            {"prompt_tokens": 55, "response_tokens": None},
        ),
        *(
            (_body(finish=word), {"finish_reason": "length", "refusal_reason": None})
            for word in (
                *("length", "max_tokens", "MAX_TOKENS", "model_length", "max-tokens "),
                *("maxTokens", "FinishReason.MAX_TOKENS", "token_limit", "ERROR_LIMIT"),
            )
        ),
        *(
            (_body(finish=word), {"finish_reason": word, "refusal_reason": None})
            for word in ("eos_token", "eos", "end_turn", "brownout", None)
        ),
        *(
            (_body("", finish=word), {"text": None, "refusal_reason": word.strip()})
            for word in (
                *("content_filter", "refusal", "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST"),
                *("RECITATION", "SPII", "guardrail_intervened", " Content-Filter"),
                *("contentFilter", "FINISH_REASON_SPII", "FinishReason.SAFETY", "MODEL_ARMOR"),
                *("content_filter: PROHIBITED_CONTENT", "image_recitation"),
                *("content_policy_violation", "moderation", "refused"),
            )
        ),
        (_body("Ana is", finish="content_filter"), {"text": "Ana is"}),
        (
            _body(
                finish="content_filter",
                choice={
                    "content_filter_results": {
                        "hate": {"filtered": True, "severity": "medium"},
                        "sexual": {"filtered": False, "severity": "safe"},
                        "protected_material_text": {"detected": True, "filtered": True},
                    }
                },
            ),
            {"refusal_reason": "content_filter: hate (medium), protected_material_text"},
        ),
        (
            _body(finish="stop", choice={"native_finish_reason": "SAFETY"}),
            {"refusal_reason": "SAFETY", "finish_reason": "stop"},
        ),
        (
            {"choices": [], "promptFeedback": {"blockReason": "BLOCKLIST"}},
            {"refusal_reason": "BLOCKLIST", "text": None},
        ),
        (
            {"prompt_filter_results": [{"content_filter_results": {"hate": {"filtered": True}}}]},
            {"refusal_reason": "prompt: hate"},
        ),
        (_body(error=None, choice={"error": {}}), {"text": "a loaf of bread"}),
        (
            _body(finish="SAFETY", choice={"message": None}),
            {"refusal_reason": "SAFETY", "text": None},
        ),
        (_body("", choice={"stop_reason": "refusal"}), {"refusal_reason": "refusal"}),
        (_body(choice={"stop_reason": "\n"}), {"refusal_reason": None}),
        (_body("Well.", message={"refusal": "I won't."}), {"text": "Well.\n\nI won't."}),
        (_body("I won't.", message={"refusal": "I won't."}), {"text": "I won't."}),
        (
            {"choices": [{"index": 1, "message": {"content": "b"}}, *_body("a")["choices"]]},
            {"text": "a"},
        ),
        (_body(message={"reasoning_details": [{"text": "so"}]}), {"thinking": "so"}),
    ],
)
def test_what_is_a_response(body: Any, expected: dict[str, Any]) -> None:
    read = _read(body)
    assert read.index == 3
    assert read.error is None
    assert {key: getattr(read, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([1, 2], "the answer is a list"),
        ("hello", "the answer is a text"),
        (None, "the answer is missing"),
        ({}, "no choices"),
        ({"choices": None}, "no choices"),
        ({"choices": []}, "no choices"),
        ({"prompt_filter_results": [{"content_filter_results": {}}]}, "no choices"),
        ({"choices": {"0": "x"}}, "no choices"),
        ({"choices": ["x"]}, "no choices"),
        (_body(message={"content": 5}), "content is a number"),
        (_body(message={"content": {"a": 1}}), "content is an object"),
        (_body(message={"content": True}), "content is a truth value"),
        (_body(message={"refusal": ["no"]}), "refusal is a list"),
        (_body(choice={"message": None}), "the message is missing"),
        (_body(finish={"type": "stop"}), "finish_reason is an object"),
        (_body([_part("image_url", url="x")]), "a part that is of the type 'image_url'"),
        (_body(["a loaf"]), "a part that is a text"),
        (_body([_part("text", text=7)]), "the text of a part is a number"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
        (_body(message={"reasoning": json.loads("[" * 900 + "]" * 900)}), "nested too deeply"),
        (b'{"choices": [', "no JSON"),
        (b"", "the answer is empty"),
        (b"9" * 10_000, "is a number, not an object"),
    ],
)
def test_what_is_odd(body: Any, words: str) -> None:
    with pytest.raises(OddAnswerError, match=words) as raised:
        _read(body)
    assert not raised.value.passing


@pytest.mark.parametrize(
    "word", ["error", "abort", "networkError", "INSUFFICIENT_SYSTEM_RESOURCE", "cancelled"]
)
def test_a_finish_reason_that_is_an_error_may_pass(word: str) -> None:
    with pytest.raises(OddAnswerError, match=word) as raised:
        _read(_body("the sta", finish=word))
    assert raised.value.passing


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ({"code": 429, "message": "slow down"}, 429, "slow down"),
        ({"code": "503", "message": "no provider"}, 503, "no provider"),
        ({"code": "rate_limit_exceeded", "message": "slow"}, 429, "slow"),
        ({"code": "invalid_request_error", "message": "what?"}, 400, "what?"),
        ({"message": "upstream died"}, 502, "upstream died"),
        ("out of memory", 502, "out of memory"),
        (
            {"code": 502, "message": "Provider returned error", "metadata": {"raw": "CUDA error"}},
            502,
            "Provider returned error (CUDA error)",
        ),
        ({"code": 402, "message": "credits"}, 402, "credits"),
    ],
)
@pytest.mark.parametrize("inside", ["body", "choice"])
def test_an_error_inside_an_answer(error: Any, status: int, words: str, inside: str) -> None:
    place = {"error": error} if inside == "body" else {"choice": {"error": error}}
    with pytest.raises(ServerError) as raised:
        _read(_body(None, **place))
    assert (raised.value.status, raised.value.words) == (status, words)
    assert raised.value.is_passing == (status in {429, 502, 503})


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"object": "error", "message": "slow down", "code": 429}, 429, "slow down"),
        ({"detail": "no model is loaded"}, 502, "no model is loaded"),
        ({"errors": [{"msg": "busy"}], "choices": []}, 502, "busy"),
        ([{"error": {"code": 429, "message": "exhausted"}}], 429, "exhausted"),
    ],
)
def test_an_error_in_place_of_an_answer(body: Any, status: int, words: str) -> None:
    with pytest.raises(ServerError) as raised:
        _read(body)
    assert (raised.value.status, raised.value.words) == (status, words)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"message": "no", "code": "content_filter"}}, "content_filter"),
        ({"choices": None, "base_resp": {"status_msg": "new_sensitive"}}, "new_sensitive"),
        ({"error": {"message": "The checks failed", "type": "hooks_failed"}}, "hooks_failed"),
        ({"success": False, "errors": [{"message": "Response blocked"}]}, "filtered"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, None),
    ],
)
def test_a_filter_inside_an_answer(body: Any, reason: str | None) -> None:
    with pytest.raises(ServerError) as raised:
        _read(body)
    assert raised.value.refusal_reason == reason


def test_the_key_is_hidden_wherever_it_is_quoted() -> None:
    body = _body("you sent K-1", finish="K-1", message={"reasoning": "K-1?"})
    read = read_answer(0, json.dumps(body).encode(), hide=lambda text: text.replace("K-1", "***"))
    assert "K-1" not in str(read)
    assert (read.text, read.thinking) == ("you sent ***", "***?")


def test_no_answer_at_all_breaks_the_gate() -> None:
    """Answers made up at random: good ones with any part put in place of any other."""
    chance = random.Random(5)  # noqa: S311 - a test's choice
    odd: list[Any] = [None, 5, -1.5, "x", "\udc00", True, [], {}, [[]], {"error": 1}, ["\ud800"]]
    odd += [{"type": "text", "text": None}, {"type": "thinking", "thinking": 3}, float("nan")]

    def spoilt(value: Any) -> Any:
        if chance.random() < 0.15:
            return chance.choice(odd)
        if isinstance(value, dict):
            kept = {key: spoilt(one) for key, one in value.items() if chance.random() > 0.05}
            return kept | ({"error": chance.choice(odd)} if chance.random() < 0.05 else {})
        return [spoilt(one) for one in value] if isinstance(value, list) else value

    good = _body(
        [_part("text", text="a"), _part("thinking", thinking="b")],
        choice={"content_filter_results": {"hate": {"filtered": True, "severity": "low"}}},
        message={"refusal": None, "reasoning_content": "c"},
        prompt_filter_results=[{"content_filter_results": {"hate": {"filtered": True}}}],
    )
    came = 0
    for _ in range(5000):
        try:
            read = _read(spoilt(good))
        except (OddAnswerError, ServerError) as error:
            str(error).encode()
        else:
            came += 1
            assert isinstance(read.text, str | None)
            assert isinstance(read.thinking, str | None)
            f"{read.text}{read.thinking}{read.finish_reason}{read.refusal_reason}".encode()
    assert 500 < came < 4500
