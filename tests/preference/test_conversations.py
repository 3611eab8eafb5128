"""Clusters and harm of conversations: strata against numpy's quantiles and counts by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.preference.conversations import STRATA, describe_conversations
from refusal_parity.preference.harm import HarmModel
from refusal_parity.tables import Pairs, conform

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class ByNumber:
    """Stands in for a pipeline: a request is as harmful as its last word says, in thousandths."""

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        harm = np.array([int(text.split()[-1]) / 1_000 for text in texts])
        return np.stack([1 - harm, harm], axis=1)


HARM = HarmModel(ByNumber(), mask=str)


def pairs_of(requests: dict[int, list[str]], left_out: tuple[int, ...] = ()) -> pl.DataFrame:
    rows = [
        {
            "pair": pair, "exclusion": "tie" if pair in left_out else None, "cases": None,
            "turns": 1, "opening": said[0], "requests": said, "earlier_answers": [],
            "chosen": "a", "rejected": "b",
        }
        for pair, said in requests.items()
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), Pairs, where="test")


def test_clusters_hang_on_first_requests_and_harm_on_all() -> None:
    pairs = pairs_of(
        {
            3: ["how to weave on a loom 100", "thanks 900"],
            4: ["who painted this 200"],
            5: ["left out 999"],
            7: ["how to weave on a loom 100", "why 300"],
        },
        left_out=(5,),
    )
    found = describe_conversations([pairs[:2], pairs[2:]], HARM)
    assert found.drop("stratum").rows() == [(3, 0, 0.9), (4, 1, 0.2), (7, 0, 0.3)]


@pytest.mark.parametrize("number", [5, 23, 100])
def test_strata_are_fifths_by_harm(number: int) -> None:
    harm = np.random.default_rng(number).permutation(1_000)[:number]
    pairs = pairs_of({at: [f"w{at} {each}"] for at, each in enumerate(harm, 1)})
    found = describe_conversations([pairs], HARM)["stratum"].to_numpy()
    limits = [np.quantile(harm, at / STRATA) for at in range(1, STRATA)]
    assert found.tolist() == [sum(each >= limit for limit in limits) for each in harm]
    assert np.ptp(np.bincount(found)) <= 1
    assert set(found) == set(range(5))


def test_requests_that_seem_as_harmful_are_of_one_stratum() -> None:
    pairs = pairs_of({at: [f"w{at} 500"] for at in range(1, 8)})
    assert describe_conversations([pairs], HARM)["stratum"].n_unique() == 1


@pytest.mark.parametrize("parts", [[], [pairs_of({1: ["x 1"]}, left_out=(1,))]], ids=len)
def test_where_no_pair_is_analysed_there_are_none(parts: list[pl.DataFrame]) -> None:
    assert describe_conversations(parts, HARM).is_empty()
