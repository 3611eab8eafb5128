"""The closed sets of words of preference data: its pairs, and what becomes of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Speaker(StrEnum):
    """Who says a turn of a conversation."""

    SYSTEM = "system"
    HUMAN = "human"
    ASSISTANT = "assistant"


class PairCase(StrEnum):
    """What is odd about a pair of preference data; some pairs cannot be compared for it."""

    NO_REQUEST = "no_request"
    CHOSEN_WITHOUT_ANSWER = "chosen_without_answer"
    REJECTED_WITHOUT_ANSWER = "rejected_without_answer"
    UNEQUAL_OPENINGS = "unequal_openings"
    TIE = "tie"
    EQUAL_ANSWERS = "equal_answers"
    TEXT_BEFORE_TURNS = "text_before_turns"
    MARKER_WITHIN_TURN = "marker_within_turn"
    EMPTY_TURN = "empty_turn"
    BEGINS_WITH_ASSISTANT = "begins_with_assistant"
    SAME_SPEAKER_TWICE = "same_speaker_twice"
    REPEATED_PAIR = "repeated_pair"
    REVERSED_PAIR = "reversed_pair"


INCOMPARABLE: Final = (
    PairCase.NO_REQUEST,
    PairCase.CHOSEN_WITHOUT_ANSWER,
    PairCase.REJECTED_WITHOUT_ANSWER,
    PairCase.UNEQUAL_OPENINGS,
    PairCase.TIE,
    PairCase.EQUAL_ANSWERS,
)
"""Why a pair counts nowhere; the first that fits is its reason. All else is a remark."""

CASE_WORDS: Final[dict[str, str]] = {
    PairCase.NO_REQUEST: "no person's turn comes before the answers",
    PairCase.CHOSEN_WITHOUT_ANSWER: "the chosen side ends without an answer",
    PairCase.REJECTED_WITHOUT_ANSWER: "the rejected side ends without an answer",
    PairCase.UNEQUAL_OPENINGS: "the two sides answer different conversations",
    PairCase.TIE: "neither answer is preferred",
    PairCase.EQUAL_ANSWERS: "both answers are the same",
    PairCase.TEXT_BEFORE_TURNS: "text stands before the first turn",
    PairCase.MARKER_WITHIN_TURN: "a turn holds what looks like the beginning of another",
    PairCase.EMPTY_TURN: "an earlier turn is empty",
    PairCase.BEGINS_WITH_ASSISTANT: "the assistant speaks first",
    PairCase.SAME_SPEAKER_TWICE: "one speaker has two turns in a row",
    PairCase.REPEATED_PAIR: "the same pair stands in the file before",
    PairCase.REVERSED_PAIR: "the same two answers stand in the file before, the other preferred",
}
"""Each case in words, as a clause."""


class Untaught(StrEnum):
    """Why a pair that could be compared is not learnt from."""

    MENTIONS_GROUP = "mentions_group"
    NOT_RENDERED = "not_rendered"
    TOO_LONG = "too_long"


LEARNT: Final = "learnt"
"""What becomes of all other pairs."""

UNTAUGHT_WORDS: Final[dict[str, str]] = {
    **{str(case): CASE_WORDS[case] for case in INCOMPARABLE},
    Untaught.MENTIONS_GROUP: "it mentions a group that the variant is to learn nothing about",
    Untaught.NOT_RENDERED: "the chat template takes no such turns",
    Untaught.TOO_LONG: "it is longer than max_tokens",
}
"""Why a pair is not learnt from, in words; the first that fits is its reason."""


class Unheeded(StrEnum):
    """What is doubtful about a pair that is analysed: some measures do not know it."""

    UNLABELLED = "unlabelled"
    UNSURE = "unsure"


class PairAccount(StrEnum):
    """How a row of the ledger counts pairs: each is analysed or left out, remarks aside."""

    ANALYSED = "analysed"
    LEFT_OUT = "left_out"
    REMARK = "remark"


class Place(StrEnum):
    """Where in a pair a group is mentioned."""

    REQUEST = "request"
    EARLIER_ANSWER = "earlier_answer"
    CHOSEN = "chosen"
    REJECTED = "rejected"


class Side(StrEnum):
    """Which answer of a pair."""

    CHOSEN = "chosen"
    REJECTED = "rejected"


class PairVerdict(StrEnum):
    """What a judge makes of a pair that it was asked about in both orders."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    EQUAL = "equal"
    BY_POSITION = "by_position"
    UNREAD = "unread"


PAIR_VERDICT_WORDS: Final[dict[str, str]] = {
    PairVerdict.AGREES: "the judge prefers it too",
    PairVerdict.DISAGREES: "the judge prefers the rejected one",
    PairVerdict.EQUAL: "the judge finds both as good",
    PairVerdict.BY_POSITION: "the judge goes by the order",
    PairVerdict.UNREAD: "the judge names none",
}
"""Each verdict as people read it, of the preferred answer."""


class Adjustment(StrEnum):
    """What a comparison of preference data takes account of."""

    NONE = "none"
    HARM = "harm"
