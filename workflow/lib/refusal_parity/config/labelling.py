"""How responses get their labels, and what people are asked to label."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from refusal_parity.config.models import OpenAIModel, VllmModel
from refusal_parity.config.section import PathText, Section


class HumanConfig(Section):
    """What people are asked to label, and what they said."""

    labels: list[PathText] = Field(
        default=[],
        description="Files that annotators filled in: JSON exports of Label Studio, workbooks "
        "(.xlsx, .ods) or CSVs.",
    )
    probability: int = Field(
        default=300,
        ge=1,
        description="Responses in the probability sample, all models together; of preference "
        "data, answers: both of half as many pairs.",
    )
    floor: int = Field(
        default=2,
        ge=1,
        description="Fewest responses drawn from each model x group x label of the machine; of "
        "preference data, from each answer x group x which of both refuse.",
    )
    informative: int = Field(
        default=200,
        ge=0,
        description="Further responses, of which the classifier is least certain, to train it.",
    )
    leaves: int = Field(
        default=100,
        ge=1,
        description="Where openings are weighed: responses in a further probability sample, of "
        "those that were given their opening, all models together. Each is drawn in proportion to "
        "the probability that it stands for.",
    )
    leaf_labels: list[PathText] = Field(
        default=[],
        description="Files that annotators filled in of that further sample: as `labels`. "
        "Together with those they correct weighed rates.",
    )
    show_votes: bool = Field(
        default=False,
        description="Show the third person, who settles what two people differ on, what they said.",
    )
    mask_names: bool = Field(default=True, description="Hide the prompts' names from annotators.")
    seed: int = Field(default=1, description="Seed of the draw.")


class LabellingConfig(Section):
    """How responses get their labels."""

    method: Literal["classifier", "keyword"] = Field(
        default="classifier",
        description="classifier: seven classes, learned from the gold files. keyword: refusals by "
        "a list of phrases, all else an answer; a baseline for looks, not for findings.",
    )
    gold: list[PathText] = Field(
        default=[],
        description="Labelled responses that the classifier learns from: CSVs with the columns "
        "response and label, or files in the layout chehbouni-2024.",
    )
    starter: bool = Field(
        default=True,
        description="Learn from data/gold/starter too; off, from the gold files only.",
    )
    abstain_below: float = Field(
        default=0.35,
        ge=0,
        le=1,
        description="A label that the classifier gives with a lower calibrated probability is "
        "none: `exclusion` is then `abstained`, or `undecided` where the response was cut off. "
        "0 labels all.",
    )
    seed: int = Field(default=1, ge=0, description="Seed of the classifier's folds.")
    human: HumanConfig = Field(default=HumanConfig(), description="Labels by people.")
    judge: Annotated[VllmModel | OpenAIModel, Field(discriminator="engine")] | None = Field(
        default=None,
        description="A language model that labels the responses too, by a written rubric; of "
        "preference data, one that says which answer of a pair is better, asked in both orders. "
        "Null for none.",
    )
    judge_max_tokens: int = Field(
        default=24,
        ge=1,
        description="Longest answer of the judge, in tokens: a label takes a dozen; on a server, a "
        "judge that thinks first needs some thousand.",
    )
    judge_draws: int = Field(
        default=1,
        ge=1,
        description="How often the judge is asked about each response: once, greedily; or several "
        "times at temperature 0.7, and its label is the one that most of its answers name.",
    )
