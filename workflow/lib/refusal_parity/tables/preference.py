"""Audits of preference data: pairs, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy

from refusal_parity.pair_vocabulary import (
    Adjustment,
    PairAccount,
    PairCase,
    PairVerdict,
    Place,
    Side,
)
from refusal_parity.tables.columns import probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import Label, Verdict

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def _is_judged(study: StudyConfig) -> bool:
    return study.labelling.judge is not None


def _labelled() -> dy.Int64:
    return dy.Int64(
        nullable=True,
        min=0,
        description="pairs of these with the labels by people that it takes; null where nobody "
        "labelled, or no label decides it",
    )


def _wanted() -> dy.String:
    return dy.String(nullable=True, description="which labels by people are wanted")


@table("pairs", per_model=False, exported=False, of_preference=True)
class Pairs(dy.Schema):
    """Each pair of the preference data: the conversation, and the two answers to it."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    exclusion = dy.Enum(
        PairCase, nullable=True, description="why it counts nowhere; null for those analysed"
    )
    cases = dy.String(nullable=True, description="all that is odd about it, with commas between")
    turns = dy.Int32(min=0, description="turns before the answer to be chosen")
    opening = dy.String(description="these turns as people read them, each with who says it")
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


@table("group_ledger", per_model=False, of_preference=True)
class GroupLedger(dy.Schema):
    """What became of the pairs of each group: analysed and left out add up to those of the file."""

    group = dy.String(primary_key=True, description="group mentioned, `nobody`, or `all` pairs")
    case = dy.String(
        primary_key=True,
        description="`analysed`, why pairs were left out, or what is doubtful: `unlabelled` (an "
        "answer got no label), `unsure` (an answer unlike all that the classifier learnt from)",
    )
    account = dy.Enum(PairAccount, description="how they count; a remark is on pairs analysed")
    n = dy.Int64(min=0, description="pairs of the file that mention it")
    share = probability("n over all pairs of the file that mention it")


@table("group_losses", per_model=False, of_preference=True)
class GroupLosses(dy.Schema):
    """Whether more pairs of a group were left out than of those it is compared with."""

    group = dy.String(primary_key=True, description="group mentioned")
    reference = dy.String(primary_key=True, description="`nobody`, or a group that is mentioned")
    n_group = dy.Int64(min=0, description="pairs of the file that mention the group")
    n_reference = dy.Int64(min=0, description="the same of the reference")
    k_group = dy.Int64(min=0, description="of the group's those left out")
    k_reference = dy.Int64(min=0, description="of the reference's those left out")
    clusters_group = dy.Int64(min=0, description="clusters of near-equal openings of the group's")
    clusters_reference = dy.Int64(min=0, description="the same of the reference")
    estimate = dy.Float64(nullable=True, description="difference of the shares left out")
    ci_low = dy.Float64(nullable=True, description="lower end of its interval, by cluster")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    p_value = probability("of no difference")
    p_adjusted = probability("corrected within `family`; decides")
    family = dy.String(description="tests that are corrected together, by Holm's method")
    verdict = dy.Enum(Verdict, description="whether a difference was shown")
    note = dy.String(nullable=True, description="why a number is missing")


@table("mentions", per_model=False, exported=False, of_preference=True)
class Mentions(dy.Schema):
    """Which groups each pair mentions, and where, by the study's lexicon."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    group = dy.String(primary_key=True, description="group that the words mean")
    category = dy.String(description="what the group is compared within")
    place = dy.Enum(Place, primary_key=True, description="where the words stand")
    slur = dy.Bool(primary_key=True, description="the words insult")
    n = dy.Int64(min=1, description="mentions")


@table("sides", per_model=False, exported=False, of_preference=True)
class Sides(dy.Schema):
    """What each answer of the pairs that are analysed does."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    side = dy.Enum(Side, primary_key=True, description="whether it was preferred")
    label = dy.Enum(Label, nullable=True, description="null where the classifier abstained")
    machine_label = dy.Enum(Label, description="the machine's own, also where it is too doubtful")
    abstained = dy.Bool(description="no label was probable enough")
    unsure = dy.Bool(
        nullable=True, description="unlike all that the classifier learnt from; null without one"
    )
    keyword_refusal = dy.Bool(description="a keyword list takes it for a refusal")
    words = dy.Int64(min=0, description="its words, as blanks part them")


@table("conversations", per_model=False, exported=False, of_preference=True)
class Conversations(dy.Schema):
    """What is compared of each pair that is analysed: the conversation before the answers."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    cluster = dy.Int64(min=0, description="conversations with near-equal first requests share it")
    harm = dy.Float64(
        min=0, max=1, description="estimated probability that one of its requests is harmful"
    )
    stratum = dy.Int64(min=0, description="fifth of the conversations by that estimate, from 0")


@table("groups", per_model=False, of_preference=True)
class Groups(dy.Schema):
    """Who is mentioned: each group of the study's lexicon, and how far its words can be trusted."""

    group = dy.String(primary_key=True, description="group that the words mean")
    category = dy.String(description="what the group is compared within")
    conversations = dy.Int64(min=0, description="analysed pairs that mention it")
    with_slurs = dy.Int64(min=0, description="of them those with a slur for it")
    in_answers = dy.Int64(
        min=0, description="analysed pairs with an answer that mentions it, whatever comes before"
    )
    checked = dy.Int64(min=0, description="mentions that people read, in the lexicon's own sample")
    right = dy.Int64(min=0, description="of them those that do mean the group")


