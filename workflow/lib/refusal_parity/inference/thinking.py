"""Part what a model writes to itself from its response."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from refusal_parity.inference.thinking_marks import (
    BEGIN,
    END,
    LONGEST_END,
    WRAPPERS,
    Marks,
    marks_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from refusal_parity.config import Thinking
    from refusal_parity.inference.requests import Completion

Drawn = TypeVar("Drawn", "Completion", "Completion | None")

# gpt-oss: each message is in a channel, and only `final` is the response.
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
# Of thinking whose channel the prompt opened: its end, and the next message.
_OPENED: Final = re.compile(
    r"\A(?:(?:analysis|commentary)<\|message\|>)?((?s:.*?))"
    r"<\|end\|>\s*(?=<\|start\|>assistant<\|channel\|>)"
)
# A tag that is quoted has a blank or a mark of quotation before it.
_SENTENCE_ENDED: Final = re.compile(r"(?:(?:\A|\n|[.!?:…][^\w\s]*)[ \t]*|\w)\Z")
_BOX: Final = re.compile(r"<\|(?:begin|end)_of_box\|>")
"""What GLM puts around the heart of a response."""
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

    Thinking at the very start counts, and a block of `<think>` and its like that begins on
    a line of its own, so that a response that quotes a tag stays whole. A closing tag alone
    ends thinking that the prompt began: it counts where it stands as models write it, after
    a whole sentence, right behind a word or at the end of a line, and not where it is quoted
    within one. The tokens that end a message are no part of it.

    Args:
        text: what the model wrote, with the opening tag where the prompt holds it.
        markup: `auto` for all markup that is known, `none` for none, or one pair.
    """
    if markup == "none":
        return Parted(text.strip(), None)
    rest = (BEGIN if markup == "auto" else _INVISIBLE).sub("", text).rstrip()
    thoughts: list[str] = []
    if markup == "auto":
        rest = _part_channels(rest, thoughts)
    marks = marks_of(markup)
    rest = _part_unopened(rest, thoughts, marks)
    while (behind := _part_blocks(rest, thoughts, marks)) != rest:
        # Of thinking within thinking, the outer end is left; any other ends nothing.
        within = bool(thoughts) and bool(marks.start.search(thoughts[-1]))
        rest = _part_unopened(behind, thoughts, marks, spare=not within)
    rest = _part_later(rest, thoughts, marks)
    if markup == "auto":
        rest = _BOX.sub("", _unwrapped(_without_end(rest), thought=bool(thoughts)))
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


def _part_channels(text: str, thoughts: list[str]) -> str:
    """The messages in the channel `final`; the others are thoughts."""
    if not _MESSAGE.match(text) and (opened := _OPENED.match(text)):
        thoughts.append(opened[1])
        text = text[opened.end() :]
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


def _part_unopened(text: str, thoughts: list[str], marks: Marks, *, spare: bool = False) -> str:
    """What follows a closing tag alone; what precedes a spare one that nothing follows."""
    if not marks.first.search(text):
        return text
    opened = marks.start.search(text)
    for found in marks.lone_end.finditer(text, 0, opened.start() if opened else len(text)):
        before = text[max(0, found.start() - _TAIL) : found.start()]
        if _SENTENCE_ENDED.search(before) or _LINE_ENDS.match(text, found.end()):
            rest = text[found.end() :].lstrip()
            if spare and not rest:
                return text[: found.start()].rstrip()
            thoughts.append(text[: found.start()])
            return rest
    return text


def _part_blocks(text: str, thoughts: list[str], marks: Marks) -> str:
    rest = text
    while True:
        for start, end in marks.blocks:
            if opened := start.match(rest):
                ended = end.search(rest, opened.end())
                thoughts.append(rest[opened.end() : ended.start() if ended else None])
                rest = rest[ended.end() :].lstrip() if ended else ""
                break
        else:
            return _part_perhaps(rest, thoughts, marks)


def _part_perhaps(text: str, thoughts: list[str], marks: Marks) -> str:
    """What follows a block that may be thinking, as it is if something does."""
    for start, end in marks.perhaps:
        opened = start.match(text)
        ended = end.search(text, opened.end()) if opened else None
        if opened and ended and (rest := text[ended.end() :].lstrip()):
            thoughts.append(text[opened.end() : ended.start()])
            return rest
    return text


def _part_later(text: str, thoughts: list[str], marks: Marks) -> str:
    """A response without the blocks within it that begin a line, but those of quoted code."""
    if not marks.first.search(text):
        return text
    rest, at = text, 0
    while found := min(
        ((opened, end) for start, end in marks.later if (opened := start.search(rest, at))),
        key=lambda each: each[0].start(),
        default=None,
    ):
        opened, end = found
        ended = end.search(rest, opened.end())
        alone = _LINE_ENDS.match(rest, opened.end())
        if rest.count("```", 0, opened.start()) % 2 or not (ended or alone):
            at = opened.end()
            continue
        thoughts.append(rest[opened.end() : ended.start() if ended else None])
        before, behind = rest[: opened.start()].rstrip(), rest[ended.end() :] if ended else ""
        at, rest = len(before), "\n\n".join(filter(None, [before, behind.strip()]))
    return rest


def _without_end(text: str) -> str:
    """A text without the tokens behind it that end a message."""
    at = len(text)
    while found := END.search(text, max(0, at - LONGEST_END), at):
        # HTML strikes words out by the same tag.
        if found[0] == "</s>" and text.rfind("<s>", 1, at) > text.rfind("</s>", 1, found.start()):
            break
        at = found.start()
        while at and text[at - 1].isspace():
            at -= 1
    return text[:at]


def _unwrapped(text: str, *, thought: bool) -> str:
    for start, end in WRAPPERS:
        if text[: len(start)].lower() == start.lower() and (thought or start.startswith("<|")):
            inner = text[len(start) :].rstrip()
            if inner.lower().endswith(end.lower()):
                inner = inner[: len(inner) - len(end)]
            if start or inner != text:
                return inner
    return text
