"""Made-up pairs with labels by a machine that errs, and by people of some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from refusal_parity.pair_vocabulary import Side
from refusal_parity.preference.audit import Audit
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    Conversations,
    HumanLabels,
    Mentions,
    Sides,
    conform,
)
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

SIDES = tuple(map(str, Side))


class ByWord:
    """Stands in for a classifier: `sorry` is a refusal, all else an answer."""

    classifier_id = "by word"

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        refuses = frame["response"].str.contains("(?i)sorry").to_numpy()
        sure = {label: np.full(len(frame), 0.02) for label in Label}
        sure[Label.REFUSAL] = np.where(refuses, 0.88, 0.02)
        sure[Label.ANSWER] = np.where(refuses, 0.02, 0.88)
        columns = dict(zip(PROBABILITY_COLUMNS, (sure[label] for label in Label), strict=True))
        said = np.where(refuses, str(Label.REFUSAL), str(Label.ANSWER))
        return pl.DataFrame({"label": said.tolist(), **columns}).with_columns(
            unseen=pl.lit(0.0), distance=pl.lit(0.0), unsure=pl.lit(value=False)
        )


def sides_of(chosen: list[str], rejected: list[str]) -> dy.DataFrame[Sides]:
    """The machine's labels of pairs 1, 2, 3 and so on."""
    rows = [
        {
            "pair": pair, "side": side, "label": label, "machine_label": label,
            "abstained": False, "unsure": False, "keyword_refusal": label == "refusal", "words": 9,
        }
        for side, labels in zip(SIDES, (chosen, rejected), strict=True)
        for pair, label in enumerate(labels, 1)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows).sort("pair", "side"), Sides, where="test")


def conversations_of(number: int) -> dy.DataFrame[Conversations]:
    """Conversations that are all different, and seem as harmful."""
    rows = {"pair": range(1, number + 1), "cluster": range(number)}
    frame = pl.DataFrame(rows).with_columns(harm=pl.lit(0.1), stratum=pl.lit(0))
    return conform(frame, Conversations, where="test")


def mentions_of(**pairs: Iterable[int]) -> dy.DataFrame[Mentions]:
    """Which pairs mention which group, in the request."""
    rows = [
        {"pair": pair, "group": group, "category": "c", "place": "request", "slur": False, "n": 1}
        for group, found in pairs.items()
        for pair in found
    ]
    return conform(pl.DataFrame(rows), Mentions, where="test")


def people_of(rows: list[tuple[int, str, str | None, float, str]]) -> dy.DataFrame[HumanLabels]:
    """What people say: pair, side, label, inclusion probability and stratum of each answer."""
    frame = pl.DataFrame(
        [
            {
                "model": side, "prompt_id": str(pair), "sample": 0, "label": label,
                "split": None if label else "answer / refusal", "inclusion_probability": chance,
                "stratum": f"{side} / {stratum}", "n_annotators": 2,
            }
            for pair, side, label, chance, stratum in rows
        ]
    )  # fmt: skip
    return conform(frame, HumanLabels, where="test")


def audited(
    sides: pl.DataFrame, mentions: pl.DataFrame, human: pl.DataFrame | None, *, alpha: float = 0.05
) -> Audit:
    """The audit of these tables."""
    return Audit.of(
        sides,
        conversations_of(len(sides) // 2),
        mentions,
        mentioned_in="request",
        alpha=alpha,
        human=human,
    )


def erring(seed: int, *, group: int = 300, others: int = 1500, drawn: float = 0.3) -> Audit:
    """Preferred answers refuse in 20 %; of the group's others the machine takes 30 % for such.

    A share of each side's pairs was drawn, apart for what the machine says.
    """
    draw = np.random.default_rng(seed)
    number = group + others
    refuses = draw.random(number) < 0.2
    is_group = np.arange(number) < group
    said = refuses | (is_group & (draw.random(number) < 0.3))
    words = np.where(said, "refusal", "answer").tolist()
    rows = []
    for cell in (is_group & said, is_group & ~said, ~is_group & said, ~is_group & ~said):
        members = np.flatnonzero(cell)
        size = max(2, round(drawn * len(members)))
        chance = size / len(members)
        where = f"{bool(is_group[members[0]])} {bool(said[members[0]])}"
        rows += [
            (int(at) + 1, "chosen", "refusal" if refuses[at] else "answer", chance, where)
            for at in draw.choice(members, size, replace=False)
        ]
    return audited(
        sides_of(words, ["answer"] * number),
        mentions_of(sikh=range(1, group + 1)),
        people_of(rows),
    )
