"""From the raw answer of a server to a typed completion: the one gate.

Nothing behind it looks at what a server sent. Each answer becomes a `Completion` or one of
the errors below, whatever was in it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.inference.finish_reasons import finish_reason, is_failure
from refusal_parity.inference.requests import Completion
from refusal_parity.inference.servers.errors import (
    MESSAGES,
    OddAnswerError,
    ServerError,
    WrongAddressError,
    alone,
    kind_of,
    one_line,
)
from refusal_parity.inference.servers.parts import flat, read_parts
from refusal_parity.inference.servers.refusals import (
    error_beside,
    filter_of_choice,
    filter_of_prompt,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONE: Final = re.compile(r"[\ud800-\udfff]")
_SAID: Final = ("errors", *MESSAGES)
"""Where an error stands that has no place of its own."""

_OTHERS: Final = {
    "that of Ollama's own interface": frozenset({"done", "created_at"}),
    "that of Anthropic's own interface": frozenset({"content", "role", "stop_reason"}),
    "that of Gemini's own interface": frozenset({"candidates"}),
    "that of OpenAI's interface Responses": frozenset({"output", "object", "created_at"}),
    "that of llama.cpp's own interface": frozenset({"content", "tokens_predicted"}),
    "that of TGI's own interface": frozenset({"generated_text"}),
    "that of Cohere's own interface": frozenset({"message", "finish_reason"}),
    "that of Bedrock's own interface": frozenset({"output", "stopReason"}),
    "that of DashScope's own interface": frozenset({"output", "request_id"}),
}
"""Keys that tell the answers of interfaces apart which services have beside the one asked."""

_THOUGHTS: Final = (
    *("reasoning_content", "reasoning", "reasoning_details"),
    # Copilot; LiteLLM of Anthropic; Ollama's own.
    *("reasoning_text", "thinking_blocks", "thinking"),
)
"""Where a message has what the model thought."""

_STREAMED: Final = ("data:", "event:")

_MOST_TOKENS: Final = 2**31 - 1
_MOST_DIGITS: Final = 300


def read_answer(
    index: int, content: bytes, *, hide: Callable[[str], str] = lambda text: text
) -> Completion:
    """Read the body of an answer of HTTP status 200.

    Text in parts is joined, and what a model thought stands apart. A lone surrogate
    becomes U+FFFD. Odd numbers of tokens are not known.

    Args:
        index: number of the request.
        content: the body.
        hide: takes the key out of a text.

    Returns:
        The completion, without its cost.

    Raises:
        WrongAddressError: it is a page for people, or of another interface.
        ServerError: it says that something failed.
        OddAnswerError: it is not what the interface promises.
    """
    try:
        return _completion(index, alone(_json(content)), hide)
    except RecursionError:
        raise OddAnswerError("the answer is nested too deeply") from None


def _completion(index: int, body: Any, hide: Callable[[str], str]) -> Completion:
    if not isinstance(body, dict):
        raise OddAnswerError(f"the answer is {kind_of(body)}, not an object")
    choices = body.get("choices")
    choice = _first(choices) if isinstance(choices, list) and choices else None
    for place in (body, choice):
        if isinstance(place, dict) and _is_error(place.get("error")):
            raise ServerError.within(place["error"], hide=hide)
    if (failed := error_beside(body)) is not None:
        raise ServerError.within(failed, hide=hide)
    if isinstance(choice, dict):
        return _chosen(index, body, choice, hide)
    if blocked := filter_of_prompt(body):
        return Completion(index, None, None, None, refusal_reason=_word(blocked, hide))
    if choices is None and (other := _interface_of(body)):
        raise WrongAddressError(other)
    if any(body.get(key) for key in _SAID):
        raise ServerError.within(body.get("errors") or body, hide=hide)
    raise OddAnswerError("the answer has no choices")


def _chosen(
    index: int, body: dict[str, Any], choice: dict[str, Any], hide: Callable[[str], str]
) -> Completion:
    """The completion of an answer's choice."""
    finish = choice.get("finish_reason")
    if not isinstance(finish, str | None):
        raise OddAnswerError(f"finish_reason is {kind_of(finish)}")
    if is_failure(finish):
        raise OddAnswerError(
            f"the server ended the response with {one_line(hide(str(finish)))!r}", passing=True
        )
    message, refused = choice.get("message"), filter_of_choice(body, choice)
    if message is None and refused:
        # What a filter holds back altogether has no message.
        message = {}
    if not isinstance(message, dict):
        raise OddAnswerError(f"the message is {kind_of(message)}")
    text, thinking = _said(message)
    sent, received = _tokens(body.get("usage"))
    return Completion(
        index=index,
        text=_clean(text, hide) or (None if refused else ""),
        finish_reason=_word(finish_reason(finish), hide),
        response_tokens=received,
        prompt_tokens=sent,
        thinking=_clean(thinking, hide),
        refusal_reason=_word(refused, hide),
        answered_by=_word(body.get("model"), hide),
        fingerprint=_word(body.get("system_fingerprint"), hide),
    )


