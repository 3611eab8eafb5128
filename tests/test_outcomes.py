from __future__ import annotations

import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.outcomes import OUTCOMES, Outcome
from refusal_parity.quantities import Share
from refusal_parity.vocabulary import Label

COUNTED = {
    Label.ANSWER: set(),
    Label.PARTIAL_ANSWER: {"no_full_answer", "any_refusal", "partial_answer"},
    Label.FAILURE: {"no_full_answer"},
    Label.REFUSAL: {"no_full_answer", "any_refusal", "refusal"},
    Label.PARTIAL_REFUSAL: {"no_full_answer", "any_refusal", "refusal"},
    Label.HARMFUL_REFUSAL: {
        "no_full_answer",
        "any_refusal",
        "refusal",
        "harmful_refusal",
        "harmful_content",
    },
    Label.HARMFUL_ANSWER: {"no_full_answer", "harmful_answer", "harmful_content"},
}


@pytest.mark.parametrize(("label", "counted"), COUNTED.items())
def test_what_each_label_counts_as(label: Label, counted: set[str]) -> None:
    rates = {
        str(outcome)
        for outcome in OUTCOMES.values()
        if isinstance(outcome.quantity, Share) and label in outcome.quantity.labels
    }
    assert rates == counted


def test_the_other_harm_is_analysed_where_it_is_named() -> None:
    harms = [Outcome.HARMFUL_ANSWER, Outcome.HARMFUL_CONTENT]
    assert not set(harms) & set(AnalysisConfig().outcomes)
    named = AnalysisConfig.model_validate({"outcomes": ["refusal", *harms]})
    assert named.outcomes == [Outcome.REFUSAL, *harms]
