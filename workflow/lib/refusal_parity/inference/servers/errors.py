"""What a server says when it gives no response."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Self

from refusal_parity.inference.servers.refusals import filter_of_error

if TYPE_CHECKING:
    from collections.abc import Callable

PASSING: Final = frozenset({408, 409, 425, 429, 498, 499})
"""Statuses beside 5xx that another try can mend: Groq is full (498), Google cut off (499)."""

MESSAGES: Final = (
    *("message", "detail", "msg", "error_msg", "error_message", "errorMessage", "errorMsg"),
)
"""Where the words of an error stand."""

_LONGEST: Final = 300
_UNWRITTEN: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NAMED: Final = (
    # Statuses that codes of an error inside a 200 stand for.
    (re.compile(r"rate_?limit|too_?many|quota|throttl", re.IGNORECASE), 429),
    (re.compile(r"auth|api_?key", re.IGNORECASE), 401),
    (re.compile(r"invalid_?request|unsupported|context_length|bad_?request", re.IGNORECASE), 400),
)


class OddAnswerError(Exception):
    """An answer that is not what the interface promises.

    Attributes:
        passing: whether another try may mend it.
    """

    def __init__(self, words: str, *, passing: bool = False) -> None:
        super().__init__(words)
        self.passing = passing


class WrongAddressError(Exception):
    """The answer shows that the address is not that of the interface.

    Attributes:
        interface: the other interface that it is of; null for a page for people.
    """

    def __init__(self, interface: str | None = None) -> None:
        super().__init__(f"the answer is {interface or 'a web page'}")
        self.interface = interface


class ServerError(Exception):
    """An error that a server gave, as an HTTP status or inside an answer.

    Attributes:
        status: HTTP status, or the one that it stands for.
        words: what the server says, on one line and without the key.
        parameter: the parameter that it names, if any.
        code: its code, if any.
        refusal_reason: why a filter refused the request, if one did.
    """

    def __init__(self, status: int, error: Any, *, hide: Callable[[str], str]) -> None:
        """Read an error.

        Args:
            status: HTTP status.
            error: the error object, or whatever stands in its place.
            hide: takes the key out of a text.
        """
        error = alone(error)
        fields = error if isinstance(error, dict) else {}
        self.status = status
        self.words = one_line(hide(_words(error)))
        self.parameter = _text(fields.get("param"))
        self.code = _text(fields.get("code")) or _text(fields.get("type"))
        reason = filter_of_error(status, fields, self.words)
        self.refusal_reason = reason and one_line(hide(reason))
        super().__init__(f"status {status}: {self.words}".removesuffix(": "))

    @classmethod
    def within(cls, error: Any, *, hide: Callable[[str], str]) -> Self:
        """An error that stands inside an answer of status 200."""
        status = _status_within(alone(error))
        # A filter's word needs no number.
        refused = cls(400, error, hide=hide)
        return refused if status in (400, 502) and refused.refusal_reason else cls(
            status, error, hide=hide
        )  # fmt: skip

    @classmethod
    def of_body(cls, status: int, content: bytes, *, hide: Callable[[str], str]) -> Self:
        """The error in the body of an answer with an error's status."""
        text = content.decode("utf-8-sig", errors="replace")
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = "a web page" if text.lstrip()[:1] == "<" else text
        body = alone(body)
        error = body
        if isinstance(body, dict):
            error = body.get("error") or body.get("errors") or body
        return cls(status, error, hide=hide)

    @property
    def is_passing(self) -> bool:
        """Whether another try may mend it."""
        return self.status in PASSING or self.status >= 500  # noqa: PLR2004 - HTTP


def alone(value: Any) -> Any:
    """The object in a list of one, as which Gemini and Cloudflare give errors; else the value."""
    return value[0] if isinstance(value, list) and [*map(type, value)] == [dict] else value


def one_line(text: str) -> str:
    """A text as it can stand in a log: on one line, printable, not endless."""
    return _UNWRITTEN.sub(" ", text).strip()[:_LONGEST]


def kind_of(value: Any) -> str:
    """What an error calls a value of JSON."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return "missing" if value is None else names.get(type(value), "a number")


def _words(error: Any) -> str:
    """What an error says, with what a gateway quotes of the provider behind it."""
    if not isinstance(error, dict):
        return error if isinstance(error, str) else _dumped(error)
    message = next((error[key] for key in MESSAGES if error.get(key)), None)
    text = message if isinstance(message, str) else _dumped(message or error)
    details = error.get("metadata")
    raw = details.get("raw") if isinstance(details, dict) else None
    return f"{text} ({raw if isinstance(raw, str) else _dumped(raw)})" if raw else text


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "an error nested too deeply to be shown"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _status_within(error: Any) -> int:
    """HTTP status that an error inside an answer stands for; 502 where it does not say."""
    fields = error if isinstance(error, dict) else {}
    for key in ("code", "status", "status_code"):
        given = fields.get(key)
        if isinstance(given, str) and re.fullmatch(r"[45]\d\d", given):
            given = int(given)
        if isinstance(given, int) and 400 <= given < 600:  # noqa: PLR2004 - HTTP
            return given
    named = f"{fields.get('code')} {fields.get('type')}"
    return next((status for pattern, status in _NAMED if pattern.search(named)), 502)
