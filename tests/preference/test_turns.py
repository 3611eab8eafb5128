"""Turns of conversations: who speaks, what the answer is, and what is odd, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from refusal_parity.errors import InputError
from refusal_parity.pair_vocabulary import PairCase, Speaker
from refusal_parity.preference.turns import (
    Conversation,
    Turn,
    answered,
    asked,
    read_messages,
    split_transcript,
)

AT = {"what": "column 'c'", "where": "f, line 1"}
H, A, S = Speaker.HUMAN, Speaker.ASSISTANT, Speaker.SYSTEM
BEGINS, EMPTY = PairCase.BEGINS_WITH_ASSISTANT, PairCase.EMPTY_TURN
TWICE, WITHIN = PairCase.SAME_SPEAKER_TWICE, PairCase.MARKER_WITHIN_TURN


def messages(*turns: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"role": role, "content": text} for role, text in turns]


@pytest.mark.parametrize(
    ("role", "speaker"),
    [
        *((role, S) for role in ("system", "developer")),
        *((role, H) for role in ("human", "user", "prompter", "User ", "HUMAN")),
        *((role, A) for role in ("assistant", "gpt", "model", "chatbot", "bot")),
    ],
)
def test_speakers_have_many_names(role: str, speaker: Speaker) -> None:
    for message in ({"role": role, "content": " Hi\n"}, {"from": role, "value": " Hi\n"}):
        assert read_messages([message], **AT).turns == (Turn(speaker, "Hi"),)


@pytest.mark.parametrize(
    "message",
    [
        {"role": 3, "content": "x"},
        {"role": "user", "content": 3},
        {"content": "x"},
        "x",
    ],
)
def test_a_message_without_its_texts_is_refused(message: Any) -> None:
    with pytest.raises(InputError, match="without the texts role and content") as caught:
        read_messages([message], **AT)
    assert caught.value.where == "f, line 1"


def test_an_unknown_speaker_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="column 'c' has a message of 'Tool'") as caught:
        read_messages(messages(("user", "a"), ("Tool", "b")), **AT)
    assert caught.value.where == "f, line 1"
    assert "system, human, assistant; also known: " in caught.value.remedy


@pytest.mark.parametrize(
    ("turns", "answer", "opening", "cases"),
    [
        ([("user", "a"), ("bot", "b")], "b", 1, set()),
        ([("user", "a")], None, 1, set()),
        ([("user", "a"), ("bot", " \u200b")], None, 1, set()),
        ([("user", ""), ("bot", "b")], "b", 1, {EMPTY}),
        # The last turn is a person's, and no answer that may be empty.
        ([("user", "a"), ("bot", "b"), ("user", None)], None, 3, {EMPTY}),
        ([("system", "s"), ("user", "a"), ("bot", "b")], "b", 2, set()),
        # What the system says stands between nobody's two turns.
        ([("user", "a"), ("system", "s"), ("user", "b"), ("bot", "c")], "c", 3, {TWICE}),
        ([("bot", "a"), ("user", "b")], None, 2, {BEGINS}),
        ([("user", "a"), ("bot", "b"), ("bot", "c")], "c", 2, {TWICE}),
        ([("user", "x\n \tAssistant: y"), ("bot", "b")], "b", 1, {WITHIN}),
        ([("user", "x"), ("bot", "so\nHuman: y")], "so\nHuman: y", 1, {WITHIN}),
        ([("user", "ask Human: y"), ("bot", "b")], "b", 1, set()),
        ([("system", "s")], None, 1, set()),
        ([], None, 0, set()),
    ],
)
def test_the_answer_and_what_comes_before_it(
    turns: list[tuple[str, str | None]], answer: str | None, opening: int, cases: set[PairCase]
) -> None:
    found = read_messages(messages(*turns), **AT)
    assert found.answer == answer
    assert found.opening == found.turns[:opening]
    assert found.cases == cases


@pytest.mark.parametrize(
    ("text", "turns", "cases"),
    [
        ("\n\nHuman: a\n\nAssistant: b ", [(H, "a"), (A, "b")], set()),
        ("Human: a\n\nAssistant: b", [(H, "a"), (A, "b")], set()),
        ("\n\nHuman: a\nAssistant: b", [(H, "a\nAssistant: b")], {WITHIN}),
        ("\n\n\n\nHuman: a", [(H, "a")], set()),
        ("So\n\nHuman: a", [(H, "a")], {PairCase.TEXT_BEFORE_TURNS}),
        ("So", [], {PairCase.TEXT_BEFORE_TURNS}),
        (" \n", [], set()),
    ],
)
def test_transcripts(text: str, turns: list[tuple[Speaker, str]], cases: set[PairCase]) -> None:
    found = split_transcript(text)
    assert found == Conversation(tuple(Turn(*each) for each in turns), frozenset(cases))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>I cannot help, or can I?</think>\n\nRice.", "Rice."),
        ("<think>I cannot help, or", None),
        ("Write <think> first.", "Write <think> first."),
    ],
)
def test_what_was_thought_is_no_part_of_the_answer(text: str, answer: str | None) -> None:
    messages = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": text}]
    found = read_messages(messages, what="chosen", where="a.jsonl, line 1")
    assert found.answer == answer
    assert found.turns[1].text == text


def test_prompts_and_their_answers() -> None:
    as_text = asked(" Who? \ud83d", **AT)
    assert as_text.turns == (Turn(H, "Who? \ufffd"),)
    assert asked(" ", **AT).cases == {EMPTY}
    as_list = asked(messages(("bot", "Hi"), ("user", "Who?")), **AT)
    assert as_list.cases == {BEGINS}
    whole = answered(as_list, " Me\nHuman: no ", **AT)
    assert whole.answer == "Me\nHuman: no"
    assert whole.cases == {BEGINS, WITHIN}
    # What was odd about the prompt alone stays odd.
    odd = Conversation((Turn(H, "a"),), frozenset({TWICE}))
    assert answered(odd, "b", **AT).cases == {TWICE}


@pytest.mark.parametrize(
    "given",
    [
        "Me",
        messages(("assistant", "Me")),
        messages(("user", "Who?"), ("assistant", "Me")),
        messages(("system", "Be kind."), ("user", "Who?"), ("assistant", "Me")),
    ],
    ids=["text", "its message", "whole", "whole with a system prompt"],
)
def test_an_answer_is_a_text_or_messages(given: Any) -> None:
    found = answered(asked("Who?", **AT), given, **AT)
    assert [turn for turn in found.turns if turn.speaker is not S] == [
        Turn(H, "Who?"),
        Turn(A, "Me"),
    ]
    assert not found.cases


def test_an_answer_that_is_neither_is_refused() -> None:
    with pytest.raises(InputError, match="column 'c' holds no text and no list of messages"):
        answered(asked("Who?", **AT), 3, **AT)
