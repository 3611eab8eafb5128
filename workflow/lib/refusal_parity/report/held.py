"""What differences are with covariates held fixed, beside what they are as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.text import interval, known, level_words, p_equals, plain, points

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_ADJUSTED: Final = "adjusted for "
_SIGNS: Final = ("not estimable: ", "descriptive only: ")
"""What a note says first where there is no number, or one that is no finding."""


def with_covariates(inputs: ReportInputs, found: list[Finding]) -> list[str]:
    """A sentence or two on each difference that is shown, as it stands or with covariates.

    Args:
        inputs: the study's tables.
        found: what was found of each level against the reference.
    """
    alpha = inputs.config.analysis.alpha
    return [
        _sentence(inputs, each)
        for each in found
        if each.covariates is not None
        and (each.shown or (each.covariates_p_adjusted or 1.0) < alpha)
    ]


def described_with_covariates(contrast: Finding) -> str | None:
    """Why the difference with covariates is no finding, as a clause; null where it is one."""
    if contrast.covariates_estimate is None or contrast.covariates_p_adjusted is not None:
        return None
    _, why = _parts(contrast)
    return "the difference with covariates is a description" + f", as {why}" * bool(why)


def _sentence(inputs: ReportInputs, contrast: Finding) -> str:
    held, why = _parts(contrast)
    level = level_words(contrast.dimension, contrast.level)
    estimate, p = contrast.covariates_estimate, contrast.covariates_p_adjusted
    if estimate is None:
        return f"{held[0].upper()}{held[1:]}, the difference for {level} is not estimable: {why}."
    ends = contrast.covariates_ci_low, contrast.covariates_ci_high
    beside = [f"{inputs.confidence} interval {interval(*ends)}"] * known(ends[0])
    beside += [] if p is None else [f"adjusted {p_equals(p)}"]
    brackets = f" ({'; '.join(beside)})" if beside else ""
    return (
        f"{held[0].upper()}{held[1:]}, the difference for {level} is "
        f"{points(estimate, signed=True)} points{brackets}, beside "
        f"{points(contrast.estimate, signed=True)} as it stands, which decides. "
        + _how_to_read(why, is_tested=p is not None)
    )


def _how_to_read(why: str, *, is_tested: bool) -> str:
    if is_tested:
        return "Where both differ much, the levels differ in more than their name."
    return "The adjusted one is a description and no finding" + f": {why}" * bool(why) + "."


def _parts(contrast: Finding) -> tuple[str, str]:
    """What a difference is adjusted for, and without whom; and what its note says else."""
    clauses = plain(contrast.covariates).split("; ")
    held = [each for each in clauses if each.startswith(_ADJUSTED)]
    others = [each for each in clauses if each not in held]
    for sign in _SIGNS:
        others = [each.removeprefix(sign) for each in others]
    return "; ".join(held), "; ".join(others)
