"""How wide intervals would be at each stage of a study that grows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.dimensions import composed
from refusal_parity.factors import SET
from refusal_parity.planned import all_stimuli
from refusal_parity.stages import at_stage
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.planning.power import Size, precision
from refusal_parity.statistics.variances.components import Components
from refusal_parity.text import points
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.config import AnalysisConfig, StudyConfig
    from refusal_parity.prompts import Stimuli


def planned_half_widths(
    stimuli: Stimuli, analysis: AnalysisConfig, *, samples: int, arms: int
) -> list[float]:
    """The widest interval's half-width at each stage, from the assumed variances.

    It is t's quantile at alpha / m times the standard error of a difference of two groups
    (`power.precision`), with new templates and names; the study's own is that of other
    limits, which come near it unless rates are close to 0 or 1.

    Args:
        stimuli: all templates and names.
        analysis: the stopping rule, the primary family, alpha, assumed variances.
        samples: responses to each prompt, where these do not grow.
        arms: under which each is asked.

    Returns:
        One for each stage; none of a study that is drawn at once.
    """
    rule, assumed = analysis.stop_when, analysis.assumed.model_dump()
    found: list[float] = []
    for stage, size in enumerate(rule.stages if rule else [], start=1):
        there = at_stage(stimuli, analysis, stage)
        key = SET if SET in there.templates.columns else "template_id"
        texts = there.templates[key].n_unique()
        each = size if rule and rule.grow == "samples" else samples
        study = Size(1, 1, texts, each * arms * len(there.templates) / texts)
        found.append(_widest(there.names, analysis, Components(**assumed), study))
    return found


def _widest(names: pl.DataFrame, analysis: AnalysisConfig, parts: Components, study: Size) -> float:
    dimension = analysis.primary_family.dimension
    levels = names.with_columns(composed()).drop_nulls(dimension)[dimension].value_counts()
    members = dict(levels.iter_rows())
    reference = members.pop(analysis.dimensions[dimension].reference)
    widths = [0.0]
    for number in members.values():
        size = replace(study, names=number, reference=reference)
        given = precision(parts, size, Scope.NEW_NAMES_AND_TEMPLATES)
        quantile = float(t_isf(analysis.alpha / (2 * len(members)), given.df))
        widths.append(quantile * float(np.sqrt(given.variance)))
    return max(widths)


def stage_lines(study: StudyConfig, *, arms: int) -> list[str]:
    """What the stages of a study would come to, as lines for the terminal.

    Args:
        study: its config; of one that is drawn at once there is nothing to say.
        arms: under which each prompt is asked.
    """
    rule = study.analysis.stop_when
    if rule is None:
        return []
    widths = planned_half_widths(
        all_stimuli(study), study.analysis, samples=study.samples, arms=arms
    )
    said = ", ".join(
        f"{size} {rule.grow} ±{points(width)}"
        for size, width in zip(rule.stages, widths, strict=True)
    )
    enough = next((at for at, width in enumerate(widths, 1) if width <= rule.half_width), None)
    outcome = f"stage {enough} would be enough" if enough else "no stage would be enough"
    aim = f"±{points(rule.half_width)} are asked for"
    return [f"stages, with the assumed variances: {said} points; {aim}, and {outcome}"]
