"""Part what a model writes to itself from its response.

The markup is that of the reasoning parsers of vLLM and of the models' own cards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from refusal_parity.config import Thinking
    from refusal_parity.inference.requests import Completion

Drawn = TypeVar("Drawn", "Completion", "Completion | None")

_TAG: Final = (
    r"(?:\w+[:|])?think(?:ing|_\w+)?(?::[\w-]+)?|thoughts?|reasoning|reflection|scratchpad"
)
_TAGGED: Final = (rf"<\|?(?:{_TAG})(?:\s[^<>]*)?\|?>", rf"<\|?/(?:{_TAG})\s*\|?>")
"""`<think>` and its kin: DeepSeek, Qwen, GLM, Kimi, Olmo, Nemotron; `<seed:think>`,
`<mm:think>`, `<ifm|think_fast>`; `<thought>` of Exaone; `<reasoning>`, `<reflection>` and
`<scratchpad>` of many tunings and prompts; with attributes, or with bars as special tokens
have them."""

_PAIRS: Final = (
    ("[THINK]", "[/THINK]"),  # Mistral
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere
    ("<|channel>thought", "<channel|>"),  # Gemma 4
    ("<unused94>thought", "<unused95>"),  # MedGemma
    ("[unused16]", "[unused17]"),  # Pangu
    ("<|open|>think<|sep|>", "<|close|>think<|sep|>"),  # Kimi K3
    ("◁think▷", "◁/think▷"),  # Kimi-VL
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
)
_ONLY_TOGETHER: Final = (
    (r"<\|content_thinking\|>", r"<\|end_message\|>"),  # Inkling
    (r"Here(?: is|'s) my thought process:", r"Here(?: is|'s) my response:"),  # Granite 3
    (r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
)
"""Patterns whose second part ends nothing unless the first began it."""

_WRAPPERS: Final = (
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|START_TEXT|>", "<|END_TEXT|>"),
    ("<|open|>response<|sep|>", "<|close|>response<|sep|>"),
    ("<|content_text|>", "<|end_message|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<answer>", "</answer>"),
    ("<response>", "</response>"),
    ("", "[END FINAL RESPONSE]"),
)
"""What some models put around the response that follows."""

# gpt-oss: each message is in a channel, and only `final` is the response.
_CHANNEL: Final = "<|channel|>"
_CHANNEL_TOKENS: Final = (
    *(_CHANNEL, "<|message|>", "<|start|>", "<|end|>", "<|return|>", "<|call|>", "<|constrain|>"),
)
_MESSAGE: Final = re.compile(
    r"\s*(?:<\|start\|>assistant)?(?:\s*to=[^\s<]+)?<\|channel\|>\s*(analysis|commentary|final)"
    r"(?:\s*to=[^<]*)?(?:\s*<\|constrain\|>[^<]*)?<\|message\|>"
)
_MESSAGE_END: Final = re.compile(r"<\|(?:end|return|call|start)\|>")
# The same without its special tokens: `analysisThe user asks ...assistantfinalThe ...`.
_BARE: Final = re.compile(
    r"(?:assistant)?(?:(analysis|commentary)(?=[^\W_]|(?s:.*?)assistantfinal)|(final)(?=[A-Z]))"
)
_BARE_NEXT: Final = re.compile(r"assistant(analysis|commentary|final)")
_BARE_FINAL: Final = re.compile(r"(?<=[.!?…\"')\]])assistantfinal(?=\S)")

_INVISIBLE: Final = re.compile(r"\A[\s\u200b\u2060\ufeff]+")
# A tag that is quoted has a blank or a mark of quotation before it.
_SENTENCE_ENDED: Final = re.compile(r"(?:(?:\A|\n|[.!?:…][^\w\s]*)[ \t]*|\w)\Z")
_LINE_ENDS: Final = re.compile(r"[ \t]*\n")
_TAIL: Final = 20
"""How much of the text before a closing tag says whether a sentence ended there."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A response and the thinking before it.

    Attributes:
        response: what is left as response; empty where the thinking never ended.
        thinking: the thinking without its markup; null where there is none.
    """

    response: str
    thinking: str | None


def part(text: str, markup: Thinking = "auto") -> Parted:
    """Part a response from the thinking that stands before it.

    Only thinking at the very start counts, so that a response that quotes a tag
    stays whole. A closing tag alone ends thinking that the prompt began: it counts
    where it stands as models write it, after a whole sentence, right behind a word or
    at the end of a line, and not where it is quoted within one.

    Args:
        text: what the model wrote, with the opening tag where the prompt holds it.
        markup: `auto` for all markup that is known, `none` for none, or one pair.
    """
    if markup == "none":
        return Parted(text.strip(), None)
    rest = _INVISIBLE.sub("", text).rstrip()
    thoughts: list[str] = []
    if markup == "auto":
        rest = _part_channels(rest, thoughts)
    marks = _marks(markup)
    rest = _part_unopened(rest, thoughts, marks)
    while (behind := _part_blocks(rest, thoughts, marks)) != rest:
        # Of thinking within thinking, the outer end is left.
        rest = _part_unopened(behind, thoughts, marks)
    if markup == "auto":
        rest = _unwrapped(rest, thought=bool(thoughts))
    thinking = "\n\n".join(filter(None, map(str.strip, thoughts)))
    return Parted(rest.strip(), thinking or None)


def parted(completions: Iterable[Drawn], markup: Thinking) -> Iterator[Drawn]:
    """What any engine yields, with the thinking that it left in the texts apart."""
    for one in completions:
        if one is None or one.text is None:
            yield one
            continue
        found = part(one.text, markup)
        thoughts = [text for text in (one.thinking, found.thinking) if text]
        yield replace(one, text=found.response, thinking="\n\n".join(thoughts) or None)


def opening_tag(prompt: str, markup: Thinking) -> str:
    """The tag with which a prompt begins the model's thinking for it; empty for none."""
    if markup == "none":
        return ""
    start = _marks(markup).start.pattern
    if markup == "auto":
        start += r"|<\|channel\|>analysis<\|message\|>"
    found = _pattern(rf"(?:{start})\s*\Z").search(prompt)
    return found[0] if found else ""


