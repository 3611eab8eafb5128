"""How many of a study's responses are unlike all that taught the classifier, by model and level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.labelling.calibration import MIN_ROWS
from refusal_parity.labelling.familiar import UNFAMILIAR
from refusal_parity.quantities import Mean, Share
from refusal_parity.report.inputs import ALL
from refusal_parity.tables import Labels, Prompts
from refusal_parity.text import count, isolated, level_words, percent, plain
from refusal_parity.vocabulary import LabelSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

WORTH_SAYING: Final = 5 * UNFAMILIAR
"""Share of unlike responses above which it is said that the classifier is out of its reach."""

_NAMED: Final = 3
_BY_PEOPLE: Final = (LabelSource.HUMAN, LabelSource.IMPORTED)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far some responses are from those that taught the classifier.

    Attributes:
        n: responses that it read.
        unlike: of them those that are unlike all that it learnt from.
        unseen: median of the share of words and pairs of words that it has not met.
        distance: median of 1 less the likeness to the nearest class.
    """

    n: int
    unlike: int
    unseen: float
    distance: float

    @property
    def share(self) -> float:
        """Of the responses that are unlike."""
        return self.unlike / self.n

    @property
    def beyond(self) -> bool:
        """Whether so many are unlike that labels may be wrong."""
        return self.n >= MIN_ROWS and self.share > WORTH_SAYING


def reach(
    inputs: ReportInputs, model: str, dimension: str, *, deciding: bool = False
) -> dict[str, Reach]:
    """The reach over all responses of a model (`all`) and over each level, where any were read.

    Args:
        inputs: the study's tables.
        model: its key.
        dimension: of the levels; one that no prompt has leaves `all`.
        deciding: whether responses with a label by people are left out.
    """
    prompts = inputs[Prompts]
    level = pl.col(dimension) if dimension in prompts.columns else pl.lit(None, pl.String)
    read = (
        inputs.scan(Labels, model)
        .drop_nulls("unsure")
        .filter(pl.lit(not deciding) | pl.col("label_source").is_in(_BY_PEOPLE).not_())
        .select("prompt_id", "unseen", "distance", "unsure")
        .join(prompts.lazy().select("prompt_id", level=level.cast(pl.String)), on="prompt_id")
        .collect()
    )
    parts = {ALL: read, **{each: read.filter(level=each) for each in inputs.levels(dimension)}}
    return {key: _of(part) for key, part in parts.items() if len(part)}


def _of(part: pl.DataFrame) -> Reach:
    [(unlike, unseen, distance)] = part.select(
        pl.col("unsure").sum(), pl.col("unseen").median(), pl.col("distance").median()
    ).rows()
    return Reach(len(part), int(unlike), float(unseen), float(distance))


def reach_warnings(inputs: ReportInputs) -> list[str]:
    """A sentence for each model with responses that are unlike what the classifier learnt from."""
    dimension = inputs.dimension
    return [
        f"{plain(model)}: {said} would be if they were like it. Its labels may be wrong more "
        "often than its probabilities say: let people label some of them (draw_human_sample "
        "offers these first)."
        for model in inputs.models
        if (said := _unlike(reach(inputs, model, dimension), dimension))
    ]


def unlike_taught(inputs: ReportInputs, model: str, found: Sequence[Finding]) -> list[str]:
    """Whether what a model's main question found rests on labels of responses of an unknown kind.

    Args:
        inputs: the study's tables.
        model: its key.
        found: each level of the main dimension against the reference; where people's labels
            correct all of them, there is nothing to say.
    """
    if not isinstance(inputs.outcome.quantity, Share | Mean):
        return []
    if found and all(each.human_labels and each.uncorrected is None for each in found):
        return []
    dimension = inputs.dimension
    said = _unlike(reach(inputs, model, dimension, deciding=True), dimension)
    if said is None:
        return []
    sentence = (
        f"{said} would be if they were like it: its labels may be wrong more often than usual, "
        "and perhaps more often for some than for others."
    )
    return [sentence]


def unlike_line(inputs: ReportInputs) -> str:
    """The same for the terminal, behind what was found: in full for few models."""
    told = {
        model: said.rstrip(".")
        for model in inputs.models
        for said in unlike_taught(
            inputs, model, inputs.contrasts(model, inputs.outcome, inputs.dimension)
        )
    }
    if len(told) <= _NAMED:
        return "".join(f"; {isolated(model)}: {said}" for model, said in told.items())
    names = ", ".join(isolated(model) for model in list(told)[:_NAMED])
    return (
        f"; of {len(told)} models ({names} and {len(told) - _NAMED} more) many responses are "
        "unlike all that taught the classifier: see the report"
    )


def _unlike(by_level: dict[str, Reach], dimension: str) -> str | None:
    """How many responses are unlike, and of which levels; None where they are few in all."""
    whole = by_level.get(ALL)
    beyond = {level: each for level, each in by_level.items() if level != ALL and each.beyond}
    if whole is None or not (whole.beyond or beyond):
        return None
    levels = enumerated(
        [f"{percent(each.share)} for {level_words(dimension, key)}" for key, each in beyond.items()]
    )
    return (
        f"{percent(whole.share)} of the {count(whole.n)} responses that the classifier read"
        f"{f' ({levels})' if levels else ''} are unlike all that taught it, where "
        f"{percent(UNFAMILIAR)}"
    )
