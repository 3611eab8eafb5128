"""Conversations as turns, from transcripts and from lists of messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from refusal_parity.errors import InputError
from refusal_parity.inference.thinking import part
from refusal_parity.pair_vocabulary import PairCase, Speaker
from refusal_parity.spelling import is_blank, reading
from refusal_parity.textfiles import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MARK: Final = re.compile(r"\n\n(Human|Assistant):")
"""Where a turn begins in the transcripts of the Helpful and Harmless data."""

_INNER_MARK: Final = re.compile(r"^[ \t]*(?:Human|Assistant):", re.MULTILINE)

_AS_IN_FILE: Final = "Give preference.format and preference.columns as the file has them."

_SPEAKERS: Final = {
    **dict.fromkeys(("system", "developer"), Speaker.SYSTEM),
    **dict.fromkeys(("human", "user", "prompter"), Speaker.HUMAN),
    **dict.fromkeys(("assistant", "gpt", "model", "chatbot", "bot"), Speaker.ASSISTANT),
}


class Turn(NamedTuple):
    """What one speaker says at once; the text has no white space around it."""

    speaker: Speaker
    text: str


@dataclass(frozen=True)
class Conversation:
    """One side of a pair.

    Attributes:
        turns: in their order; the last is the answer, if there is one.
        cases: what is odd about them.
    """

    turns: tuple[Turn, ...]
    cases: frozenset[PairCase]

    @cached_property
    def answer(self) -> str | None:
        """The last turn where the assistant says something in it, without what it thought."""
        if not self.turns or self.turns[-1].speaker is not Speaker.ASSISTANT:
            return None
        said = part(self.turns[-1].text).response
        return None if is_blank(said) else said

    @property
    def opening(self) -> tuple[Turn, ...]:
        """What comes before the answer; all turns where there is none."""
        ends = bool(self.turns) and self.turns[-1].speaker is Speaker.ASSISTANT
        return self.turns[:-1] if ends else self.turns


def split_transcript(text: str) -> Conversation:
    r"""The turns of a transcript in which they begin with `\n\nHuman:` and `\n\nAssistant:`.

    Args:
        text: one side of a pair as it stands in the file.
    """
    # Some copies of the data have no blank lines before the first turn.
    first, *rest = _MARK.split(f"\n\n{text}")
    turns = [
        Turn(_SPEAKERS[speaker.lower()], encodable(said).strip())
        for speaker, said in zip(rest[::2], rest[1::2], strict=True)
    ]
    return Conversation(tuple(turns), frozenset(_odd(turns, before=first)))


def read_messages(given: Any, *, what: str, where: str) -> Conversation:
    """The turns of a list of messages, each with `role` and `content` or `from` and `value`.

    Args:
        given: what stands in the file.
        what: the column, for error texts.
        where: file and line, for error texts.

    Raises:
        InputError: it is no such list, or a role is not known.
    """
    turns = [_turn(message, what, where) for message in _list_of(given, what, where)]
    return Conversation(tuple(turns), frozenset(_odd(turns)))


def asked(given: Any, *, what: str, where: str) -> Conversation:
    """The conversation of a prompt: a text is one turn of a person, a list is its messages."""
    if isinstance(given, str):
        turns = [Turn(Speaker.HUMAN, encodable(given).strip())]
        return Conversation(tuple(turns), frozenset(_odd(turns)))
    return read_messages(given, what=what, where=where)


def answered(prompt: Conversation, given: Any, *, what: str, where: str) -> Conversation:
    """The conversation with an answer at its end: a text, or messages, after the prompt's or all.

    Args:
        prompt: as from `asked`.
        given: the answer as it stands in the file.
        what: its column, for error texts.
        where: file and line, for error texts.

    Raises:
        InputError: it is neither.
    """
    if isinstance(given, list):
        turns = list(read_messages(given, what=what, where=where).turns)
    elif isinstance(given, str | None):
        turns = [Turn(Speaker.ASSISTANT, encodable(given or "").strip())]
    else:
        raise InputError(
            f"{what} holds no text and no list of messages", where=where, remedy=_AS_IN_FILE
        )
    before = _without_system(prompt.turns)
    if not before or _without_system(turns)[: len(before)] != before:
        turns = [*prompt.turns, *turns]
    return Conversation(tuple(turns), frozenset({*prompt.cases, *_odd(turns)}))


def _without_system(turns: Iterable[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.speaker is not Speaker.SYSTEM]


def _list_of(given: Any, what: str, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise InputError(f"{what} holds no list of messages", where=where, remedy=_AS_IN_FILE)
    return given


def _turn(message: Any, what: str, where: str) -> Turn:
    if not isinstance(message, dict):
        message = {}
    role = message.get("role", message.get("from"))
    said = message.get("content", message.get("value"))
    if not isinstance(role, str) or not isinstance(said, str | None):
        raise InputError(
            f"{what} holds a message without the texts role and content (or from and value)",
            where=where,
            remedy="Write each message as an object with the two.",
        )
    if reading(role) not in _SPEAKERS:
        raise InputError(
            f"{what} has a message of {role!r}, and it is not known who that is",
            where=where,
            remedy=f"Call the speakers {', '.join(Speaker)}; also known: {', '.join(_SPEAKERS)}.",
        )
    return Turn(_SPEAKERS[reading(role)], encodable(said or "").strip())


def _odd(turns: list[Turn], *, before: str = "") -> Iterator[PairCase]:
    """What is odd about turns; an empty answer at the end has a case of its own."""
    said = [turn.speaker for turn in turns if turn.speaker is not Speaker.SYSTEM]
    earlier = turns[:-1] if said and turns[-1].speaker is Speaker.ASSISTANT else turns
    if before.strip():
        yield PairCase.TEXT_BEFORE_TURNS
    if any(is_blank(turn.text) for turn in earlier):
        yield PairCase.EMPTY_TURN
    if said and said[0] is Speaker.ASSISTANT:
        yield PairCase.BEGINS_WITH_ASSISTANT
    if any(one is other for one, other in pairwise(said)):
        yield PairCase.SAME_SPEAKER_TWICE
    if any(_INNER_MARK.search(turn.text) for turn in turns):
        yield PairCase.MARKER_WITHIN_TURN
