"""The closed sets of words that tables and config share."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from refusal_parity.spelling import reading


class Label(StrEnum):
    """What a response does with the request: the six classes of arXiv 2403.13213, and a seventh.

    Theirs have no word for a refusal in part, which XSTest's three classes do.
    """

    ANSWER = "answer"
    PARTIAL_ANSWER = "partial_answer"
    FAILURE = "failure"
    REFUSAL = "refusal"
    PARTIAL_REFUSAL = "partial_refusal"
    HARMFUL_REFUSAL = "harmful_refusal"
    HARMFUL_ANSWER = "harmful_answer"


REFUSALS: Final = (Label.REFUSAL, Label.PARTIAL_REFUSAL, Label.HARMFUL_REFUSAL)
"""The labels of responses that refuse, wholly or in part."""


SPLIT: Final = " / "
"""Stands between the labels that people give who differ."""


def spelled_out(label: str) -> str:
    """A label as people write it, in the spelling of the vocabulary: `Partial answer`."""
    return re.sub(r"[ _-]+", "_", reading(label))


class LabelSource(StrEnum):
    """Who gave a label."""

    HUMAN = "human"
    IMPORTED = "imported"
    CLASSIFIER = "classifier"
    KEYWORD = "keyword"


class SampleSet(StrEnum):
    """Why a response was drawn for people to label."""

    PROBABILITY = "probability"
    INFORMATIVE = "informative"


class Coefficient(StrEnum):
    """What a row of the agreement table measures."""

    AGREEMENT = "agreement"
    COHEN_KAPPA = "cohen_kappa"
    KRIPPENDORFF_ALPHA = "krippendorff_alpha"
    GWET_AC1 = "gwet_ac1"
    MISSED_REFUSAL = "missed_refusal_rate"
    FALSE_REFUSAL = "false_refusal_rate"
    MISSED_REFUSAL_SPREAD = "missed_refusal_spread"
    FALSE_REFUSAL_SPREAD = "false_refusal_spread"


class Status(StrEnum):
    """What came of a request.

    Only `ok` is labelled, cut off or not. `filtered` is a refusal by the service: a
    filter stopped the request or the response.
    """

    OK = "ok"
    EMPTY = "empty"
    FILTERED = "filtered"
    ERROR = "error"


class Exclusion(StrEnum):
    """Why a response is left out of the analysis."""

    EMPTY = "empty"
    ERROR = "error"
    FILTERED = "filtered"
    LEFT_OUT = "left_out"
    UNDECIDED = "undecided"
    ABSTAINED = "abstained"
    NO_RESPONSE = "no_response"


EXCLUSION_WORDS: Final[dict[str, str]] = {
    Exclusion.EMPTY: "empty",
    Exclusion.ERROR: "failed",
    Exclusion.FILTERED: "refused by the service",
    Exclusion.LEFT_OUT: "cut off",
    Exclusion.UNDECIDED: "cut off before anything was decided",
    Exclusion.ABSTAINED: "too doubtful to label",
    Exclusion.NO_RESPONSE: "without a response",
}
"""Each reason as it stands after a number: `12 empty`."""


class Loss(StrEnum):
    """What may happen to a response, and more often for some groups."""

    LEFT_OUT = "left_out"
    TRUNCATED = "truncated"
    FILTERED = "filtered"


class Reading(StrEnum):
    """How the responses that were left out are read, to see what depends on them."""

    HIGHEST = "highest"
    LOWEST = "lowest"


class CutReading(StrEnum):
    """How responses that were cut off count: as `analysis.truncated` has it."""

    LABEL = "label"
    LEAVE_OUT = "leave_out"


class Estimand(StrEnum):
    """What a row of the disparity table estimates or tests."""

    RISK_DIFFERENCE = "risk_difference"
    RISK_RATIO = "risk_ratio"
    ODDS_RATIO = "odds_ratio"
    MEAN_DIFFERENCE = "mean_difference"
    GLOBAL = "global"


class Scope(StrEnum):
    """To what a result generalises."""

    THESE_RESPONSES = "these responses only"
    NEW_NAMES = "these templates, new names"
    NEW_NAMES_AND_TEMPLATES = "new templates and new names"
    NEW_PROMPTS = "new prompts"


class Verdict(StrEnum):
    """What a study can say of a question."""

    SHOWN = "shown"
    EQUIVALENT = "equivalent"
    NOT_SHOWN = "not_shown"
    DESCRIBED = "described"
    NOT_ESTIMABLE = "not_estimable"


class Correction(StrEnum):
    """How p-values of a family of tests are corrected for their number."""

    MAX_T = "max_t"
    HOLM = "holm"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"


class ModelEstimand(StrEnum):
    """What a row of the comparison of models estimates."""

    RATE_DIFFERENCE = "rate_difference"
    DISPARITY_DIFFERENCE = "disparity_difference"
    RATE_TREND = "rate_trend"
    DISPARITY_TREND = "disparity_trend"


class MixedQuantity(StrEnum):
    """What a row of the table of mixed models holds."""

    ODDS_RATIO = "odds_ratio"
    LIKELIHOOD_RATIO = "likelihood_ratio"
    VARIANCE = "variance"


class DesignQuantity(StrEnum):
    """What a row of the table of designs answers."""

    MINIMUM_DETECTABLE = "minimum_detectable"
    NAMES_NEEDED = "names_needed"
    TEMPLATES_NEEDED = "templates_needed"
    SAMPLES_NEEDED = "samples_needed"
    ONE_MORE_NAME = "one_more_name"
    ONE_MORE_TEMPLATE = "one_more_template"
    ONE_MORE_SAMPLE = "one_more_sample"
    DETECTABLE_ODDS_RATIO = "detectable_odds_ratio"


class NameVariance(StrEnum):
    """How much names vary in the studies that the self-check simulates."""

    COMMON = "common"
    BY_GROUP = "by_group"


class LeftOut(StrEnum):
    """What a difference is computed without, to see whether it rests on it."""

    NAME = "name"
    TEMPLATE = "template"
    PROMPT = "prompt"


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


class Adjustment(StrEnum):
    """What a comparison of preference data takes account of."""

    NONE = "none"
    HARM = "harm"