def markup_tokens(special_tokens: Iterable[str], markup: Thinking) -> frozenset[str]:
    """Those of a tokenizer's special tokens without which thinking cannot be told."""
    if markup == "none":
        return frozenset()
    special = set(special_tokens)
    if markup != "auto":
        return frozenset(token for token in special if token in markup.start + markup.end)
    literal = "\n".join(mark for pair in _PAIRS for mark in pair) + "<|content_thinking|>"
    found = {
        token
        for token in special
        if token in literal or re.fullmatch("|".join(_TAGGED), token, re.IGNORECASE)
    }
    if _CHANNEL in special:
        found |= special.intersection(_CHANNEL_TOKENS)
    if found:
        wrapped = "\n".join(mark for pair in _WRAPPERS for mark in pair)
        found |= {token for token in special if token in wrapped}
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Marks:
    """Patterns of what starts and ends thinking.

    Attributes:
        blocks: those of each pair.
        start: any of what starts it.
        lone_end: any of what may end it alone.
        first: the first character of each of these, to be quick where there is none.
    """

    blocks: list[tuple[re.Pattern[str], re.Pattern[str]]]
    start: re.Pattern[str]
    lone_end: re.Pattern[str]
    first: re.Pattern[str]


@cache
def _marks(markup: Thinking) -> _Marks:
    if isinstance(markup, str):
        lone = [_TAGGED, *((re.escape(start), re.escape(end)) for start, end in _PAIRS)]
        pairs = [*lone, *_ONLY_TOGETHER]
    else:
        pairs = lone = [(re.escape(markup.start), re.escape(markup.end))]
    return _Marks(
        blocks=[(_pattern(rf"(?:{start}\s*)+"), _pattern(end)) for start, end in pairs],
        start=_pattern("|".join(start for start, _ in pairs)),
        lone_end=_pattern("|".join(end for _, end in lone)),
        first=_pattern("|".join({re.escape(end.removeprefix("\\")[0]) for _, end in lone})),
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _part_channels(text: str, thoughts: list[str]) -> str:
    """The messages in the channel `final`; the others are thoughts."""
    if _MESSAGE.match(text):
        pieces = _MESSAGE.split(text)[1:]
        bodies = [_MESSAGE_END.split(body, maxsplit=1)[0] for body in pieces[1::2]]
        channels = pieces[::2]
    elif first := _BARE.match(text):
        pieces = _BARE_NEXT.split(text[first.end() :])
        bodies, channels = pieces[::2], [first[1] or first[2], *pieces[1::2]]
    elif "assistantfinal" in text:
        # Of thinking in a channel that the prompt opened.
        *analysis, rest = _BARE_FINAL.split(text, maxsplit=1)
        thoughts.extend(analysis)
        return rest
    else:
        return text
    said = zip(channels, bodies, strict=True)
    final: list[str] = []
    for channel, body in said:
        (final if channel == "final" else thoughts).append(body)
    return "\n\n".join(body.strip() for body in final)


def _part_unopened(text: str, thoughts: list[str], marks: _Marks) -> str:
    if not marks.first.search(text):
        return text
    opened = marks.start.search(text)
    for found in marks.lone_end.finditer(text, 0, opened.start() if opened else len(text)):
        before = text[max(0, found.start() - _TAIL) : found.start()]
        if _SENTENCE_ENDED.search(before) or _LINE_ENDS.match(text, found.end()):
            thoughts.append(text[: found.start()])
            return text[found.end() :].lstrip()
    return text


def _part_blocks(text: str, thoughts: list[str], marks: _Marks) -> str:
    rest = text
    while True:
        for start, end in marks.blocks:
            if opened := start.match(rest):
                ended = end.search(rest, opened.end())
                thoughts.append(rest[opened.end() : ended.start() if ended else None])
                rest = rest[ended.end() :].lstrip() if ended else ""
                break
        else:
            return rest


def _unwrapped(text: str, *, thought: bool) -> str:
    for start, end in _WRAPPERS:
        if text.startswith(start) and (thought or start.startswith("<|")):
            inner = text.removeprefix(start).rstrip().removesuffix(end)
            if start or inner != text:
                return inner
    return text
