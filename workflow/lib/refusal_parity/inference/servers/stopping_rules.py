"""When a job that asks a server ends although rows are left: no row could succeed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.inference.servers.request_body import config_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.config import OpenAIModel, RequestConfig
    from refusal_parity.inference.requests import Completion
    from refusal_parity.inference.servers.connection import RedirectedError
    from refusal_parity.inference.servers.errors import ServerError, WrongAddressError
    from refusal_parity.inference.servers.watch import ServerWatch

_HOPELESS: Final = frozenset({401, 402, 404, 405, 410})
_FORBIDDEN: Final = 403
_FORBIDDEN_AT_FIRST: Final = 5
_BAD_REQUEST: Final = frozenset({400, 422})
_FEWEST_IN_A_ROW: Final = 10
_REFUSED_PROMPTS: Final = 50
_TOO_LONG: Final = re.compile(
    r"context (length|window|size)|too long|context_length", re.IGNORECASE
)
_MODEL: Final = re.compile(
    r"\bmodel\b.{0,80}\b(not (exist|found|available|served)|does not exist|unknown)"
    r"|(not a valid|unknown|invalid|no such) model",
    re.IGNORECASE,
)
_AGAIN: Final = "Run again when the server is well: what it answered is kept."


class StoppingRules:
    """Counts what goes wrong, and says when the job has to end.

    Only failures that another try could mend count in a row, after all their tries: a
    prompt that a filter stops, or that the server will never take, says nothing of the
    others. The status 403 may be about one prompt, which a firewall stops, or about the
    key, which was revoked: it ends the job once it came for many prompts and no answer
    between.

    Attributes:
        stop: the error that ends the job; null to go on.
    """

    def __init__(self, model: OpenAIModel, where: str, *, fresh: bool) -> None:
        """Begin to count.

        Args:
            model: the model's part of the config.
            where: what to call it in an error.
            fresh: whether the server never answered under these settings.
        """
        self.stop: InputError | None = None
        self._model = model
        self._where = where
        self._unproven = fresh
        self._most_in_a_row = max(2 * model.concurrency, _FEWEST_IN_A_ROW)
        self._in_a_row = 0
        self._failed: set[int] = set()
        self._refused: set[str] = set()
        self._forbidding: dict[int, ServerError] = {}
        self._forbidden: set[str] = set()
        self._nothing_yet = True

    def failed(self, index: int) -> None:
        """Note a row that failed in all its tries although another could succeed."""
        self._failed.add(index)

    def note(self, completions: Sequence[Completion], prompts: Sequence[str]) -> None:
        """Count rows that are finished."""
        for completion, prompt in zip(completions, prompts, strict=True):
            self._note(completion, prompt)

    def _note(self, completion: Completion, prompt: str) -> None:
        if completion.error is None:
            self._in_a_row = 0
            self._forbidden.clear()
            self._unproven = self._nothing_yet = False
        elif completion.index in self._forbidding:
            self._forbidden.add(prompt)
            # A job that goes on begins with the rows that failed before.
            most = _FORBIDDEN_AT_FIRST if self._unproven else _REFUSED_PROMPTS
            if len(self._forbidden) >= most:
                self._end_by(self._forbidding[completion.index])
        elif completion.index in self._failed:
            self._in_a_row += 1
            if self._in_a_row >= self._most_in_a_row:
                self._end(
                    f"{self._in_a_row} requests in a row failed, the last with {completion.error}",
                    _AGAIN,
                )
        elif self._unproven:
            self._refused.add(prompt)
            if len(self._refused) >= _REFUSED_PROMPTS:
                self._end(
                    f"not one of the first {len(self._refused)} prompts got a response, the last "
                    f"for this reason: {completion.error}",
                    "Check base_url, model and request.",
                )

    def redirected(self, sent_on: RedirectedError) -> None:
        """Note that the server sends requests to where they may not go."""
        self._end(str(sent_on), sent_on.remedy)

    def refused(
        self, said: ServerError, body: Mapping[str, Any], request: RequestConfig, index: int
    ) -> None:
        """Note an error that no try can mend; it may be that of all requests."""
        if said.status == _FORBIDDEN:
            self._forbidding[index] = said
        if said.status in _HOPELESS:
            self._end_by(said)
        if said.status not in _BAD_REQUEST or not self._nothing_yet:
            return
        if _TOO_LONG.search(f"{said.code} {said.words}"):
            return
        parameter = _named(said, body)
        if parameter is not None:
            line = config_line(parameter, said.words, request)
            self._end(
                f"the server does not take the parameter {parameter} ({said})",
                f"In {self._where}: {line}.",
            )
        elif said.parameter == "model" or _MODEL.search(f"{said.code} {said.words}"):
            self._end(f"the server refuses the model ({said})", f"Correct {self._where}.model.")

    def elsewhere(self, odd: WrongAddressError) -> None:
        """Note an answer of another thing than the interface."""
        if not self._nothing_yet:
            return
        if odd.interface is None:
            self._end(
                f"{self._model.base_url} answers with a web page and is no API",
                f"Correct base_url{self._hint(404) or ', which mostly ends in /v1'}.",
            )
        else:
            self._end(
                f"what {self._model.base_url} answers is {odd.interface}",
                "Let base_url name the service's interface in the form of OpenAI's chat "
                "completions, which mostly ends in /v1.",
            )

    def look(self, watch: ServerWatch) -> None:
        """Raise where the watch gives the server up: no request is worth waiting for."""
        gone = watch.look()
        if gone is not None:
            remedy = "Check base_url and whether the server runs." if self._nothing_yet else _AGAIN
            raise InputError(gone, where=self._where, remedy=remedy)

    def _hint(self, status: int) -> str:
        versioned = re.search(r"/v\d|/openai(/|$)", self._model.base_url)
        return " (add /v1 to base_url?)" if status in (404, 405) and not versioned else ""

    def _end_by(self, said: ServerError) -> None:
        self._end(
            f"the server refuses ({said})",
            "Correct base_url, model, the key in the environment or the account"
            f"{self._hint(said.status)}.",
        )

    def _end(self, what: str, remedy: str) -> None:
        self.stop = self.stop or InputError(what, where=self._where, remedy=remedy)


def _named(said: ServerError, body: Mapping[str, Any]) -> str | None:
    """The parameter of a request that an error is about."""
    if said.parameter is not None:
        return said.parameter.split(".")[0] if said.parameter.split(".")[0] in body else None
    return next((key for key in body if re.search(rf"\b{re.escape(key)}\b", said.words)), None)
