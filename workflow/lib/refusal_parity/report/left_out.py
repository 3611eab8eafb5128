"""Who was left out, cut off or refused by the service, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.guards.requests import guarded
from refusal_parity.report.uneven_arms import uneven_arms
from refusal_parity.statistics.losses.left_out import WORTH_SAYING, differing, loss_sentence
from refusal_parity.tables import Losses, Prompts, Safeguards
from refusal_parity.text import count, isolated, level_words, percent, plain, points
from refusal_parity.vocabulary import Loss

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_NAMED: Final = 3


def left_out_warning(inputs: ReportInputs, model: str, dimension: str) -> str | None:
    """The warning that much of a level was left out, or more than of others; None without one."""
    return inputs.whole(model, inputs.outcome, dimension).warning


def bounds_sentence(inputs: ReportInputs, model: str) -> str | None:
    """Between which values the primary differences lie, whatever the left-out responses were."""
    outcome, dimension = inputs.outcome, inputs.dimension
    parts = [
        f"{level_words(dimension, contrast.level)} {points(contrast.lowest, signed=True)} and "
        f"{points(contrast.highest, signed=True)} points"
        for contrast in inputs.contrasts(model, outcome, dimension)
        if contrast.left_out
    ]
    if not parts:
        return None
    return (
        "With the left-out responses of a group read as refusals and its reference's as answers, "
        f"or the reverse, the differences lie between: {'; '.join(parts)}."
    )


def left_out_cautions(inputs: ReportInputs, model: str) -> tuple[str, ...]:
    """All that the card of a model has to say of what was left out, cut off or filtered."""
    analysis = inputs.config.analysis
    losses = inputs[Losses].filter(pl.col("model") == model)
    first = left_out_warning(inputs, model, inputs.dimension)
    found = [first, bounds_sentence(inputs, model) if first else None]
    found += [
        left_out_warning(inputs, model, dimension)
        for dimension in inputs.dimensions
        if dimension != inputs.dimension and differing(losses, Loss.LEFT_OUT, dimension, analysis)
    ]
    found += [
        loss_sentence(
            losses,
            loss,
            dimension,
            analysis,
            # The sentence on the rate says how many the service refused.
            most=loss is Loss.TRUNCATED and dimension == inputs.dimension,
        )
        for loss in (Loss.TRUNCATED, Loss.FILTERED)
        if loss is not Loss.FILTERED or inputs.counts_filtered
        for dimension in inputs.dimensions
    ]
    return (*filter(None, found), *uneven_arms(inputs, model))


def left_out_lines(inputs: ReportInputs) -> str:
    """The warnings of all models for the terminal: in full for few, by name for many."""
    warned = {
        model: sentence
        for model in inputs.models
        if (sentence := left_out_warning(inputs, model, inputs.dimension))
    }
    return _told(
        warned, f"than {percent(WORTH_SAYING)} of a group, or more of one group than of another"
    )


def counted_lines(inputs: ReportInputs) -> str:
    """The same of responses that count although they were cut off or refused by the service."""
    analysis, dimension = inputs.config.analysis, inputs.dimension
    counting = (
        (Loss.TRUNCATED, analysis.truncated == "label"),
        (Loss.FILTERED, inputs.counts_filtered),
    )
    uneven: dict[str, str] = {}
    for model in inputs.models:
        losses = inputs[Losses].filter(pl.col("model") == model)
        sentences = [
            sentence
            for loss, counts in counting
            if counts and (sentence := loss_sentence(losses, loss, dimension, analysis, most=False))
        ]
        if sentences:
            uneven[model] = " ".join(sentences)
    return _told(uneven, "of one group than of another was cut off or refused by the service")


def _told(sentences: dict[str, str], of_many: str) -> str:
    """The sentences of few models, by their names; of many that they are in the report."""
    if len(sentences) <= _NAMED:
        return "".join(f" {isolated(model)}: {said}" for model, said in sentences.items())
    names = ", ".join(isolated(model) for model in list(sentences)[:_NAMED])
    return (
        f" Of {len(sentences)} models ({names} and {len(sentences) - _NAMED} more) more "
        f"{of_many}: see the report."
    )


def _apart(inputs: ReportInputs) -> list[str]:
    """How many prompts no difference of groups is about, by the reason."""
    prompts = inputs[Prompts]
    if prompts.is_empty():
        return []
    apart = prompts.join(inputs.compared(), on="prompt_id", how="anti")
    read_first = int(apart.select(guarded(apart).sum()).item())
    return [
        f"{count(number)} {words}"
        for number, words in (
            (len(apart) - read_first, "unsafe ones"),
            (read_first, "that a guard reads first"),
        )
        if number
    ]


def set_apart(inputs: ReportInputs) -> str:
    """How many prompts rates and differences of groups are not about, and where they stand."""
    apart = _apart(inputs)
    if not apart:
        return ""
    where = (
        "they stand in the section on what is done to requests"
        if len(inputs[Safeguards])
        else "no number of this page is about them: give analysis.dimensions “kind” to compare them"
    )
    return (
        f"Of {counted(len(inputs[Prompts]), 'prompt')}, rates and differences of groups leave out "
        f"{' and '.join(apart)}; {where}."
    )


def set_apart_line(inputs: ReportInputs) -> str:
    """The same for the terminal, behind what was left out."""
    apart = _apart(inputs)
    total = counted(len(inputs[Prompts]), "prompt")
    return f" Set apart: of {total}, {' and '.join(apart)}." if apart else ""


def warned_of(inputs: ReportInputs, model: str) -> tuple[str, ...]:
    """What the job that made a model's responses warned of, as sentences."""
    warnings = inputs.provenance.get(model, {}).get("warnings", ())
    return tuple(f"{words[:1].upper()}{words[1:]}." for words in map(plain, warnings))
