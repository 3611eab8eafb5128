"""What is compared: each pair's measures, the groups it mentions, and what it is like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.pair_vocabulary import Adjustment, Place
from refusal_parity.preference.measures import JUDGED, MEASURES, measured
from refusal_parity.preference.moments import Observed
from refusal_parity.preference.places import NOBODY, places_of
from refusal_parity.preference.readings import readings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from refusal_parity.preference.measures import Measure
    from refusal_parity.preference.readings import Reading

ALL: Final = "all"
"""All conversations that are analysed."""

_ANSWERS: Final = [str(Place.CHOSEN), str(Place.REJECTED)]


@dataclass(frozen=True)
class Audit:
    """The pairs that are analysed.

    Attributes:
        values: a column for each measure, NaN where a pair does not have it.
        cluster: of each pair, shape (pairs,).
        stratum: of each pair, shape (pairs,).
        members: which pairs mention each group, and which mention nobody (`NOBODY`, the
            last), each of shape (pairs,).
        categories: of each group.
        slurs: pairs of each group that have slurs for it; groups without any are missing.
        in_answers: pairs with an answer that mentions the group; likewise.
        alpha: 1 less the level of intervals, and the level of tests.
        readings: what each measure is read from by machine and people, by its key; empty where
            nobody labelled.
    """

    values: dict[str, npt.NDArray[np.float64]]
    cluster: npt.NDArray[np.intp]
    stratum: npt.NDArray[np.intp]
    members: dict[str, npt.NDArray[np.bool_]]
    categories: dict[str, str]
    slurs: dict[str, int]
    in_answers: dict[str, int]
    alpha: float
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)

    @classmethod
    def of(  # noqa: PLR0913 - a study has these tables
        cls,
        sides: pl.DataFrame,
        conversations: pl.DataFrame,
        mentions: pl.DataFrame,
        *,
        mentioned_in: str,
        alpha: float,
        human: pl.DataFrame | None = None,
        judgements: pl.DataFrame | None = None,
    ) -> Audit:
        """Put together what the tables hold.

        Args:
            sides: rows of the Sides table.
            conversations: rows of the Conversations table, of the same pairs.
            mentions: rows of the Mentions table. Those in the answers make no group: they
                are a part of what is measured.
            mentioned_in: `preference.mentioned_in`.
            alpha: 1 less the level of intervals.
            human: rows of the HumanLabels table, if people labelled.
            judgements: rows of the PairJudgements table, if there is a judge.
        """
        rows = measured(sides, judgements).join(
            conversations, on="pair", how="inner", validate="1:1"
        )
        rows = rows.sort("pair")
        places = places_of(mentioned_in)
        found = mentions.filter(pl.col("place").cast(pl.String).is_in(places))
        members = members_of(rows["pair"], found)
        analysed = mentions.filter(pl.col("pair").is_in(rows["pair"].implode()))
        placed = pl.col("place").cast(pl.String)
        return cls(
            values={
                name: rows[name].fill_null(np.nan).to_numpy()
                for name in rows.columns
                if name not in conversations.columns
            },
            cluster=rows["cluster"].to_numpy().astype(np.intp),
            stratum=rows["stratum"].to_numpy().astype(np.intp),
            members={
                group: pairs for group, pairs in members.items() if pairs.any() or group == NOBODY
            },
            categories=dict(found.select("group", "category").unique().iter_rows()),
            slurs=_pairs_by_group(analysed.filter("slur", placed.is_in(places))),
            in_answers=_pairs_by_group(analysed.filter(placed.is_in(_ANSWERS))),
            alpha=alpha,
            readings={}
            if human is None
            else readings_of(sides.join(conversations, on="pair", how="semi"), human),
        )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured of these pairs."""
        return tuple(each for each in (*MEASURES, *JUDGED) if each.key in self.values)

    def observed(
        self, measure: Measure, rows: npt.NDArray[np.bool_], adjustment: Adjustment
    ) -> Observed:
        """The conversations of some rows that have a measure."""
        values = self.values[measure.key]
        kept = rows & ~np.isnan(values)
        stratum = self.stratum[kept]
        return Observed(
            value=values[kept],
            cluster=self.cluster[kept],
            stratum=stratum if adjustment is Adjustment.HARM else np.zeros_like(stratum),
        )


def members_of(pairs: pl.Series, mentions: pl.DataFrame) -> dict[str, npt.NDArray[np.bool_]]:
    """Which pairs mention each group, and last which mention nobody, each of shape (pairs,).

    Args:
        pairs: their lines in the file.
        mentions: rows of the Mentions table, of the places that count.
    """
    members = {
        str(group): _are_in(pairs, part["pair"])
        for (group,), part in mentions.sort("group").group_by("group", maintain_order=True)
    }
    return {**members, NOBODY: ~_are_in(pairs, mentions["pair"])}


def _are_in(pairs: pl.Series, some: pl.Series) -> npt.NDArray[np.bool_]:
    return pairs.is_in(some.unique().implode()).to_numpy()


def _pairs_by_group(mentions: pl.DataFrame) -> dict[str, int]:
    counts = mentions.group_by("group").agg(pl.col("pair").n_unique())
    return dict(counts.iter_rows())
