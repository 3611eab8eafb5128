"""One row asked of a server, as often as it takes or may take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import openai

from refusal_parity.inference.requests import Completion
from refusal_parity.inference.servers.answers import read_answer
from refusal_parity.inference.servers.connection import RedirectedError, UnreadableError
from refusal_parity.inference.servers.errors import (
    OddAnswerError,
    ServerError,
    WrongAddressError,
    one_line,
)
from refusal_parity.inference.servers.request_body import request_body
from refusal_parity.inference.servers.retrying import wait_before

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.config import OpenAIModel, SamplingConfig
    from refusal_parity.inference.servers.credentials import Credentials
    from refusal_parity.inference.servers.stopping_rules import StoppingRules
    from refusal_parity.inference.servers.watch import ServerWatch

_GONE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """What one request asks.

    Attributes:
        index: number of the row among those that are asked together.
        system: system prompt, null for none.
        prompt: user message.
        seed: seed of the request.
    """

    index: int
    system: str | None
    prompt: str
    seed: int

    def messages(self) -> list[Any]:
        """As the interface wants them."""
        asked: list[Any] = [{"role": "user", "content": self.prompt}]
        return (
            asked if self.system is None else [{"role": "system", "content": self.system}, *asked]
        )


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a server one row at a time; many calls may be under way together.

    Attributes:
        client: the connection.
        model: the model's part of the config.
        sampling: how responses are drawn.
        schema: JSON schema that every response is held to, if any.
        credentials: the key, to be sent and to be hidden.
        watch: told whether the server answers.
        rules: told of what may end the job.
    """

    client: openai.AsyncOpenAI
    model: OpenAIModel
    sampling: SamplingConfig
    schema: Mapping[str, Any] | None
    credentials: Credentials
    watch: ServerWatch
    rules: StoppingRules

    async def answer(self, row: Row) -> Completion:
        """The completion of a row; one that failed in all its tries has its error.

        A server that is out of reach costs no try: the watch ends that.
        """
        tries = 0
        while True:
            came = await self._try(row)
            if isinstance(came, Completion):
                self.watch.answered()
                return came
            self.watch.failed(came.words, unreachable=came.unreachable)
            if came.unreachable:
                await asyncio.sleep(_GONE_S)
                continue
            if tries == self.model.retries or self.rules.stop is not None:
                if came.counts:
                    self.rules.failed(row.index)
                return _without_response(row, came.words)
            await asyncio.sleep(wait_before(tries, came.headers))
            tries += 1

    async def _try(self, row: Row) -> Completion | _Failure:
        request = self.model.request.resolved()
        body = request_body(request, self.sampling, seed=row.seed, schema=self.schema)
        try:
            async with asyncio.timeout(self.model.timeout_s):
                answer = await self.client.chat.completions.with_raw_response.create(
                    model=self.model.model,
                    messages=row.messages(),
                    extra_body=body,
                    extra_query=dict(request.query),
                )
        except (TimeoutError, openai.OpenAIError) as error:
            return self._unanswered(row, error, body)
        try:
            return self._priced(read_answer(row.index, answer.content, hide=self.credentials.hide))
        except ServerError as said:
            return self._refused(row, said, body, answer.headers)
        except (WrongAddressError, OddAnswerError) as odd:
            return self._odd(row, odd, answer.headers)

    def _unanswered(
        self, row: Row, error: TimeoutError | openai.OpenAIError, body: Mapping[str, Any]
    ) -> Completion | _Failure:
        """What an error of the connection, or of the server, means for its row."""
        if isinstance(error, TimeoutError):
            return _Failure(f"no whole answer within timeout_s ({self.model.timeout_s:g} s)")
        if isinstance(error, openai.APIStatusError):
            status, response = error.status_code, error.response
            said = ServerError.of_body(status, response.content, hide=self.credentials.hide)
            return self._refused(row, said, body, response.headers)
        if isinstance(error, RedirectedError):
            self.rules.redirected(error)
        if isinstance(error, UnreadableError | RedirectedError):
            return _without_response(row, one_line(self.credentials.hide(str(error))))
        cause = error.__cause__ or error
        words = one_line(
            self.credentials.hide(f"{type(cause).__name__}: {cause}").removesuffix(": ")
        )
        return _Failure(words, unreachable=type(cause).__name__.startswith("Connect"))

    def _odd(
        self, row: Row, odd: WrongAddressError | OddAnswerError, headers: Mapping[str, str]
    ) -> Completion | _Failure:
        """What an answer that is none means for its row."""
        words = one_line(self.credentials.hide(str(odd)))
        if isinstance(odd, WrongAddressError):
            self.rules.elsewhere(odd)
            return _Failure(words, headers=headers)
        if odd.passing:
            return _Failure(words, headers=headers, counts=False)
        return _without_response(row, words)

    def _refused(
        self, row: Row, said: ServerError, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Completion | _Failure:
        """What an error means for its row: filtered, to be tried again, or failed."""
        if said.refusal_reason is not None:
            return replace(_without_response(row, None), refusal_reason=said.refusal_reason)
        if said.is_passing:
            return _Failure(str(said), headers=headers)
        self.rules.refused(said, body, self.model.request.resolved(), row.index)
        return _without_response(row, str(said))

    def _priced(self, completion: Completion) -> Completion:
        sent, received = self.model.prompt_price, self.model.response_price
        prompt, response = completion.prompt_tokens, completion.response_tokens
        if sent is None or received is None or prompt is None or response is None:
            return completion
        return replace(completion, cost=(prompt * sent + response * received) / 1e6)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A try that brought no answer, where another may.

    Attributes:
        words: why.
        unreachable: whether there was no connection at all.
        headers: of what came back, if anything did.
        counts: whether it counts among failures in a row; an answer that is merely odd does not.
    """

    words: str
    unreachable: bool = False
    headers: Mapping[str, str] | None = None
    counts: bool = True


def _without_response(row: Row, error: str | None) -> Completion:
    return Completion(row.index, None, None, None, error=error)
