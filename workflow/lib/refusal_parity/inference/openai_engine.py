"""Models behind a server that speaks OpenAI's protocol: closed ones, or `vllm serve`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

import openai

from refusal_parity.errors import InputError
from refusal_parity.inference.requests import Completion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    import polars as pl
    from openai.types import CompletionUsage

    from refusal_parity.config import OpenAIModel, SamplingConfig

_HOPELESS: Final = (
    openai.AuthenticationError,
    openai.PermissionDeniedError,
    openai.NotFoundError,
)
_LONGEST_ERROR: Final = 200


class OpenAIServer:
    """Asks a server for one completion of each row, several at a time."""

    def __init__(
        self,
        model: OpenAIModel,
        sampling: SamplingConfig,
        *,
        where: str,
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Read the key from the environment.

        Args:
            model: its part of the config.
            sampling: how responses are drawn.
            where: what to call the model in an error.
            schema: JSON schema that every response is held to, if any.

        Raises:
            InputError: the environment has no key, or the protocol no such setting.
        """
        if sampling.top_k != -1:
            raise InputError(
                "OpenAI's protocol has no top_k",
                where=f"{where} with sampling.top_k",
                remedy="Leave sampling.top_k out where a study asks a server.",
            )
        self._model = model
        self._sampling = sampling
        self._where = where
        self._format: Any = openai.omit
        if schema is not None:
            named = {"name": "answer", "schema": dict(schema), "strict": True}
            self._format = {"type": "json_schema", "json_schema": named}
        self._key = os.environ.get(model.api_key_env, "") if model.api_key_env else ""
        if model.api_key_env and not self._key:
            raise InputError(
                f"the environment variable {model.api_key_env} is not set",
                where=f"{where}.api_key_env",
                remedy="Set it to the server's key.",
            )

    def generate(self, rows: pl.DataFrame) -> Iterator[Completion]:
        """Completions of rows with system_prompt, prompt and seed, as they finish.

        A row that the server refuses, or that fails after all retries, comes
        back with its error.

        Raises:
            InputError: no row can succeed: a wrong key, address or model name,
                or nothing but failures.
        """
        loop = asyncio.new_event_loop()
        answers = self._answers(list(rows.select("system_prompt", "prompt", "seed").iter_rows()))
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(answers))
                except StopAsyncIteration:
                    return
        finally:
            loop.run_until_complete(answers.aclose())  # type: ignore[attr-defined]
            loop.close()

    async def _answers(self, rows: list[tuple[str | None, str, int]]) -> AsyncIterator[Completion]:
        hopeless_after = 2 * self._model.concurrency
        failures = 0
        waiting = enumerate(rows)
        running: set[asyncio.Task[Completion]] = set()
        # The client's own retries: with back-off, on 408, 409, 429, 5xx,
        # lost connections and timeouts, and after as long as the server says.
        async with openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._model.base_url,
            max_retries=self._model.retries,
            timeout=self._model.timeout_s,
        ) as client:
            try:
                while True:
                    while len(running) < self._model.concurrency:
                        index, row = next(waiting, (-1, None))
                        if row is None:
                            break
                        running.add(asyncio.create_task(self._answer(client, index, *row)))
                    if not running:
                        return
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        completion = task.result()
                        failures = failures + 1 if completion.error else 0
                        yield completion
                        if failures >= max(hopeless_after, 10):
                            raise InputError(
                                f"{failures} requests in a row failed, the last with "
                                f"{completion.error}",
                                where=self._where,
                                remedy="Run again when the server is well: what it answered is "
                                "kept.",
                            )
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _answer(
        self, client: openai.AsyncOpenAI, index: int, system: str | None, prompt: str, seed: int
    ) -> Completion:
        messages: list[Any] = [{"role": "user", "content": prompt}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        try:
            answer = await client.chat.completions.create(
                model=self._model.model,
                messages=messages,
                temperature=self._sampling.temperature,
                top_p=self._sampling.top_p,
                max_tokens=self._sampling.max_tokens,
                seed=seed,
                response_format=self._format,
            )
            choice, usage = answer.choices[0], answer.usage
        except _HOPELESS as error:
            raise InputError(
                f"the server refuses ({type(error).__name__}, status {error.status_code})",
                where=self._where,
                remedy="Check base_url, model and the key in the environment.",
            ) from None
        except (openai.OpenAIError, LookupError, TypeError, ValueError) as error:
            return Completion(index, None, None, None, error=self._without_key(error))
        return Completion(
            index=index,
            text=choice.message.content or choice.message.refusal or "",
            finish_reason=choice.finish_reason,
            response_tokens=usage.completion_tokens if usage else None,
            prompt_tokens=usage.prompt_tokens if usage else None,
            cost=self._cost(usage) if usage else None,
        )

    def _cost(self, usage: CompletionUsage) -> float | None:
        sent, received = self._model.prompt_price, self._model.response_price
        if sent is None or received is None:
            return None
        return (usage.prompt_tokens * sent + usage.completion_tokens * received) / 1e6

    def _without_key(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        # Servers may quote what they were sent.
        return (text.replace(self._key, "***") if self._key else text)[:_LONGEST_ERROR]
