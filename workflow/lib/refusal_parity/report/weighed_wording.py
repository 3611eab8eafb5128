"""What weighed rates and propensities of each model rest on, in sentences; or why it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.openings.learnt import sentence_of
from refusal_parity.openings.weighing import counts_of
from refusal_parity.outcomes import Outcome
from refusal_parity.report.odds import levels_of, small_interval, small_rate, weighed_models
from refusal_parity.statistics.planning.weighing import (
    OUTSIDE,
    asked_of,
    half_widths_of,
    why_unknown,
)
from refusal_parity.tables import Pilots, StudyDesign, Weighed
from refusal_parity.text import isolated, plain
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_ALL = "all"


def unweighed(inputs: ReportInputs) -> list[str]:
    """A sentence for each model without a propensity: why it has none."""
    said = []
    measured = weighed_models(inputs)
    for model in inputs.models:
        if model in measured:
            continue
        config = inputs.config.models.get(model)
        if model in inputs.config.weighed:
            learnt = inputs[Pilots].filter(pl.col("model") == model)["note"].drop_nulls().to_list()
            levels = levels_of(inputs, model, _ALL).values()
            notes = learnt or [row["note"] for row in levels if row["note"]]
            reason = plain(notes[0]) if notes else "no opening of a refusal is known"
        elif config is not None and not config.weighs:
            reason = (
                "its engine does not tell how probable a given beginning of a response is; its "
                "responses are drawn"
            )
        else:
            reason = "the study draws its responses and does not weigh their openings"
        said.append(f"{plain(model)} has no propensity: {reason}.")
    return said


def would_bring(inputs: ReportInputs) -> list[str]:
    """A sentence for each model that is drawn, refuses rarely and could be weighed: what for.

    Half-widths are those of the design for new names and templates, or new prompts; where they
    are not known, the sentence says why and promises nothing.
    """
    said = []
    for model in inputs.models:
        design = inputs[StudyDesign].filter(
            pl.col("model") == model,
            pl.col("outcome").cast(pl.String) == str(Outcome.WEIGHED_REFUSAL),
            pl.col("dimension") == inputs.dimension,
            pl.col("scope").cast(pl.String) != str(Scope.NEW_NAMES),
        )
        if design.is_empty():
            continue
        rate = small_rate(design["rate"][0])
        begun = (
            f"{isolated(model)}: refusals are rare ({rate} of the responses), and the engine can "
            "weigh the first words of a response (sampling.openings: weigh)"
        )
        found = half_widths_of(design, model)
        if not found:
            said.append(
                f"{begun}. What that would bring is not known: {plain(why_unknown(design))}."
            )
            continue
        weighed, drawn = (
            _reach([getattr(row, key) for row in found]) for key in ("weighed", "drawn")
        )
        asked = inputs[StudyDesign].filter(pl.col("model") == model)
        said.append(
            f"{begun}. With the variances that this study shows, {inputs.confidence} intervals of "
            f"a single difference of rates would reach {weighed} points to each side instead of "
            f"{drawn}, if {100 * OUTSIDE:g} % of its refusals open otherwise than those to "
            "other templates; how many do, only weighing can tell. It would take about "
            f"{asked_of(asked, model)}."
        )
    return said


def _reach(halves: list[float]) -> str:
    """Half-widths in points: of groups of one size one number, of several the least and most."""
    low, high = (f"{100 * end:.2g}" for end in (min(halves), max(halves)))
    return low if low == high else f"{low} to {high}"


def learnt_sentences(inputs: ReportInputs) -> list[str]:
    """A sentence for each model on what its tree was learnt from."""
    names = ("model", "study", "model_there")
    return [
        f"{said[:1].upper()}{said[1:]}."
        for row in inputs[Pilots].iter_rows(named=True)
        for said in (
            sentence_of(row | {key: row[key] and isolated(str(row[key])) for key in names}),
        )
    ]


def weighed_sentences(inputs: ReportInputs) -> list[str]:
    """A sentence for each model on what its weighed rates rest on."""
    said = []
    for (model,), rows in inputs[Weighed].group_by("model", maintain_order=True):
        of = counts_of(rows)
        without = (
            f" {of.continued_unlabelled:,} of the latter have no label; each of these counts as "
            "the share of refusals that its opening has elsewhere, as neither a refusal nor an "
            "answer."
            if of.continued_unlabelled
            else ""
        )
        given = (
            f"and on {counted(of.continued, 'response')} that were given an opening of the tree "
            f"and drawn to the end, {of.continued_refusals:,} of which "
            f"{agreed(of.continued_refusals, 'refuses', 'refuse')}"
            if of.continued
            else "and on none that was given an opening"
        )
        said.append(
            f"Weighed rates of {isolated(str(model))} rest on {counted(of.drawn, 'ordinary draw')} "
            f"of {counted(of.prompts, 'prompt')}, {of.drawn_outside:,} of which "
            f"{agreed(of.drawn_outside, 'opens', 'open')} outside the tree that was learnt from "
            f"other templates, {given}.{without} {_checked(inputs, str(model))}"
        )
    return said


def _checked(inputs: ReportInputs, model: str) -> str:
    """What people's labels make of a model's weighed rate, or why they correct nothing."""
    row = levels_of(inputs, model, _ALL).get(_ALL)
    if row is None or not row["human_labels"]:
        samples = "draw_human_sample"
        samples += " draw_leaf_sample" if model in inputs.config.continued else ""
        return (
            "The labels are those of the machine, and no people's labels correct them: snakemake "
            f"{samples} writes what people are to label."
        )
    labels = (
        f"People labelled {counted(row['human_labels'], 'response')} of a probability sample, "
        f"{row['human_leaf_labels']:,} of which "
        f"{agreed(row['human_leaf_labels'], 'was', 'were')} given "
        f"{agreed(row['human_leaf_labels'], 'its', 'their')} opening"
    )
    if row["corrected_rate"] is None:
        return f"{labels}. They do not correct weighed rates: {plain(row['corrected_note'])}."
    return (
        f"{labels}. Corrected by them, the rate over all prompts is "
        f"{small_rate(row['corrected_rate'])} ({inputs.confidence} interval "
        f"{small_interval(row['corrected_low'], row['corrected_high'])}) instead of "
        f"{small_rate(row['weighed_rate'])}; the interval holds for new names and templates and "
        "includes the uncertainty of the correction."
    )
