"""Audits of the made-up pairs, with labels that are known to be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.config import PairColumns
from refusal_parity.demo.pairs import FOLDER
from refusal_parity.preference.audit import Audit
from refusal_parity.preference.comparison import (
    group_differences,
    group_measures,
    groups_mentioned,
)
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.mentions import find_mentions
from refusal_parity.preference.near_duplicates import near_equal
from refusal_parity.preference.pairs import Ledger, read_pairs
from refusal_parity.preference.sides import label_sides
from refusal_parity.tables import Conversations, PairLedger, conform

if TYPE_CHECKING:
    from pathlib import Path

# What the made-up refusals have, and the answers do not have.
_REFUSES = "sorry|comfortable|cannot fulfil|apologize|unable"


@dataclass(frozen=True)
class MadeUp:
    """The tables of an audit of made-up pairs."""

    pairs: pl.DataFrame
    ledger: pl.DataFrame
    audit: Audit
    groups: pl.DataFrame
    measures: pl.DataFrame
    differences: pl.DataFrame


def audit_of(root: Path, name: str, *, alpha: float = 0.05) -> MadeUp:
    """Audit `data/pairs/<name>.jsonl.gz`; harm is 0 for all, and says nothing."""
    ledger = Ledger()
    found = read_pairs(
        root / FOLDER / f"{name}.jsonl.gz",
        layout="transcripts",
        columns=PairColumns(),
        ledger=ledger,
    )
    pairs = pl.concat(list(found))
    lexicon = read_lexicon(root / "data/mentions.csv")
    mentions = find_mentions(pairs, lexicon)
    texts = pl.concat(
        [pairs.select("pair", side=pl.lit(s), text=s) for s in ("chosen", "rejected")]
    )
    sides = (
        label_sides(pairs, None, abstain_below=0)
        .drop("label")
        .with_columns(pl.col("side").cast(pl.String))
        .join(texts, on=["pair", "side"])
        .with_columns(
            label=pl.when(pl.col("text").str.contains(_REFUSES))
            .then(pl.lit("refusal"))
            .otherwise(pl.lit("answer"))
        )
    )
    conversations = pairs.select(
        "pair",
        cluster=pl.Series(near_equal(pairs["requests"].list.first().to_list())),
        harm=pl.lit(0.0),
        stratum=pl.lit(0),
    )
    audit = Audit.of(
        sides,
        conform(conversations, Conversations, where="test"),
        mentions,
        mentioned_in="request",
        alpha=alpha,
    )
    return MadeUp(
        pairs=pairs,
        ledger=conform(ledger.table(), PairLedger, where="test"),
        audit=audit,
        groups=groups_mentioned(audit, lexicon),
        measures=group_measures(audit),
        differences=group_differences(audit),
    )