def _is_error(value: Any) -> bool:
    """Whether something stands there; some gateways write `{"code": 0, "message": ""}`."""
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _interface_of(body: Mapping[str, Any]) -> str | None:
    """The other interface that an answer is of, if any."""
    return next((name for name, keys in _OTHERS.items() if keys <= body.keys()), None)


def _first(choices: list[Any]) -> Any:
    """The choice with the number 0; the first where none has it."""
    numbered = (one for one in choices if isinstance(one, dict) and one.get("index") == 0)
    return next(numbered, choices[0])


def _word(value: Any, hide: Callable[[str], str]) -> str | None:
    """A name or reason that an answer gives, on one line and not endless; null for what is none."""
    return one_line(hide(value)) or None if isinstance(value, str) else None


def _json(content: bytes) -> Any:
    text = content.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise OddAnswerError("the answer is empty")
    if text.lstrip().startswith(_STREAMED):
        raise WrongAddressError("a stream of parts, which was not asked for")
    # No JSON begins so; HTML may with a comment or another declaration.
    if text.lstrip().startswith("<"):
        raise WrongAddressError
    try:
        return json.loads(text, parse_int=_number)
    except ValueError as error:
        raise OddAnswerError(f"the answer is no JSON ({error})") from None


def _number(digits: str) -> int | float:
    """A whole number; one too long to be a count of anything is as good as infinite."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _said(message: Mapping[str, Any]) -> tuple[str, str | None]:
    """Response and thinking of a message."""
    content, refusal = message.get("content"), message.get("refusal")
    told = (message.get(key) for key in _THOUGHTS)
    thoughts = [next((each for each in told if each and each is not True), None)]
    texts: list[str] = []
    if isinstance(content, str):
        texts.append(content)
    elif isinstance(content, list):
        read_parts(content, texts, thoughts)
    elif content is not None:
        raise OddAnswerError(f"content is {kind_of(content)}")
    if not isinstance(refusal, str | None):
        raise OddAnswerError(f"refusal is {kind_of(refusal)}")
    thinking = flat(thoughts)
    # Both where a model begins and then refuses, once where a gateway has the same in both.
    said = dict.fromkeys(["".join(texts), refusal])
    return "\n\n".join(filter(None, said)), thinking or None


def _tokens(usage: Any) -> tuple[int | None, int | None]:
    """Tokens sent and received; null for what is no number of tokens."""
    if not isinstance(usage, dict):
        return None, None
    sent, received = (
        value
        if isinstance(value := usage.get(key), int)
        and not isinstance(value, bool)
        and 0 <= value <= _MOST_TOKENS
        else None
        for key in ("prompt_tokens", "completion_tokens")
    )
    return sent, received


def _clean(text: str | None, hide: Callable[[str], str]) -> str | None:
    return None if text is None else hide(_LONE.sub("\N{REPLACEMENT CHARACTER}", text))
