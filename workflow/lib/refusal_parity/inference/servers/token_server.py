"""A server that is asked in tokens, by interfaces of vLLM's own beside OpenAI's protocol."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import httpx2
import openai

from refusal_parity.errors import InputError
from refusal_parity.inference.servers.connection import (
    RedirectedError,
    UnreadableError,
    client_of,
)
from refusal_parity.inference.servers.credentials import Credentials
from refusal_parity.inference.servers.errors import ServerError, one_line
from refusal_parity.inference.servers.retrying import wait_before

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from refusal_parity.config import OpenAIModel

COMPLETIONS: Final = "/completions"
_LONGEST_ANSWER: Final = 4 * 1024**2

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    """A try that brought nothing.

    Attributes:
        words: why.
        passing: whether another try may mend it.
        headers: of what came back, if anything did.
    """

    words: str
    passing: bool
    headers: Mapping[str, str] | None = None


class TokenServer:
    """Asks one model's server, several questions at a time."""

    def __init__(self, model: OpenAIModel, *, where: str) -> None:
        """Read the key from the environment.

        Args:
            model: its part of the config.
            where: what to call the model in an error.

        Raises:
            InputError: the environment has no key.
        """
        self.model = model
        self.where = where
        self._credentials = Credentials(model, where=where)
        self._root = model.base_url.rstrip("/").removesuffix("/v1")

    def tokens_of(self, bodies: Sequence[Body]) -> list[list[int]]:
        """What the server's tokenizer makes of texts, or of conversations.

        Raises:
            InputError: it gives none.
        """
        answers = self._all(f"{self._root}/tokenize", bodies)
        return [self._read(answer, "tokens", list) for answer in answers]

    def texts_of(self, tokens: Sequence[Sequence[int]]) -> list[str]:
        """The words that tokens stand for.

        Raises:
            InputError: the server gives none.
        """
        answers = self._all(f"{self._root}/detokenize", [{"tokens": list(each)} for each in tokens])
        return [self._read(answer, "prompt", str) for answer in answers]

    def complete(self, bodies: Sequence[Body]) -> Iterator[tuple[int, Body]]:
        """Completions of given beginnings, each with the number of its body, as they come.

        Raises:
            InputError: the server refuses one, or does not answer after all tries.
        """
        yield from self._each(COMPLETIONS, bodies)

    def odd(self, what: str) -> InputError:
        """The error that an answer without what was asked for is."""
        return InputError(
            f"the server does not tell {what}",
            where=f"{self.where}.server",
            remedy="Serve the model with vLLM 0.30 or later (python -m "
            "vllm.entrypoints.openai.api_server), or take `server: vllm` out: its responses are "
            "then drawn as ever.",
        )

    def _read(self, answer: Body, key: str, kind: type) -> Any:
        found = answer.get(key)
        if not isinstance(found, kind):
            raise self.odd(f"{key} of what it is sent")
        return found

    def _all(self, path: str, bodies: Sequence[Body]) -> list[Body]:
        answers: list[Body] = [{} for _ in bodies]
        for index, answer in self._each(path, bodies):
            answers[index] = answer
        return answers

    def _each(self, path: str, bodies: Sequence[Body]) -> Iterator[tuple[int, Body]]:
        loop = asyncio.new_event_loop()
        answers = self._answers(path, bodies)
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(answers))
                except StopAsyncIteration:
                    return
        finally:
            loop.run_until_complete(answers.aclose())
            loop.close()

    async def _answers(self, path: str, bodies: Sequence[Body]) -> AsyncGenerator[tuple[int, Body]]:
        waiting = iter(enumerate(bodies))
        running: set[asyncio.Task[tuple[int, Body]]] = set()
        headers = self._credentials.headers()
        async with client_of(self.model, headers, most=_LONGEST_ANSWER) as client:
            try:
                while True:
                    room = self.model.concurrency - len(running)
                    for index, body in islice(waiting, room):
                        asking = self._answer(client, path, index, body)
                        running.add(asyncio.create_task(asking))
                    if not running:
                        return
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for answer in await asyncio.gather(*done):
                        yield answer
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _answer(
        self, client: openai.AsyncOpenAI, path: str, index: int, body: Body
    ) -> tuple[int, Body]:
        tries = 0
        while True:
            came = await self._try(client, path, body)
            if not isinstance(came, _Failure):
                return index, came
            if not came.passing or tries == self.model.retries:
                raise InputError(
                    f"the server does not answer what weighing openings asks: {came.words}",
                    where=self.where,
                    remedy="Look whether it runs and is vLLM's; the next run goes on from here.",
                )
            await asyncio.sleep(wait_before(tries, came.headers))
            tries += 1

    async def _try(self, client: openai.AsyncOpenAI, path: str, body: Body) -> Body | _Failure:
        hide = self._credentials.hide
        try:
            async with asyncio.timeout(self.model.timeout_s):
                answer = await client.post(
                    path,
                    cast_to=httpx2.Response,
                    body={"model": self.model.model, **body},
                    options={"params": dict(self.model.request.resolved().query)},
                )
            read = json.loads(answer.content)
        except TimeoutError:
            return _Failure(
                f"no answer within {self.model.timeout_s:g} s (timeout_s)", passing=True
            )
        except openai.APIStatusError as error:
            said = ServerError.of_body(error.status_code, error.response.content, hide=hide)
            return _Failure(str(said), passing=said.is_passing, headers=error.response.headers)
        except (ValueError, RecursionError):
            return _Failure("the answer is no JSON", passing=False)
        except openai.OpenAIError as error:
            cause = error.__cause__ or error
            passing = not isinstance(error, RedirectedError | UnreadableError)
            return _Failure(one_line(hide(f"{type(cause).__name__}: {cause}")), passing=passing)
        if isinstance(read, dict):
            return read
        return _Failure("the answer is no JSON object", passing=False)
