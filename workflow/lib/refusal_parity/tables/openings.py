"""How responses open, which openings refuse, and how probable these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy

from refusal_parity.tables.registry import table
from refusal_parity.tables.responses import Labels, Responses
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def weighs(study: StudyConfig) -> bool:
    """Whether openings of any of its models are weighed."""
    return bool(study.weighed)


def weighed(study: StudyConfig) -> list[str]:
    """The models whose openings are weighed."""
    return study.weighed


def continues(study: StudyConfig) -> bool:
    """Whether responses of any of its models are drawn on from openings."""
    return bool(study.continued)


def continued(study: StudyConfig) -> list[str]:
    """The models whose responses are drawn on from openings."""
    return study.continued


def _probability(of: str) -> dy.Float64:
    return dy.Float64(min=0, max=1, description=f"probability of {of}")


@table("openings", when=weighs, models=weighed)
class Openings(dy.Schema):
    """First tokens that open this model's refusals: leaves of trees learnt from its responses."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    fold = dy.Int32(
        primary_key=True,
        min=0,
        description="0 for the tree learnt from all responses; else a fold of templates, whose "
        "responses this tree did not learn from",
    )
    opening = dy.String(primary_key=True, description="key of the leaf: its token ids with dashes")
    token_ids = dy.List(dy.Int64(), description="the tokens, in their order")
    text = dy.String(description="what they say")
    depth = dy.Int32(min=1, description="number of tokens")
    responses = dy.Int64(min=1, description="labelled responses that open so, of those learnt from")
    refusals = dy.Int64(min=0, description="refusals among these")
    share = dy.Float64(min=0, max=1, description="share of refusals among them")


@table("pilot", when=weighs, models=weighed)
class Pilots(dy.Schema):
    """Which responses the trees of openings are learnt from: one row a model."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    study = dy.String(
        nullable=True, description="the earlier study that they are of; null for this one"
    )
    model_there = dy.String(description="key of the model in that study")
    responses = dy.Int64(min=0, description="labelled responses")
    refusals = dy.Int64(min=0, description="refusals among them")
    unlabelled = dy.Int64(min=0, description="responses left out, as they have no label")
    shared = dy.Int64(
        min=0,
        description="labelled responses to templates of this study, which the trees of these "
        "templates' folds do not learn from",
    )
    note = dy.String(nullable=True, description="why nothing is learnt")


@table("opening_probabilities", when=weighs, models=weighed)
class OpeningProbabilities(dy.Schema):
    """How probable each opening is after each prompt, by the model's own probabilities."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt of an arm without a guard")
    opening = dy.String(
        primary_key=True, description="leaf of the tree of all responses or of the prompt's fold"
    )
    probability = _probability("the opening after temperature, before top_p and top_k")
    probability_sampled = _probability(
        "the opening as responses are drawn: after temperature, top_p and top_k"
    )
    drawn = dy.Int64(
        min=0, description="ordinary draws of the prompt that have a label and open so"
    )
    drawn_refusals = dy.Int64(min=0, description="refusals among them")


@table("propensity", when=weighs, models=weighed)
class Propensity(dy.Schema):
    """How prone each prompt is to be refused, from probabilities of openings: one row a prompt."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt of an arm without a guard")
    fold = dy.Int32(min=1, description="fold of the prompt's template")
    log_odds = dy.Float64(
        nullable=True,
        description="log-odds that a response opens as refusals do: of the sum, over the tree of "
        "all responses, of probability times share of refusals, after temperature and before "
        "top_p and top_k; null where no opening is known",
    )
    log_odds_error = dy.Float64(
        nullable=True,
        min=0,
        description="standard error of it, from the shares of refusals, which all prompts have in "
        "common",
    )
    mass = _probability("any opening of the tree of all responses, before top_p and top_k")
    tree_rate = dy.Float64(
        min=0,
        max=1,
        description="sum, over the tree of the prompt's fold, of probability as drawn times share "
        "of refusals: the part of the weighed rate without the noise of drawing",
    )
    outside = _probability("no opening of the tree of the prompt's fold, as drawn")
    drawn = dy.Int64(min=0, description="ordinary draws of the prompt that have a label")
    drawn_refusals = dy.Int64(min=0, description="refusals among them")
    drawn_outside_refusals = dy.Int64(
        min=0, description="of these, those that open outside the tree of the prompt's fold"
    )


@table("drawn_openings", when=weighs, models=weighed, exported=False, long=True)
class DrawnOpenings(dy.Schema):
    """How each ordinary draw opens: one row for each that has a text."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt of an arm without a guard")
    repetition = dy.Int32(
        alias="sample", primary_key=True, min=0, description="number of the repetition, from 0"
    )
    opening = dy.String(
        description="leaf of the tree of the prompt's fold that it opens with; empty outside it"
    )


