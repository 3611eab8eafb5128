"""What machine and people say of each pair, as numbers that a correction takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.pair_vocabulary import Side
from refusal_parity.preference.measures import (
    BOTH_REFUSE,
    CHOSEN_HARMFUL,
    CHOSEN_REFUSES,
    HARMFUL,
    REFUSAL_PREFERRED,
    REJECTED_HARMFUL,
    REJECTED_REFUSES,
)
from refusal_parity.preference.people import KEY, key_of_side
from refusal_parity.vocabulary import REFUSALS, SPLIT, UNDECIDED

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """Something that is so or not of each pair, by the machine and, of a sample, by people.

    Attributes:
        machine: 0 or 1, shape (pairs,).
        human: 0 or 1, or the share of votes where people are split; 0 outside the sample.
        weight: 1 / inclusion probability of the pair, 0 outside the sample.
        stratum: of the sample; empty outside it.
    """

    machine: Floats
    human: Floats
    weight: Floats
    stratum: npt.NDArray[np.object_]


_SIDES: Final = tuple(map(str, Side))
_CHOSEN, _REJECTED = _SIDES


def _refuses(side: str, by: str) -> pl.Expr:
    return pl.col(f"{side}_{by}_refuses")


def _alone(side: str, other: str, by: str) -> pl.Expr:
    return _refuses(side, by) * (1 - _refuses(other, by))


def _expressions(by: str) -> dict[str, tuple[pl.Expr, ...]]:
    """Each measure that labels decide, by the machine or by people."""
    return {
        CHOSEN_REFUSES: (_refuses(_CHOSEN, by),),
        REJECTED_REFUSES: (_refuses(_REJECTED, by),),
        # The first as a share of both.
        REFUSAL_PREFERRED: (_alone(_CHOSEN, _REJECTED, by), _alone(_REJECTED, _CHOSEN, by)),
        BOTH_REFUSE: (_refuses(_CHOSEN, by) * _refuses(_REJECTED, by),),
        CHOSEN_HARMFUL: (pl.col(f"{_CHOSEN}_{by}_harmful"),),
        REJECTED_HARMFUL: (pl.col(f"{_REJECTED}_{by}_harmful"),),
    }


_OF_ONE: Final = {
    CHOSEN_REFUSES: _CHOSEN,
    CHOSEN_HARMFUL: _CHOSEN,
    REJECTED_REFUSES: _REJECTED,
    REJECTED_HARMFUL: _REJECTED,
}
"""Measures that need the label of one side alone."""


def readings_of(sides: pl.DataFrame, human: pl.DataFrame) -> dict[str, tuple[Reading, ...]]:
    """What each measure is read from, by its key; two readings of a share of two.

    Args:
        sides: rows of the Sides table.
        human: rows of the HumanLabels table; the informative ones are no sample.

    Returns:
        Arrays in the order of the pairs.
    """
    rows = _side_by_side(sides, human)
    machine, people = (_expressions(by) for by in ("machine", "people"))
    return {
        key: tuple(
            _reading(rows, _OF_ONE.get(key), ours, theirs)
            for ours, theirs in zip(machine[key], people[key], strict=True)
        )
        for key in machine
    }


def _reading(rows: pl.DataFrame, side: str | None, machine: pl.Expr, people: pl.Expr) -> Reading:
    """One reading; of both sides together where none is named."""
    of = side or _CHOSEN
    stratum, chance = pl.col(f"{of}_stratum"), pl.col(f"{of}_chance")
    # The answers of a pair are drawn together: where both have labels, such pairs stand for all
    # of their stratum, as the labelled rows of one side do.
    shrunk = people.is_not_null().sum().over(stratum) / stratum.count().over(stratum)
    drawn = pl.when(people.is_not_null()).then(1 / (chance * shrunk))
    found = rows.select(
        machine=machine,
        human=people.fill_null(0.0),
        weight=drawn.fill_null(0.0),
        stratum=stratum.fill_null(""),
    )
    return Reading(
        machine=found["machine"].to_numpy(),
        human=found["human"].to_numpy(),
        weight=found["weight"].to_numpy(),
        stratum=found["stratum"].to_numpy(),
    )


def _side_by_side(sides: pl.DataFrame, human: pl.DataFrame) -> pl.DataFrame:
    """A row for each pair: of each side what machine and people say, and how it was drawn."""
    people = human.drop_nulls("inclusion_probability").select(
        *KEY,
        chance="inclusion_probability",
        stratum="stratum",
        people_refuses=_share(REFUSALS),
        people_harmful=_share(HARMFUL),
    )
    label = pl.col("machine_label").cast(pl.String)
    rows = sides.select(
        "pair",
        *key_of_side(),
        machine_refuses=label.is_in(list(map(str, REFUSALS))).cast(pl.Float64),
        machine_harmful=label.is_in(list(map(str, HARMFUL))).cast(pl.Float64),
    ).join(people, on=KEY, how="left")
    chosen, rejected = (
        rows.filter(pl.col("model") == side).rename(
            lambda name, side=side: name if name == "pair" else f"{side}_{name}"  # type: ignore[misc]
        )
        for side in _SIDES
    )
    return chosen.join(rejected, on="pair", validate="1:1").sort("pair")


def _share(labels: tuple[str, ...]) -> pl.Expr:
    """Share of people's votes for some labels; who is undecided counts as half a vote."""
    among = list(map(str, labels))
    votes = pl.col("split").str.split(SPLIT)
    agreed = pl.col("label").cast(pl.String).is_in(among).cast(pl.Float64)
    has = pl.element().is_in(among).cast(pl.Float64)
    split = votes.list.eval(pl.when(pl.element() == UNDECIDED).then(0.5).otherwise(has)).list.mean()
    return pl.coalesce(agreed, split)
