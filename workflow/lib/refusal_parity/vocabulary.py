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

UNDECIDED: Final = "undecided"
"""What people say of a response that does not show which label it has."""

"""Stands between the labels that people give who differ."""


def spelled_out(label: str) -> str:
    """A label as people write it, in the spelling of the vocabulary: `Partial answer`."""
    return re.sub(r"[ _-]+", "_", reading(label))


def as_label(word: str) -> str:
    """A file's word for a label, as it is looked up; programs write whole numbers as 1.0."""
    return spelled_out(re.sub(r"^(\d+)\.0+$", r"\1", word.strip()))


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

    @property
    def words(self) -> str:
        """What stands behind `for` in a sentence."""
        return self.replace(", ", " and ")


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
    SHORT_REQUESTS = "short_requests"
    CONTINUATIONS = "continuations"
    WEIGHING_TOKENS = "weighing_tokens"
    HALF_WIDTH_DRAWN = "half_width_drawn"
    HALF_WIDTH_WEIGHED = "half_width_weighed"


class NameVariance(StrEnum):
    """How much names vary in the studies that the self-check simulates."""

    COMMON = "common"
    BY_GROUP = "by_group"


class PooledUnit(StrEnum):
    """What rates are pooled of."""

    NAME = "name"
    TEMPLATE = "template"


class LeftOut(StrEnum):
    """What a difference is computed without, to see whether it rests on it."""

    NAME = "name"
    TEMPLATE = "template"
    PROMPT = "prompt"