def _of_leaf() -> dy.String:
    return dy.String(
        primary_key=True, description="leaf of the tree of the prompt's fold that it was given"
    )


@table("leaf_responses", when=continues, models=continued, long=True)
class LeafResponses(Responses):
    """Responses drawn on from an opening that they were given: each stands for a probability."""

    opening = _of_leaf()
    weight = dy.Float64(
        min=0,
        max=1,
        description="probability that the response stands for: that of the opening, shared by "
        "all responses, of these and of ordinary draws, that are expected to open so",
    )
    expected = dy.Float64(
        min=0,
        description="how many such responses there are of this prompt and opening on average; "
        "there are as many as that rounded up or down, by chance",
    )


@table("leaf_labels", when=continues, models=continued, long=True)
class LeafLabels(Labels):
    """What each response does that was given its opening: one row for each."""

    opening = _of_leaf()


@table("weighed", when=weighs, models=weighed)
class Weighed(dy.Schema):
    """How often each prompt is refused, by weighed responses: one row a prompt."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt of an arm without a guard")
    weighed_rate = dy.Float64(
        nullable=True,
        description="tree_rate plus the sum, over all responses of the prompt, of weight times "
        "refusal (1 or 0) less the share of the leaf that it opens with (0 outside the tree): "
        "unbiased for the rate of refusals, and for one prompt possibly below 0; null without "
        "ordinary draws",
    )
    weighed_rate_error = dy.Float64(
        nullable=True, min=0, description="standard error of the weighed rate"
    )
    tree_rate = Propensity.tree_rate
    outside = Propensity.outside
    drawn = dy.Int64(
        min=0,
        description="ordinary draws that have a label; outside the tree each has the weight 1 / "
        "drawn",
    )
    drawn_outside = dy.Int64(min=0, description="of these, those that open outside the tree")
    continued = dy.Int64(min=0, description="responses that were given their opening")
    continued_refusals = dy.Int64(min=0, description="refusals among them")
    continued_unlabelled = dy.Int64(
        min=0,
        description="of them, those without a label, which count as the share of their leaf",
    )


@table("weighed_responses", when=weighs, models=weighed, long=True)
class WeighedResponses(dy.Schema):
    """All responses that weighed rates are made of, and what each stands for."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt of an arm without a guard")
    opening = dy.String(
        primary_key=True, description="opening that it was given; empty for ordinary draws"
    )
    repetition = dy.Int32(
        alias="sample",
        primary_key=True,
        min=0,
        description="number of the repetition, within the opening, from 0",
    )
    leaf = dy.String(
        description="leaf of the tree of the prompt's fold that it opens with; empty outside it"
    )
    weight = dy.Float64(
        min=0,
        max=1,
        description="probability that it stands for, among all responses that the machine labelled",
    )
    share = dy.Float64(
        min=0, max=1, description="share of refusals in its leaf, by other templates; 0 outside"
    )
    machine_label = dy.Enum(Label, description="label that the machine gives")


class NextTokens(dy.Schema):
    """What an engine said of one token behind a prompt and the beginning of a response."""

    step_id = dy.String(
        primary_key=True, description="hash of what was sent, the beginning and the token"
    )
    probability = OpeningProbabilities.probability
    probability_sampled = OpeningProbabilities.probability_sampled
