from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import OUTCOMES, Outcome, Words
from refusal_parity.quantities import LogOdds, Mean, Share, WeighedRate
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.rates import rates
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Study = Callable[..., pl.DataFrame]

LABELS = [str(label) for label in Label]
GROUPS = {
    "x": {f"x{at}": ["rar", "rpa", "rap", "arp"] for at in range(4)},
    "y": {f"y{at}": ["rpa", "rpp", "apr", "ppr"] for at in range(4)},
}


@pytest.fixture
def added() -> Iterator[dict[str, Outcome]]:
    """A rate and a mean that somebody adds: nothing but their declarations."""
    before = set(OUTCOMES)
    Outcome(
        "hedging",
        Share(frozenset({Label.PARTIAL_ANSWER, Label.FAILURE})),
        Words(heading="Hedging", meaning="the response goes round the request", verb="hedged"),
    )
    Outcome(
        "refusal_length",
        Mean("words", frozenset({Label.REFUSAL}), "words", margin=3.0),
        Words(heading="Length of refusals", meaning="words of a refusal"),
    )
    yield {key: OUTCOMES[key] for key in set(OUTCOMES) - before}
    for key in set(OUTCOMES) - before:
        del OUTCOMES[key]


def test_added_outcomes_go_wherever_outcomes_go(study: Study, added: dict[str, Outcome]) -> None:
    observations = study(GROUPS).with_columns(
        words=pl.when(pl.col("label") == "refusal")
        .then(5 + pl.int_range(pl.len()) % 7)
        .otherwise(40)
    )
    analysis = AnalysisConfig.model_validate(
        {
            "outcomes": [*added, "answer_length"],
            "dimensions": {"group": {"reference": "x"}},
            "permutations": 99,
            "bootstraps": 99,
        }
    )
    assert analysis.readings == [added["hedging"]]
    counted = rates(observations, analysis).filter(dimension="group", within="all")
    assert dict(counted.select("group", "k").iter_rows()) == {"x": 12, "y": 24}
    table = disparities(observations, analysis)
    assert set(table["outcome"]) == {"hedging", "refusal_length", "answer_length"}
    means = table.filter(outcome="refusal_length", method="ols_cr2_two_way", group="y")
    of_refusals = observations.filter(label="refusal").group_by("group").agg(pl.col("words").mean())
    expected = dict(of_refusals.iter_rows())
    assert means["n_group"].item() == 16
    assert means["estimate"].item() == pytest.approx(expected["y"] - expected["x"], abs=2.5)


@pytest.mark.parametrize("key", ["refusals", "Refusal", "", "hedging"])
def test_an_outcome_that_nobody_declared_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is no outcome; there are refusal, harmful_refusal"):
        AnalysisConfig.model_validate({"outcomes": [key]})


def test_margins_are_in_the_unit_of_the_outcome(added: dict[str, Outcome]) -> None:
    analysis = AnalysisConfig(
        margin=0.02, length_margin=7, dimensions={"group": DimensionConfig(reference="x")}
    )
    assert analysis.margin_of(Outcome.REFUSAL) == 0.02
    assert analysis.margin_of(Outcome.ANSWER_LENGTH) == 7
    assert analysis.margin_of(added["refusal_length"]) == 3
    assert [each.quantity.unit for each in OUTCOMES.values()].count("words") == 2


def test_an_outcome_is_declared_once_and_copied_as_itself() -> None:
    with pytest.raises(ValueError, match="outcome refusal is declared twice"):
        Outcome("refusal", Share(frozenset()), Words(heading="", meaning=""))
    assert copy.deepcopy([Outcome.REFUSAL])[0] is Outcome.REFUSAL


@pytest.mark.parametrize("outcome", OUTCOMES.values())
def test_words_are_there_for_every_sentence(outcome: Outcome) -> None:
    assert outcome.words.heading
    assert outcome.words.meaning
    assert bool(outcome.words.verb) == outcome.is_rate
    quantity = outcome.quantity
    assert isinstance(quantity, (LogOdds, WeighedRate)) or quantity.labels <= set(LABELS)
