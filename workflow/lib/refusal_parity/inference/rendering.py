"""Prompts to token ids: rendered once, with at most one BOS."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from array import array
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from refusal_parity.config import TEMPLATE_DATE
from refusal_parity.errors import InputError
from refusal_parity.inference.thinking_marks import opening_tag
from refusal_parity.limits import TEMPLATE_MB, TEMPLATE_S, FailedApartError, TooLongError, apart
from refusal_parity.placeholders import BLANK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from refusal_parity.config import Thinking
    from refusal_parity.inference.requests import Tokenizer

_NO_SYSTEM_ROLE: Final = (
    "If it has no system role, give the model a chat_template that puts the system prompt before "
    "the user's message, or use arms without one."
)
_NO_MESSAGE: Final = "Give the model a chat_template that writes the user's message as it stands."
_NO_CONVERSATION: Final = (
    "Give the model a chat_template that takes one message of a user and needs nothing else."
)
_PART_AS_IT_IS: Final = re.compile(r"""['"]type['"]\s*:\s*['"]text['"]""")


_AGAIN: Final = 5
"""How often the first prompt is rendered again: a template may draw lots."""


class EndlessTemplateError(InputError):
    """A chat template that had to be stopped."""


class WithTemplate:
    """A tokenizer with a chat template of the job's choice, and a date that stands still.

    The template is handed over at each call: one set on vLLM's tokenizer does
    not reach the copies that it renders with. What a tokenizer looks up anew
    each time is looked up once.

    Attributes:
        written_date: the date that the template asked for, once it has; null before
            and where it writes none.
    """

    def __init__(
        self, tokenizer: Any, chat_template: str | None, date: dt.date = TEMPLATE_DATE
    ) -> None:
        self.bos_token_id: int | None = tokenizer.bos_token_id
        self.unk_token_id: int | None = tokenizer.unk_token_id
        self.chat_template = chat_template
        self.written_date: str | None = None
        self._date = date
        self.encode = tokenizer.encode
        self.apply_chat_template = partial(
            tokenizer.apply_chat_template,
            chat_template=chat_template,
            strftime_now=self._strftime_now,
        )

    def _strftime_now(self, form: str) -> str:
        """In place of the clock that transformers gives templates."""
        self.written_date = self._date.isoformat()
        return dt.datetime.combine(self._date, dt.time()).strftime(form)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One prompt as the model gets it.

    Attributes:
        token_ids: what is sent.
        begun: the tag at its end that opens the model's thinking; empty for none.
        text: the words that the tokens stand for.
    """

    token_ids: list[int]
    begun: str = ""
    text: str = field(default="", compare=False)


def render(
    tokenizer: Tokenizer,
    prompts: Sequence[tuple[str, str | None]],
    *,
    mode: Literal["chat", "completion"],
    model: str,
    thinking: Thinking = "auto",
) -> list[Rendered]:
    """Render prompts with their system prompts, all in one way.

    In chat mode the model's own chat template is rendered, which brings its
    own special tokens. A template that has no use for messages that are texts
    gets them as parts. In completion mode the model continues the sentence
    from where its [BLANK] stands; a system prompt goes before it as a line of
    its own.

    Args:
        tokenizer: the model's.
        prompts: user messages, each with its system prompt or null.
        mode: of the two.
        model: the model's key in the config.
        thinking: the markup of its thinking.

    Raises:
        InputError: chat mode for a model without a chat template, a chat
            template that refuses, drops or changes words, two prompts that are alike as
            tokens, or a prompt with two BOS tokens.
    """
    if mode == "completion":
        texts = [_sentence(prompt, system) for prompt, system in prompts]
        distinct: Sequence[Any] = texts
        begun = [""] * len(texts)
    else:
        texts = _conversations(tokenizer, prompts, model)
        distinct = [(prompt.strip(), system and system.strip()) for prompt, system in prompts]
        begun = [
            opening_tag(text.rpartition(prompt.strip())[2], thinking)
            for text, (prompt, _) in zip(texts, prompts, strict=True)
        ]
    rendered = [
        Rendered(tokenizer.encode(text, add_special_tokens=mode == "completion"), tag, text)
        for text, tag in zip(texts, begun, strict=True)
    ]
    seen: dict[tuple[int, ...], Any] = {}
    bare = {what for what in distinct if mode == "chat" and not what[1]}
    for (prompt, _), one, what in zip(prompts, rendered, distinct, strict=True):
        _check_tokens(tokenizer, prompt, one.token_ids, model)
        other = seen.setdefault(tuple(one.token_ids), what)
        if other != what and {other, what} <= bare and other[0] == what[0]:
            raise InputError(
                "the model's chat template sends the same for an empty system prompt as for none",
                where=f"models.{model}",
                remedy="Take one of these two arms out of prompts.arms, or the model.",
            )
        if other != what:
            raise InputError(
                f"the tokenizer does not tell {prompt!r} from another prompt",
                where=f"models.{model}",
                remedy="Change the name or the template, or take another model.",
            )
    return rendered


def conversation(tokenizer: Tokenizer, prompt: str, system: str | None = None) -> str:
    """The text that a chat template makes of one prompt; raises as `render` does."""
    return _conversations(tokenizer, [(prompt, system)], "")[0]


def _sentence(prompt: str, system: str | None) -> str:
    sentence = prompt.split(BLANK, maxsplit=1)[0].rstrip()
    return sentence if system is None else f"{system}\n{sentence}"


def _conversations(
    tokenizer: Tokenizer, prompts: Sequence[tuple[str, str | None]], model: str
) -> list[str]:
    """The rendered template of each prompt: with content as text, or else as parts."""
    if tokenizer.chat_template is None:
        raise InputError(
            "the model has no chat template",
            where=f"models.{model}.prompt_mode",
            remedy="Set it to completion, or give a model folder with a chat template.",
        )
    try:
        return list(_rendered(tokenizer, prompts, model, parts=False))
    except EndlessTemplateError:
        raise
    except InputError as error:
        try:
            return list(_rendered(tokenizer, prompts, model, parts=True))
        except InputError:
            raise error from None


def _rendered(
    tokenizer: Tokenizer, prompts: Sequence[tuple[str, str | None]], model: str, *, parts: bool
) -> Iterator[str]:
    """The template as it renders each prompt, all of whose words are in what it makes of it."""

    def give(one: tuple[str, str | None]) -> tuple[str, str | None]:
        text = tokenizer.apply_chat_template(
            _messages(*one, parts=parts), tokenize=False, add_generation_prompt=True
        )
        # What it notes of itself there is lost with the process.
        return text, getattr(tokenizer, "written_date", None)

    system = None
    again = list(prompts[:1]) * _AGAIN
    given = apart(give, [*prompts, *again], seconds=TEMPLATE_S, megabytes=TEMPLATE_MB)
    try:
        with closing(given):
            first = None
            for prompt, system in prompts:
                text, date = next(given)
                if isinstance(tokenizer, WithTemplate):
                    tokenizer.written_date = date
                _check_words(text, prompt, system, model, parts=parts)
                first = text if first is None else first
                yield text
            if any(text != first for text, _ in given):
                raise InputError(
                    "the model's chat template writes something else each time",
                    where=f"models.{model}",
                    remedy="Give the model a chat_template without a clock and without chance.",
                )
    except (TooLongError, MemoryError) as error:
        took = f"{TEMPLATE_S:g} s" if isinstance(error, TooLongError) else f"{TEMPLATE_MB} MB"
        raise EndlessTemplateError(
            f"the model's chat template was stopped: one prompt took more than {took}",
            where=f"models.{model}",
            remedy="Look at the template, and at where the model is from; or give the model a "
            "chat_template of your own.",
        ) from None
    except FailedApartError as error:
        raise InputError(
            f"the model's chat template refuses the conversation ({error})",
            where=f"models.{model}",
            remedy=_NO_CONVERSATION if system is None else _NO_SYSTEM_ROLE,
        ) from None


def _messages(prompt: str, system: str | None, *, parts: bool) -> list[dict[str, Any]]:
    given = {"system": system, "user": prompt}
    return [
        {"role": role, "content": [{"type": "text", "text": text}] if parts else text}
        for role, text in given.items()
        if text is not None
    ]


def _check_words(text: str, prompt: str, system: str | None, model: str, *, parts: bool) -> None:
    """Refuse a rendered prompt that lacks words of what was to be sent."""
    # Templates trim what they are given.
    words = {"system": (system or "").strip(), "user": prompt.strip()}
    # The longer one first: it may hold the words of the other. Parts that are written
    # as they are in memory hold all words and are no prompt.
    rest = "" if parts and _PART_AS_IT_IS.search(text) else text
    for role in sorted(words, key=lambda role: len(words[role]), reverse=True):
        if not words[role]:
            continue
        before, found, after = rest.partition(words[role])
        if not found:
            what = "system prompt" if role == "system" else "user's message"
            raise InputError(
                f"the model's chat template drops or changes the {what} ({words[role]!r})",
                where=f"models.{model}",
                remedy=_NO_SYSTEM_ROLE if role == "system" else _NO_MESSAGE,
            )
        rest = f"{before}\0{after}"


def token_hash(token_ids: list[int]) -> str:
    """SHA-256 of token ids as little-endian 32-bit numbers, first 16 hex digits."""
    numbers = array("I", token_ids)
    return hashlib.sha256(numbers.tobytes()).hexdigest()[:16]


def _check_tokens(tokenizer: Tokenizer, prompt: str, token_ids: list[int], model: str) -> None:
    bos, unknown = tokenizer.bos_token_id, tokenizer.unk_token_id
    if bos is not None and token_ids[:2] == [bos, bos]:
        raise InputError(
            "the rendered prompt begins with two BOS tokens",
            where=f"models.{model}",
            remedy="Take the BOS out of the chat template or out of the prompt.",
        )
    # Templates may hold that token on purpose: it is often the one that ends a text.
    if unknown in token_ids and unknown in tokenizer.encode(prompt, add_special_tokens=False):
        raise InputError(
            f"the tokenizer has no tokens for a part of {prompt!r}",
            where=f"models.{model}",
            remedy="Change the name or the template, or take another model.",
        )
