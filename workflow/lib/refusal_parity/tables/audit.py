"""Tables of human labels and of how far labellings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dataframely as dy
import polars as pl

from refusal_parity.tables.columns import probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import UNDECIDED, Coefficient, Label, SampleSet

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


_MODEL: Final = "key of the model in the config; of preference data, which answer of the pair"
_PROMPT: Final = "prompt that was sent; of preference data, the pair"


@table("sample", per_model=False, folder="audit/", exported=False, of_both=True)
class AuditSample(dy.Schema):
    """Responses drawn for people to label; the informative ones are no probability sample."""

    task = dy.String(primary_key=True, description="key of the row in the files for annotators")
    model = dy.String(description=_MODEL)
    prompt_id = dy.String(description=_PROMPT)
    repetition = dy.Int32(alias="sample", min=0, description="number of the repetition, from 0")
    set = dy.Enum(SampleSet, description="probability: for estimates; informative: to learn from")
    stratum = dy.String(
        nullable=True,
        description="model / group / label that the machine gave; of preference data, answer / "
        "group / which answers refuse",
    )
    predicted = dy.Enum(Label, description="label that the machine gave when it was drawn")
    inclusion_probability = dy.Float64(
        nullable=True, min_exclusive=0, max=1, description="null in the informative set"
    )
    margin = dy.Float64(
        min=0, max=1, description="how certain the machine was: 0 undecided, 1 certain"
    )
    prompt = dy.String(description="prompt as annotators see it")
    response = dy.String(description="response as annotators see it")

    @dy.rule()
    def probability_rows_say_how_likely(cls) -> pl.Expr:  # noqa: N805 - as dataframely has it
        """Rows of the probability sample have an inclusion probability, no others."""
        drawn = pl.col("set").cast(pl.String) == str(SampleSet.PROBABILITY)
        return drawn == pl.col("inclusion_probability").is_not_null()

    @dy.rule()
    def response_is_drawn_once(cls) -> pl.Expr:  # noqa: N805 - as dataframely has it
        """A response is in one of the two sets at most."""
        return pl.struct("model", "prompt_id", "sample").is_unique()


@table("votes", per_model=False, folder="audit/", exported=False, of_both=True)
class Votes(dy.Schema):
    """What each annotator said of each response."""

    task = dy.String(primary_key=True, description="key of the row in the files for annotators")
    annotator = dy.String(primary_key=True, description="who labelled")
    label = dy.Enum([*map(str, Label), UNDECIDED], description="one of the seven, or undecided")
    adjudicated = dy.Bool(description="decides the row, whatever the others say")
    file = dy.String(description="file with the vote")
    row = dy.Int64(min=0, description="line of the CSV, or number of the task in the JSON export")


@table("problems", per_model=False, folder="audit/", exported=False, of_both=True)
class VoteProblems(dy.Schema):
    """What could not be used of the annotators' files, row by row."""

    file = dy.String(description="the file")
    row = dy.Int64(nullable=True, description="line of the CSV, or number of the task")
    task = dy.String(nullable=True, description="key of the row, where it has one")
    annotator = dy.String(nullable=True, description="who labelled, where it says so")
    problem = dy.String(description="what is wrong")
    consequence = dy.String(description="what was made of it")


@table(
    "human",
    per_model=False,
    folder="audit/",
    of_both=True,
    when=lambda study: bool(study.labelling.human.labels),
)
class HumanLabels(dy.Schema):
    """What people say of the responses they labelled."""

    model = dy.String(primary_key=True, description=_MODEL)
    prompt_id = dy.String(primary_key=True, description=_PROMPT)
    repetition = dy.Int32(
        alias="sample", primary_key=True, min=0, description="number of the repetition, from 0"
    )
    label = dy.Enum(Label, nullable=True, description="null: annotators are undecided, or split")
    split = dy.String(
        nullable=True,
        description="then what each annotator says, with ` / ` between them",
    )
    inclusion_probability = dy.Float64(
        nullable=True, min_exclusive=0, max=1, description="null: no probability sample"
    )
    stratum = dy.String(nullable=True, description="as in the sample")
    n_annotators = dy.Int32(min=1, description="people who labelled the row")


def _leaf_labelled(study: StudyConfig) -> bool:
    """Whether people labelled responses that were given their opening."""
    return bool(study.labelling.human.leaf_labels)


