"""Models behind a server that speaks OpenAI's protocol: closed ones, or vLLM's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.inference.servers.connection import about_connection, client_of, most_bytes
from refusal_parity.inference.servers.credentials import Credentials
from refusal_parity.inference.servers.errors import one_line
from refusal_parity.inference.servers.one_request import Asker, Row
from refusal_parity.inference.servers.request_body import token_limit
from refusal_parity.inference.servers.stopping_rules import StoppingRules
from refusal_parity.inference.servers.watch import ServerWatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping

    import openai
    import polars as pl

    from refusal_parity.config import OpenAIModel, SamplingConfig
    from refusal_parity.inference.requests import Completion

_TICK_S: Final = 0.5
_LAST_ANSWERS_S: Final = 5.0


class OpenAIServer:
    """Asks a server for one completion of each row, several at a time."""

    def __init__(
        self,
        model: OpenAIModel,
        sampling: SamplingConfig,
        *,
        where: str,
        schema: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the key from the environment.

        Args:
            model: its part of the config.
            sampling: how responses are drawn.
            where: what to call the model in an error.
            schema: JSON schema that every response is held to, if any.
            say: called with a line when the server fails and when it is back.

        Raises:
            InputError: the environment has no key, or the protocol no such setting.
        """
        if sampling.top_k != -1 and "top_k" not in model.request.extra_body:
            raise InputError(
                "OpenAI's protocol has no top_k",
                where=f"{where} with sampling.top_k",
                remedy="Leave sampling.top_k out where a study asks a server, or send it to one "
                f"that knows it: `request: {{extra_body: {{top_k: {sampling.top_k}}}}}`.",
            )
        self._model = model
        self._sampling = sampling
        self._where = where
        self._schema = schema
        self._say = say
        self._credentials = Credentials(model, where=where)
        for line in about_connection(model):
            say(line)

    def generate(self, rows: pl.DataFrame, *, fresh: bool = True) -> Iterator[Completion | None]:
        """Completions of rows with system_prompt, prompt and seed, as they finish.

        A row that the server refuses, or that fails after all tries, comes back with its
        error; null says that nothing finished for a while.

        Args:
            rows: what is asked.
            fresh: whether the server never answered under these settings.

        Raises:
            InputError: no row can succeed: a wrong key, address or model name, a parameter
                that the server does not take, nothing but failures, or no server.
        """
        loop = asyncio.new_event_loop()
        asked = [
            Row(index, *row)
            for index, row in enumerate(rows.select("system_prompt", "prompt", "seed").iter_rows())
        ]
        answers = self._answers(asked, StoppingRules(self._model, self._where, fresh=fresh))
        step: asyncio.Future[Completion | None] | None = None
        try:
            while True:
                step = asyncio.ensure_future(anext(answers), loop=loop)
                try:
                    yield loop.run_until_complete(step)
                except StopAsyncIteration:
                    return
        finally:
            # A signal may have come in the middle of a step.
            if step is not None and not step.done():
                step.cancel()
                loop.run_until_complete(asyncio.wait([step]))
            loop.run_until_complete(answers.aclose())
            loop.close()

    async def _answers(
        self, rows: list[Row], rules: StoppingRules
    ) -> AsyncGenerator[Completion | None]:
        watch = ServerWatch(self._say, patience_s=self._model.patience_s)
        waiting = iter(rows)
        running: set[asyncio.Task[Completion]] = set()
        async with self._client() as client:
            asker = Asker(
                client=client,
                model=self._model,
                sampling=self._sampling,
                schema=self._schema,
                credentials=self._credentials,
                watch=watch,
                rules=rules,
            )
            try:
                while True:
                    if rules.stop is None:
                        # One alone until the server was heard of: what is wrong with it is
                        # wrong with all of them.
                        most = self._model.concurrency if watch.is_there else 1
                        for row in islice(waiting, max(most - len(running), 0)):
                            running.add(asyncio.create_task(asker.answer(row)))
                    if not running:
                        break
                    # What is under way when the job ends was asked, and may be paid, already.
                    wait_s = _TICK_S if rules.stop is None else _LAST_ANSWERS_S
                    done, running = await asyncio.wait(
                        running, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
                    )
                    now = datetime.now(tz=UTC)
                    finished = [
                        replace(task.result(), answered_at=now)
                        for task in done
                        if task.exception() is None
                    ]
                    rules.note(finished, [rows[one.index].prompt for one in finished])
                    nothing: list[Completion | None] = [None]
                    for completion in finished or nothing:
                        yield completion
                    # A fault of the workflow's own takes no answer along.
                    await asyncio.gather(*done)
                    if rules.stop is not None and not done:
                        break
                    rules.look(watch)
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
        if rules.stop is not None:
            raise rules.stop

    def _client(self) -> openai.AsyncOpenAI:
        most = most_bytes(token_limit(self._model.request.resolved(), self._sampling))
        try:
            return client_of(self._model, self._credentials.headers(), most=most)
        # The library's class for an address that is none differs by version.
        except Exception as error:  # noqa: BLE001
            raise InputError(
                f"base_url cannot be used ({one_line(self._credentials.hide(str(error)))})",
                where=self._where,
                remedy="Correct it: http://HOST:PORT/v1.",
            ) from None
