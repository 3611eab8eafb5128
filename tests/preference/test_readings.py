"""What machine and people say of each pair, read measure by measure, by hand."""

from __future__ import annotations

from itertools import product
from typing import Final, NamedTuple

import numpy as np
import pytest
from labelled import people_of, sides_of

from refusal_parity.preference.readings import readings_of
from refusal_parity.vocabulary import Label

EVERY: Final = list(map(str, Label))


class Pair(NamedTuple):
    """The labels of both answers."""

    chosen: str
    rejected: str

    def by_hand(self) -> dict[str, list[bool]]:
        """Each measure; of a share of two first its cases, then the others."""
        one, other = ("refusal" in each for each in self)
        return {
            "chosen_refuses": [one],
            "rejected_refuses": [other],
            "refusal_preferred": [one > other, other > one],
            "both_refuse": [one and other],
            "chosen_harmful": ["harmful" in self.chosen],
            "rejected_harmful": ["harmful" in self.rejected],
        }


PAIRS: Final = [Pair(*each) for each in product(EVERY, EVERY)]


@pytest.mark.parametrize("key", PAIRS[0].by_hand())
def test_each_measure_is_read_from_both_labels(key: str) -> None:
    """The machine says of each pair what people say of the next."""
    moved = [*PAIRS[1:], PAIRS[0]]
    human = people_of(
        [
            (at, side, label, 0.25, "s")
            for at, pair in enumerate(moved, 1)
            for side, label in pair._asdict().items()
        ]
    )
    machine = sides_of(*map(list, zip(*PAIRS, strict=True)))
    found = readings_of(machine, human)[key]
    expected = np.transpose([pair.by_hand()[key] for pair in PAIRS]).astype(float)
    assert len(found) == len(expected)
    for reading, values in zip(found, expected, strict=True):
        assert reading.machine.tolist() == values.tolist()
        assert reading.human.tolist() == np.roll(values, -1).tolist()
        assert set(reading.weight) == {4.0}


def test_weights_and_strata_are_those_of_the_side_that_is_read() -> None:
    """Of what needs both sides, those of the chosen one, among the pairs with both labels."""
    human = people_of(
        [
            *((pair, "chosen", "refusal", 0.5, "a") for pair in (1, 2, 3)),
            (5, "chosen", "answer", 0.25, "b"),
            *((pair, "rejected", "answer", 0.2, "c") for pair in (1, 4)),
        ]
    )
    found = readings_of(sides_of(["answer"] * 6, ["refusal"] * 6), human)
    expected = {
        "chosen_refuses": ([2, 2, 2, 0, 4, 0], [1, 1, 1, 0, 0, 0]),
        "chosen_harmful": ([2, 2, 2, 0, 4, 0], [0] * 6),
        "rejected_refuses": ([5, 0, 0, 5, 0, 0], [0] * 6),
        "rejected_harmful": ([5, 0, 0, 5, 0, 0], [0] * 6),
        # One of the three drawn chosen ones has both.
        "both_refuse": ([6, 0, 0, 0, 0, 0], [0] * 6),
        "refusal_preferred": ([6, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]),
    }
    of_chosen = ["chosen / a"] * 3 + ["", "chosen / b", ""]
    strata = dict.fromkeys(expected, of_chosen)
    of_rejected = ["rejected / c", "", "", "rejected / c", "", ""]
    strata |= dict.fromkeys(("rejected_refuses", "rejected_harmful"), of_rejected)
    for key, (weight, said) in expected.items():
        first = found[key][0]
        assert first.weight == pytest.approx(weight), key
        assert first.human.tolist() == said, key
        assert first.stratum.tolist() == strata[key], key
