"""Prompts to token ids: rendered once, with at most one BOS."""

from __future__ import annotations

import hashlib
from array import array
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from jinja2 import TemplateError

from refusal_parity.errors import InputError
from refusal_parity.prompts import BLANK

if TYPE_CHECKING:
    from refusal_parity.inference.requests import Tokenizer

_NO_SYSTEM_ROLE: Final = (
    "If it has no system role, give the model a chat_template that puts the system prompt before "
    "the user's message, or use arms without one."
)


class WithTemplate:
    """A tokenizer with a chat template of the job's choice.

    The template is handed over at each call: one set on vLLM's tokenizer does
    not reach the copies that it renders with. What a tokenizer looks up anew
    each time is looked up once.
    """

    def __init__(self, tokenizer: Any, chat_template: str | None) -> None:
        self.bos_token_id: int | None = tokenizer.bos_token_id
        self.chat_template = chat_template
        self.encode = tokenizer.encode
        self.apply_chat_template = partial(
            tokenizer.apply_chat_template, chat_template=chat_template
        )


def render(
    tokenizer: Tokenizer,
    prompt: str,
    system_prompt: str | None,
    *,
    mode: Literal["chat", "completion"],
    model: str,
) -> list[int]:
    """Token ids of one prompt as the model gets it.

    In chat mode the model's own chat template is rendered, which brings its
    own special tokens. In completion mode the model continues the sentence
    from where its [BLANK] stands; a system prompt goes before it as a line of
    its own.

    Raises:
        InputError: chat mode for a model without a chat template, a chat
            template without system role, or a prompt with two BOS tokens.
    """
    if mode == "completion":
        sentence = prompt.split(BLANK, maxsplit=1)[0].rstrip()
        text = sentence if system_prompt is None else f"{system_prompt}\n{sentence}"
        return _with_one_bos(tokenizer, tokenizer.encode(text, add_special_tokens=True), model)
    if tokenizer.chat_template is None:
        raise InputError(
            "the model has no chat template",
            where=f"models.{model}.prompt_mode",
            remedy="Set it to completion, or give a model folder with a chat template.",
        )
    conversation = [{"role": "user", "content": prompt}]
    if system_prompt is not None:
        conversation.insert(0, {"role": "system", "content": system_prompt})
    try:
        text = tokenizer.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=True
        )
    except TemplateError as error:
        raise InputError(
            f"the model's chat template refuses the conversation ({error})",
            where=f"models.{model}",
            remedy=_NO_SYSTEM_ROLE,
        ) from error
    if system_prompt is not None and system_prompt not in text:
        raise InputError(
            "the model's chat template drops the system prompt",
            where=f"models.{model}",
            remedy=_NO_SYSTEM_ROLE,
        )
    return _with_one_bos(tokenizer, tokenizer.encode(text, add_special_tokens=False), model)


def token_hash(token_ids: list[int]) -> str:
    """SHA-256 of token ids as little-endian 32-bit numbers, first 16 hex digits."""
    numbers = array("I", token_ids)
    return hashlib.sha256(numbers.tobytes()).hexdigest()[:16]


def _with_one_bos(tokenizer: Tokenizer, token_ids: list[int], model: str) -> list[int]:
    bos = tokenizer.bos_token_id
    if bos is not None and token_ids[:2] == [bos, bos]:
        raise InputError(
            "the rendered prompt begins with two BOS tokens",
            where=f"models.{model}",
            remedy="Take the BOS out of the chat template or out of the prompt.",
        )
    return token_ids
