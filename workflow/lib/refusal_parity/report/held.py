"""What differences are with covariates held fixed, beside what they are as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.counting import enumerated
from refusal_parity.text import interval, known, level_words, p_equals, plain, points

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_ADJUSTED: Final = "adjusted for "
_WITHOUT: Final = ", without "
"""What a note says before it counts whose covariates are not known."""

_SIGNS: Final = ("not estimable: ", "descriptive only: ")
"""What a note says first where there is no number, or one that is no finding."""


def with_covariates(inputs: ReportInputs, found: list[Finding]) -> list[str]:
    """A sentence or two on the differences that are shown, as they stand or with covariates.

    Those that differ in nothing but their numbers stand in one sentence.

    Args:
        inputs: the study's tables.
        found: what was found of each level against the reference.
    """
    alpha = inputs.config.analysis.alpha
    alike: dict[object, list[Finding]] = {}
    for each in found:
        p = each.covariates_p_adjusted
        if each.covariates is not None and (each.shown or (p or 1.0) < alpha):
            key = _parts(each), each.covariates_estimate is None, p is None
            alike.setdefault(key, []).append(each)
    return [_sentence(inputs, together) for together in alike.values()]


def described_with_covariates(contrast: Finding) -> str | None:
    """Why the difference with covariates is no finding, as a clause; null where it is one."""
    if contrast.covariates_estimate is None or contrast.covariates_p_adjusted is not None:
        return None
    _, why = _parts(contrast)
    return "the difference with covariates is a description" + f", as {why}" * bool(why)


def _sentence(inputs: ReportInputs, together: list[Finding]) -> str:
    first, *others = together
    held, why = _parts(first)
    opening = f"{held[0].upper()}{held[1:]}, the difference for "
    if first.covariates_estimate is None:
        levels = enumerated([level_words(each.dimension, each.level) for each in together])
        return f"{opening}{levels} is not estimable: {why}."
    said = [_numbers(inputs, first, " is"), *(f"for {_numbers(inputs, each)}" for each in others)]
    decides = ". The unadjusted ones decide. " if others else ", which decides. "
    is_tested = first.covariates_p_adjusted is not None
    return f"{opening}{'; '.join(said)}{decides}{_how_to_read(held, why, is_tested=is_tested)}"


def _numbers(inputs: ReportInputs, contrast: Finding, verb: str = "") -> str:
    """A level, its difference with covariates, and the one as it stands."""
    ends = contrast.covariates_ci_low, contrast.covariates_ci_high
    p = contrast.covariates_p_adjusted
    beside = [f"{inputs.confidence} interval {interval(*ends)}"] * known(ends[0])
    beside += [] if p is None else [f"adjusted {p_equals(p)}"]
    brackets = f" ({'; '.join(beside)})" if beside else ""
    return (
        f"{level_words(contrast.dimension, contrast.level)}{verb} "
        f"{points(contrast.covariates_estimate, signed=True)} points{brackets}, beside "
        f"{points(contrast.estimate, signed=True)} as it stands"
    )


def _how_to_read(held: str, why: str, *, is_tested: bool) -> str:
    if is_tested:
        # The unadjusted one is of them too: no covariate need stand between the two.
        left_out = ", or in those left out of the adjusted one" if _WITHOUT in held else ""
        return f"Where both differ much, the levels differ in more than their name{left_out}."
    return "The adjusted one is a description and no finding" + f": {why}" * bool(why) + "."


def _parts(contrast: Finding) -> tuple[str, str]:
    """What a difference is adjusted for, and without whom; and what its note says else."""
    clauses = plain(contrast.covariates).split("; ")
    held = [each for each in clauses if each.startswith(_ADJUSTED)]
    others = [each for each in clauses if each not in held]
    for sign in _SIGNS:
        others = [each.removeprefix(sign) for each in others]
    return "; ".join(held), "; ".join(others)
