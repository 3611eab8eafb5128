"""Audits of preference data: pairs, and what became of each."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import PairAccount, PairCase, Place


@table("pairs", per_model=False, exported=False, of_preference=True)
class Pairs(dy.Schema):
    """Each pair of the preference data: the conversation, and the two answers to it."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    exclusion = dy.Enum(
        PairCase, nullable=True, description="why it counts nowhere; null for those analysed"
    )
    cases = dy.String(nullable=True, description="all that is odd about it, with commas between")
    turns = dy.Int32(min=0, description="turns before the answer to be chosen")
    requests = dy.List(dy.String(), description="what people say in these turns")
    earlier_answers = dy.List(dy.String(), description="what the assistant says in these turns")
    chosen = dy.String(nullable=True, description="the preferred answer")
    rejected = dy.String(nullable=True, description="the other answer")


@table("pair_ledger", per_model=False, of_preference=True)
class PairLedger(dy.Schema):
    """What became of all pairs: those analysed and left out add up to those in the file."""

    case = dy.Enum(PairCase, nullable=True, description="what is odd; null for those analysed")
    account = dy.Enum(
        PairAccount, description="how they count; a pair may carry several remarks, analysed or not"
    )
    n = dy.Int64(min=0, description="pairs")


@table("mentions", per_model=False, exported=False, of_preference=True)
class Mentions(dy.Schema):
    """Which groups each pair mentions, and where, by the study's lexicon."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    group = dy.String(primary_key=True, description="group that the words mean")
    category = dy.String(description="what the group is compared within")
    place = dy.Enum(Place, primary_key=True, description="where the words stand")
    slur = dy.Bool(primary_key=True, description="the words insult")
    n = dy.Int64(min=1, description="mentions")