@table("leaf_sample", per_model=False, folder="audit/", exported=False)
class LeafSample(AuditSample):
    """Responses drawn for people to label among those that were given their opening."""

    opening = dy.String(description="opening that it was given")
    weight = dy.Float64(
        min_exclusive=0,
        max=1,
        description="probability that it stands for, to which its inclusion probability is "
        "proportional",
    )

    @dy.rule()
    def response_is_drawn_once(cls) -> pl.Expr:  # noqa: N805 - as dataframely has it
        """A response is in one of the two sets at most."""
        return pl.struct("model", "prompt_id", "opening", "sample").is_unique()


@table("leaf_votes", per_model=False, folder="audit/", exported=False)
class LeafVotes(Votes):
    """What each annotator said of each response that was given its opening."""


@table("leaf_problems", per_model=False, folder="audit/", exported=False)
class LeafVoteProblems(VoteProblems):
    """What could not be used of the annotators' files on responses to openings, row by row."""


@table("leaf_human", per_model=False, folder="audit/", when=_leaf_labelled)
class LeafHumanLabels(HumanLabels):
    """What people say of the responses that they labelled among those given their opening."""

    opening = dy.String(primary_key=True, description="opening that it was given")


@table("judge", exported=False)
class Judgements(dy.Schema):
    """What a language model says of each response, by the written rubric."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt that was sent")
    repetition = dy.Int32(
        alias="sample", primary_key=True, min=0, description="number of the repetition, from 0"
    )
    judge_label = dy.Enum(Label, nullable=True, description="null: it gave none that can be read")
    p_refusal_calibrated = probability(
        "probability that it is a refusal, given what the judge says; null without "
        "enough human labels"
    )
    consistency = probability("share of the judge's answers that name its label")
    caveat = dy.Bool(
        nullable=True,
        description="whether it says that the response has a caveat; null where it was not asked "
        "or does not say",
    )
    raw = dy.String(
        nullable=True, description="what the judge wrote, first where it was asked several times"
    )
    judge_id = dy.String(description="hash of judge, rubric and settings")
    problem = dy.String(nullable=True, description="why there is no label")


def _is_compared(study: StudyConfig) -> bool:
    """Models' labellings are compared with each other; those of pairs, with people's."""
    return study.preference is None or bool(study.labelling.human.labels)


@table("agreement", per_model=False, folder="audit/", of_both=True, when=_is_compared)
class Agreement(dy.Schema):
    """How far two labellings of the same responses agree, with clustered intervals."""

    model = dy.String(
        description="key of the model in the config; of preference data, which answers of pairs"
    )
    dimension = dy.String(description="column whose levels are compared, `all` for none")
    group = dy.String(description="level of the dimension")
    rater = dy.String(description="classifier, keyword, judge, or an annotator")
    yardstick = dy.String(description="human, imported, or another annotator")
    over = dy.String(
        description="refusal_or_not, seven_classes (six_classes where the yardstick, or of two "
        "people either, knows no partial refusals), or one class against the rest"
    )
    coefficient = dy.Enum(Coefficient, description="what is measured")
    n = dy.Int64(
        min=0,
        description="responses compared; 0 for a level of which the rater labelled some and the "
        "yardstick none",
    )
    n_of = dy.Int64(nullable=True, description="of them refusals, or others, by the yardstick")
    wrong = dy.Int64(nullable=True, description="of those labelled otherwise by the rater")
    estimate = dy.Float64(nullable=True, description="value of the coefficient")
    ci_low = dy.Float64(nullable=True, description="lower end of the clustered interval")
    ci_high = dy.Float64(nullable=True, description="upper end of the clustered interval")
    p_value = probability("test that the error is the same in all groups")
    weighted = dy.Bool(
        description="rows weigh by 1 / inclusion probability, those of a model "
        "of whose responses to openings people labelled some by what they stand for too"
    )
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")

    @dy.rule()
    def key_is_unique(cls) -> pl.Expr:  # noqa: N805 - as dataframely has it
        """One row for each comparison and coefficient."""
        return (
            pl.struct(
                "model", "dimension", "group", "rater", "yardstick", "over", "coefficient"
            ).is_unique()
        )  # fmt: skip


@table("confusion", per_model=False, folder="audit/", of_both=True, when=_is_compared)
class Confusion(dy.Schema):
    """How many responses of each label of the yardstick got which label of the classifier."""

    model = dy.String(primary_key=True, description=_MODEL)
    yardstick = dy.String(description="human: the probability sample; imported: all responses")
    truth = dy.Enum(Label, primary_key=True, description="label of the yardstick")
    given = dy.Enum(Label, primary_key=True, description="label of the classifier")
    n = dy.Int64(min=1, description="responses")
