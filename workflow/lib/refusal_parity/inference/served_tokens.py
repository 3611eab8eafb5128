"""A model behind vLLM's own server, told in tokens: its words, and how probable tokens are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from refusal_parity.errors import InputError
from refusal_parity.inference.provenance import package_versions
from refusal_parity.inference.rendering import Rendered
from refusal_parity.inference.requests import StepAnswer
from refusal_parity.inference.servers.one_request import Row
from refusal_parity.inference.servers.request_body import request_body
from refusal_parity.inference.thinking_marks import opening_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from refusal_parity.config import OpenAIModel, SamplingConfig
    from refusal_parity.inference.requests import Step
    from refusal_parity.inference.servers.token_server import Body, TokenServer

_TOKENS_AT_ONCE: Final = 128
"""Of which one request of vLLM tells probabilities."""

_UNCUT: Final = {"top_p": 1.0, "top_k": -1, "min_p": 0.0}
"""Against the values that a server takes of a model's own settings, too."""

_ALIKE: Final = 1e-6
_BEFORE, _DRAWN = range(2)


class ServedSpeaker:
    """A model's words, as its server's tokenizer and chat template have them."""

    def __init__(self, key: str, model: OpenAIModel, server: TokenServer) -> None:
        """Stand before a server; nothing is asked yet."""
        self.key = key
        self._model = model
        self._server = server

    def sent(self, pairs: Sequence[tuple[str, str | None]]) -> list[Rendered]:
        """Prompts as the server renders them."""
        extra = self._model.request.extra_body.get("chat_template_kwargs")
        more = {} if extra is None else {"chat_template_kwargs": extra}
        tokens = self._server.tokens_of(
            [
                {"messages": Row(0, system, prompt, 0).messages(), "add_generation_prompt": True}
                | more
                for prompt, system in pairs
            ]
        )
        texts = self._server.texts_of(tokens)
        return [
            Rendered(
                ids, opening_tag(text.rpartition(prompt.strip())[2], self._model.thinking), text
            )
            for ids, text, (prompt, _) in zip(tokens, texts, pairs, strict=True)
        ]

    def said(self, responses: Sequence[tuple[Rendered, str]]) -> list[list[int]]:
        """Tokens of responses, each in its place behind its prompt."""
        # Of many draws a prompt, most are alike.
        distinct = list({(prompt.text, text): prompt for prompt, text in responses}.items())
        both = self._tokens([before + text for (before, text), _ in distinct])
        alone = iter(
            self._tokens(
                [
                    text
                    for ((_, text), prompt), ids in zip(distinct, both, strict=True)
                    if not _begins(ids, prompt)
                ]
            )
        )
        found = {
            key: ids[len(prompt.token_ids) :] if _begins(ids, prompt) else next(alone)
            for (key, prompt), ids in zip(distinct, both, strict=True)
        }
        return [found[prompt.text, text] for prompt, text in responses]

    def written(self, tokens: Sequence[int]) -> str:
        """The words that tokens stand for."""
        return self._server.texts_of([tokens])[0]

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return self._server.tokens_of(
            [{"prompt": text, "add_special_tokens": False} for text in texts]
        )


def _begins(ids: list[int], prompt: Rendered) -> bool:
    return ids[: len(prompt.token_ids)] == prompt.token_ids


class ServedTeller:
    """Says how probable tokens are, as `vllm_next_tokens` does of an engine of one's own."""

    def __init__(self, model: OpenAIModel, sampling: SamplingConfig, server: TokenServer) -> None:
        """Stand before a server; nothing is asked yet.

        Args:
            model: its part of the config.
            sampling: how its responses are drawn.
            server: that of the model.
        """
        self._server = server
        request = model.request.resolved()
        drawn = request_body(request, sampling, seed=0)
        self._drawn = {
            key: value
            for key, value in drawn.items()
            if key != request.rename.get("seed", "seed") and not key.startswith("max_")
        }
        self._address = urlsplit(model.base_url).netloc
        self._checked = False

    def provenance(self) -> dict[str, Any]:
        """What is known of the server."""
        return {
            "engine": "openai",
            "device": f"server {self._address}",
            "packages": package_versions(),
        }

    def next_tokens(self, steps: Sequence[Step]) -> Iterator[StepAnswer]:
        """Answer every question once, in the order in which answers come.

        Raises:
            InputError: the server cannot, or tells what no temperature has changed.
        """
        if steps and not self._checked:
            self._check(steps[0])
            self._checked = True
        of_index = {step.index: step for step in steps}
        asked = [
            (step, kind, lump)
            for step in steps
            for kind in (_BEFORE, _DRAWN)
            for lump in _lumps(step.next_ids)
        ]
        waiting: dict[int, int] = {}
        for step, _, _ in asked:
            waiting[step.index] = waiting.get(step.index, 0) + 1
        said: dict[int, tuple[dict[int, float], ...]] = {index: ({}, {}) for index in of_index}
        for number, answer in self._server.complete([self._body(*each) for each in asked]):
            step, kind, lump = asked[number]
            told = self._told(answer)
            if not told.keys() >= set(lump):
                raise self._server.odd("how probable the tokens are that it is asked about")
            said[step.index][kind].update({token: math.exp(told[token]) for token in lump})
            waiting[step.index] -= 1
            if not waiting[step.index]:
                before, drawn = said.pop(step.index)
                yield StepAnswer(
                    step.index,
                    [before[token] for token in step.next_ids],
                    [drawn[token] for token in step.next_ids],
                )

    def _body(self, step: Step, kind: int, lump: Sequence[int]) -> Body:
        return {
            **self._drawn,
            **(_UNCUT if kind == _BEFORE else {}),
            "prompt": list(step.token_ids),
            "max_tokens": 1,
            "logprobs": len(lump),
            "logprob_token_ids": list(lump),
            "return_tokens_as_token_ids": True,
        }

    def _told(self, answer: Body) -> dict[int, float]:
        """Log-probabilities by token, of the first token of an answer."""
        try:
            (choice,) = answer["choices"]
            told = choice["logprobs"]["top_logprobs"][0]
            return {int(key.removeprefix("token_id:")): float(told[key]) for key in told}
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise self._server.odd("how probable tokens are") from None

    def _check(self, step: Step) -> None:
        """Refuse a server whose probabilities are those before temperature."""
        bodies = [
            {
                **_UNCUT,
                "temperature": temperature,
                "prompt": list(step.token_ids),
                "max_tokens": 1,
                "logprobs": 5,
                "return_tokens_as_token_ids": True,
            }
            for temperature in (0.5, 2.0)
        ]
        told = dict(self._server.complete(bodies))
        cold, hot = self._told(told[0]), self._told(told[1])
        if all(abs(cold[token] - hot[token]) < _ALIKE for token in cold.keys() & hot.keys()):
            raise InputError(
                "the server tells how probable tokens are before temperature and top_p, which is "
                "not how responses are drawn",
                where=f"{self._server.where}.server",
                remedy="Start it with --logprobs-mode processed_logprobs, which changes no "
                "response.",
            )


def _lumps(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(ids), _TOKENS_AT_ONCE):
        yield ids[at : at + _TOKENS_AT_ONCE]
