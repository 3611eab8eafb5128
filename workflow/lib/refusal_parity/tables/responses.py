"""What was asked and answered, and how it was labelled and made."""

from __future__ import annotations

from typing import Final

import dataframely as dy
import polars as pl

from refusal_parity.tables.columns import probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import Exclusion, Label, LabelSource, Status


def _probability(of: str) -> dy.Float64:
    return probability(f"probability of {of}")


@table("prompts", per_model=False, factors=True)
class Prompts(dy.Schema):
    """What is sent: one row for each template, name and arm, or for each prompt of a list and arm.

    The factors of templates and names, or of the list, stand behind.
    """

    prompt_id = dy.String(primary_key=True, description="hash of what is sent; same everywhere")
    template_id = dy.String(description="key of the template, or of the prompt in its list")
    family = dy.String(
        nullable=True,
        description="family of the template: the group whose stereotypes it touches; may be null "
        "in a list",
    )
    template = dy.String(description="sentence with its [NAME], or a prompt of a list")
    name_id = dy.String(nullable=True, description="key of the name; null in a list")
    name = dy.String(nullable=True, description="name put in place of [NAME]; null in a list")
    group = dy.String(
        nullable=True,
        description="group that the name is read as, or that the list has; may be null there",
    )
    gender = dy.String(nullable=True, description="gender that the name is read as")
    commonness = dy.String(nullable=True, description="how common the name is in its group")
    arm = dy.String(description="key of the system prompt")
    system_prompt = dy.String(nullable=True, description="system prompt, null for none")
    prompt = dy.String(description="user message: the template with the name in it")

    @dy.rule()
    def is_named_or_listed(cls) -> pl.Expr:  # noqa: N805 - dataframely rules are class methods
        """A name has a key, a group and a template of some family; a listed prompt has no name."""
        named = pl.col("name_id").is_not_null() & pl.col("name").is_not_null()
        whole = named & pl.col("group").is_not_null() & pl.col("family").is_not_null()
        return whole | (pl.col("name_id").is_null() & pl.col("name").is_null())


@table("responses", long=True)
class Responses(dy.Schema):
    """What came back: one row for each model, prompt and sample."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt that was sent")
    repetition = dy.Int32(
        alias="sample", primary_key=True, min=0, description="number of the repetition, from 0"
    )
    response_id = dy.String(
        nullable=True,
        description="key of the response in the store: hash of what was sent, how and to what",
    )
    seed = dy.Int64(nullable=True, description="seed of this one request")
    response = dy.String(nullable=True, description="text of the response, without its thinking")
    thinking = dy.String(
        nullable=True, description="what the model wrote to itself before the response"
    )
    finish_reason = dy.String(nullable=True, description="why the engine stopped")
    prompt_tokens = dy.Int32(nullable=True, description="tokens sent")
    response_tokens = dy.Int32(nullable=True, description="tokens received")
    cost = dy.Float64(
        nullable=True, min=0, description="price of both, where the config gives prices"
    )
    status = dy.Enum(Status, description="ok, or why there is nothing to label")
    truncated = dy.Bool(description="cut off at the longest response that was allowed")
    refusal_reason = dy.String(
        nullable=True, description="why a service refused, where status is filtered"
    )
    error = dy.String(nullable=True, description="what went wrong, where status is error")
    rendered_sha256 = dy.String(nullable=True, description="hash of the token ids sent")
    answered_at = dy.Datetime(
        nullable=True,
        time_unit="ms",
        time_zone="UTC",
        description="when a server answered; null for weights that one has",
    )
    answered_by = dy.String(nullable=True, description="model that the server's answer names")
    fingerprint = dy.String(nullable=True, description="what a server says of its own state")
    imported_label = dy.Enum(
        Label, nullable=True, description="label that an imported file carried"
    )


class StoredResponses(dy.Schema):
    """What came back, by what was sent and how: one row for each response ever drawn."""

    response_id = dy.String(primary_key=True, description="key of the response")
    seed = Responses.seed
    response = Responses.response
    thinking = Responses.thinking
    finish_reason = Responses.finish_reason
    prompt_tokens = Responses.prompt_tokens
    response_tokens = Responses.response_tokens
    cost = Responses.cost
    status = Responses.status
    truncated = Responses.truncated
    refusal_reason = Responses.refusal_reason
    rendered_sha256 = Responses.rendered_sha256
    answered_at = Responses.answered_at
    answered_by = Responses.answered_by
    fingerprint = Responses.fingerprint


PROBABILITY_COLUMNS: Final = tuple(f"p_{label}" for label in Label)
"""Of `Labels`: how sure the classifier is of each label."""


@table("labels", long=True)
class Labels(dy.Schema):
    """What each response does: one row for each response."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    prompt_id = dy.String(primary_key=True, description="prompt that was sent")
    repetition = dy.Int32(
        alias="sample", primary_key=True, min=0, description="number of the repetition, from 0"
    )
    label = dy.Enum(Label, nullable=True, description="one of the seven, null when unlabelled")
    label_source = dy.Enum(LabelSource, nullable=True, description="who gave the label")
    machine_label = dy.Enum(
        Label,
        nullable=True,
        description="label of the classifier or keyword list, also where a person gave another",
    )
    p_answer = _probability("an answer")
    p_partial_answer = _probability("a partial answer")
    p_failure = _probability("a failure to answer")
    p_refusal = _probability("a refusal")
    p_partial_refusal = _probability("a partial refusal")
    p_harmful_refusal = _probability("a harmful refusal")
    p_harmful_answer = _probability("a harmful answer")
    unseen = probability("share of its words and pairs of words that the classifier has not met")
    distance = probability("1 less the cosine to the nearest class's mean text")
    unsure = dy.Bool(
        nullable=True,
        description="unlike all that the classifier learnt from: either of these "
        "is above what 99 % of held-out rows have",
    )
    classifier_id = dy.String(nullable=True, description="hash of the classifier and its data")
    keyword_refusal = dy.Bool(nullable=True, description="a keyword list takes it for a refusal")
    truncated = dy.Bool(description="cut off at the longest response that was allowed")
    filtered = dy.Bool(description="refused by the service: there is nothing to label")
    exclusion = dy.Enum(
        Exclusion,
        nullable=True,
        description="why the response counts nowhere, null where it has a label or was refused by "
        "the service",
    )


class KnownLabels(dy.Schema):
    """What a classifier says of texts: one row for each that it was ever asked about."""

    text_id = dy.String(
        primary_key=True,
        description="hash of response, name and prompt, and of which fold's model was asked",
    )
    label = dy.Enum(Label, description="one of the seven")
    p_answer = Labels.p_answer
    p_partial_answer = Labels.p_partial_answer
    p_failure = Labels.p_failure
    p_refusal = Labels.p_refusal
    p_partial_refusal = Labels.p_partial_refusal
    p_harmful_refusal = Labels.p_harmful_refusal
    p_harmful_answer = Labels.p_harmful_answer
    unseen = Labels.unseen
    distance = Labels.distance
    unsure = Labels.unsure


class Gold(dy.Schema):
    """Labelled responses that a classifier learns from (read from CSV)."""

    response = dy.String(min_length=1, description="text of the response")
    label = dy.Enum(Label, description="one of the seven")
    name = dy.String(nullable=True, description="name in the prompt, masked in training")
    prompt = dy.String(nullable=True, description="what the response answers")
    group_id = dy.String(nullable=True, description="rows that must stay in one fold together")
    weight = dy.Float64(min_exclusive=0, description="how much the row counts in training")