@table("group_measures", per_model=False, of_preference=True)
class GroupMeasures(dy.Schema):
    """Each measure of the conversations that mention a group, and of those that mention nobody."""

    measure = dy.String(primary_key=True, description="what is measured of each pair")
    group = dy.String(primary_key=True, description="group mentioned, `nobody`, or `all` pairs")
    n = dy.Int64(min=0, description="analysed pairs that mention it and have the measure")
    clusters = dy.Int64(min=0, description="clusters of near-equal openings of these")
    mean = dy.Float64(nullable=True, description="rate, or mean of words")
    ci_low = dy.Float64(nullable=True, description="lower end of its interval, by cluster")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    lowest = probability("rate if all pairs without the label lacked the outcome; null for words")
    highest = probability("rate if all of them had it")
    labelled = _labelled()
    corrected = dy.Float64(
        nullable=True, description="rate, corrected for the machine's errors by people's labels"
    )
    corrected_low = dy.Float64(nullable=True, description="lower end of its interval, by cluster")
    corrected_high = dy.Float64(nullable=True, description="its upper end")
    corrected_note = _wanted()
    pairs_wanted = dy.Int64(
        nullable=True,
        min=0,
        description="pairs of these that people have yet to label before it is corrected; null "
        "where none",
    )


@table("group_differences", per_model=False, of_preference=True)
class GroupDifferences(dy.Schema):
    """Each group against conversations that mention nobody, and against others of its category."""

    measure = dy.String(primary_key=True, description="what is measured of each pair")
    group = dy.String(primary_key=True, description="group mentioned")
    reference = dy.String(primary_key=True, description="`nobody`, or a group that is mentioned")
    adjustment = dy.Enum(
        Adjustment,
        primary_key=True,
        description="harm: the reference's conversations are weighed so that as many seem as "
        "harmful",
    )
    n_group = dy.Int64(min=0, description="pairs that mention the group and have the measure")
    n_reference = dy.Int64(min=0, description="the same of the reference")
    clusters_group = dy.Int64(min=0, description="clusters of near-equal openings of these")
    clusters_reference = dy.Int64(min=0, description="the same of the reference")
    mean_group = dy.Float64(nullable=True, description="rate, or mean of words")
    mean_reference = dy.Float64(nullable=True, description="the same of the reference, weighed")
    estimate = dy.Float64(nullable=True, description="the difference")
    ci_low = dy.Float64(nullable=True, description="lower end of its interval, by cluster")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    p_value = probability("of no difference")
    p_adjusted = probability("corrected within `family`; decides")
    family = dy.String(description="tests that are corrected together, by Holm's method")
    verdict = dy.Enum(Verdict, description="whether a difference was shown")
    lowest = dy.Float64(
        nullable=True,
        min=-1,
        max=1,
        description="the difference if the group's pairs without the label lacked the outcome and "
        "the reference's had it; null for words, and adjusted for what not every pair has",
    )
    highest = dy.Float64(
        nullable=True, min=-1, max=1, description="the difference the other way round"
    )
    note = dy.String(nullable=True, description="why a number is missing")
    labelled = _labelled()
    corrected = dy.Float64(
        nullable=True,
        description="the difference, corrected for the machine's errors by people's labels",
    )
    corrected_low = dy.Float64(nullable=True, description="lower end of its interval, by cluster")
    corrected_high = dy.Float64(nullable=True, description="its upper end")
    corrected_note = _wanted()
    corrected_p_value = dy.Float64(nullable=True, min=0, max=1, description="of no difference")
    corrected_p_adjusted = dy.Float64(
        nullable=True, min=0, max=1, description="corrected within `family`"
    )


@table("pair_judgements", per_model=False, of_preference=True, when=_is_judged)
class PairJudgements(dy.Schema):
    """Which answer of a pair a language model finds better, asked in both orders."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    chosen_first = dy.String(
        nullable=True,
        description="chosen, rejected or equal, asked with the preferred answer first; null where "
        "it names none",
    )
    rejected_first = dy.String(nullable=True, description="the same, the other answer first")
    verdict = dy.Enum(PairVerdict, description="agrees and disagrees: in both orders")
    judge_id = dy.String(description="hash of judge, instruction and settings")
    problem = dy.String(nullable=True, description="why it names none")


@table("shown_pairs", per_model=False, of_preference=True)
class ShownPairs(dy.Schema):
    """The pairs that the report shows: all, or of each group as many by chance."""

    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    groups = dy.String(
        nullable=True, description="groups that it counts for, with ` / ` between them"
    )
    places = dy.String(nullable=True, description="every mention, and where it stands")
    opening = dy.String(description="the conversation before the answers")
    chosen = dy.String(description="the preferred answer")
    rejected = dy.String(description="the other answer")
    chosen_label = dy.Enum(Label, nullable=True, description="null where the classifier abstained")
    rejected_label = dy.Enum(Label, nullable=True, description="likewise")
    chosen_people = dy.String(
        nullable=True, description="label by people, or theirs with ` / ` where they are split"
    )
    rejected_people = dy.String(nullable=True, description="likewise")
    judge = dy.Enum(PairVerdict, nullable=True, description="what a judge makes of the pair")
    cases = dy.String(nullable=True, description="all that is odd about it, with commas between")
    harm = dy.Float64(min=0, max=1, description="how harmful its requests seem")
