"""One difference in one sentence: how large, in which direction, and how sure of it a study is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.text import (
    interval,
    isolated,
    level_words,
    p_equals,
    plain,
    points,
)

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding


def difference_sentence(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str, contrast: Finding
) -> str:
    """Say how large a difference is, in which direction, and how sure of it the study is."""
    size = contrast.estimate or 0
    direction = "more" if size > 0 else "less"
    inside = _intervals(contrast, inputs.confidence)
    counts = _counts(contrast)
    if counts:
        inside.append(counts)
    test = f"adjusted {p_equals(contrast.p_adjusted)}"
    if contrast.by_names:
        test = f"{test} by the exact permutation of names, which holds for these templates only"
    elif contrast.scope is not None:
        test = f"{test}; for {contrast.scope}"
    caution = ""
    permuted = contrast.names_p_adjusted
    if permuted is not None and permuted >= inputs.config.analysis.alpha:
        caution = (
            " The exact permutation of names, for these templates, does not show it "
            f"(adjusted {p_equals(permuted)})."
        )
    return (
        f"{isolated(model)} {outcome.words.verb} {points(abs(size))} points {direction} often for "
        f"{level_words(dimension, contrast.level)} than for "
        f"{level_words(dimension, contrast.base)} "
        f"({', '.join(inside)}{'; ' if inside else ''}{test}).{caution}"
        f"{_corrected(contrast)}"
    )


def _corrected(contrast: Finding) -> str:
    if contrast.human_labels is None:
        return ""
    return (
        f" Corrected for the machine's errors by {counted(contrast.human_labels, 'human label')}."
    )


def _intervals(contrast: Finding, confidence: str) -> list[str]:
    low, high = contrast.ci_low, contrast.ci_high
    if low is None or high is None:
        return []
    # The sentence says "less often": its interval counts in the same direction.
    if (contrast.estimate or 0) < 0:
        low, high = -high, -low
    return [f"{confidence} interval {interval(low, high)}"]


def _counts(contrast: Finding) -> str:
    """How many units the levels have of what a study has a sample of."""
    ours, others, noun = {
        Unit.NAME: (contrast.names_group, contrast.names_reference, "names"),
        Unit.TEMPLATE: (contrast.templates_group, contrast.templates_reference, "templates"),
        Unit.SET: (None, None, ""),
        Unit.PROMPT: (None, None, ""),
        Unit.LISTED: (contrast.templates_group, contrast.templates_reference, "prompts"),
    }[DIMENSIONS[contrast.dimension].unit]
    return "" if ours is None or others is None else f"{ours} against {others} {noun}"


def with_these_templates(inputs: ReportInputs, found: list[Finding], dimension: str) -> list[str]:
    """Each difference that only the narrower question shows: new names, the same templates."""
    return [
        f"For {level_words(dimension, contrast.level)} against "
        f"{level_words(dimension, contrast.base)} "
        f"({points(contrast.estimate, signed=True)} points) the exact permutation of names, which "
        "holds for these templates only, shows a difference (adjusted "
        f"{p_equals(contrast.names_p_adjusted)}{_noted(contrast)}); "
        "for other templates none is shown."
        for contrast in found
        if not contrast.shown
        and contrast.names_p_adjusted is not None
        and contrast.names_p_adjusted < inputs.config.analysis.alpha
    ]


def _noted(contrast: Finding) -> str:
    return f"; {plain(contrast.note)}" if contrast.note else ""


def small_differences(inputs: ReportInputs, found: list[Finding], dimension: str) -> list[str]:
    """Each level whose difference the equivalence test shows to lie within the margin."""
    return [
        f"For {level_words(dimension, contrast.level)} the difference from "
        f"{level_words(dimension, contrast.base)} is shown to be smaller than "
        f"{margin_words(inputs)} ({points(contrast.estimate, signed=True)} points; "
        f"equivalence test: adjusted {p_equals(contrast.p_small)})."
        for contrast in found
        if contrast.within_margin
    ]


def margin_words(inputs: ReportInputs) -> str:
    """Below which differences count as small."""
    return f"{points(inputs.config.analysis.margin)} points"
