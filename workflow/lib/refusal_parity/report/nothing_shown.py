"""What is said where no difference is shown: how near it came, how small it is, and of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.outcomes import OUTCOMES
from refusal_parity.statistics.methods import METHODS
from refusal_parity.text import interval, isolated, level_words, p_equals, plain, points
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_FARTHER: Final = (
    " Intervals in the tables reach farther here: this test asks only whether differences are "
    "smaller, and needs less than an interval does."
)
_NOT_PROOF: Final = "This is not evidence that there is none."


def none_shown(inputs: ReportInputs, whole: Finding, found: list[Finding]) -> str:
    """What one family of tests says that shows no difference, and for what."""
    holds = _holds_for(found)
    if whole.verdict is Verdict.EQUIVALENT:
        which = "Every" if len(found) > 1 else "The"
        small = f"{which} difference{holds} was shown to be smaller than {margin_words(inputs)}."
        return small + _FARTHER * any(map(_reaches_farther, found))
    levels = DIMENSIONS[whole.dimension].plural
    return f"No difference between {levels} was shown{holds}{nearest(inputs, found)}. {_NOT_PROOF}"


def _reaches_farther(each: Finding) -> bool:
    """Whether the interval of a difference that is shown to be small leaves the margin."""
    ends = [end for end in (each.ci_low, each.ci_high) if end is not None]
    return max(map(abs, ends), default=0.0) > each.margin


def nearest(inputs: ReportInputs, found: list[Finding]) -> str:
    """The smallest p-value of some comparisons and what they do not rule out, in brackets."""
    p_values = [each.p_adjusted for each in found if each.p_adjusted is not None]
    if not p_values:
        return ""
    of_all = f" of {counted(len(p_values), 'comparison')}" if len(p_values) > 1 else ""
    smallest = "smallest adjusted" if of_all else "adjusted"
    left = not_ruled_out(inputs, found)
    levels = [isolated(each) for each in untested(found)]
    without = f"; without a test: {enumerated(levels)}" if levels else ""
    return f" ({smallest} {p_equals(min(p_values))}{of_all}{left}{without})"


def untested(found: list[Finding]) -> list[str]:
    """Levels that no test compares, of which nothing is said by the others."""
    return list(dict.fromkeys(each.level for each in found if each.p_adjusted is None))


def not_ruled_out(inputs: ReportInputs, found: list[Finding]) -> str:
    """How large the differences of rates may be, by the intervals of those that have one."""
    tested = [
        each for each in found if each.p_adjusted is not None and OUTCOMES[each.outcome].is_rate
    ]
    ends = [
        (each.ci_low, each.ci_high)
        for each in tested
        if each.ci_low is not None and each.ci_high is not None
    ]
    if not ends:
        return ""
    reach = interval(min(low for low, _ in ends), max(high for _, high in ends))
    if len(tested) == 1:
        return f"; {inputs.confidence} interval {reach} points"
    rest = len(tested) - len(ends)
    without = f", {rest} without one" if rest else ""
    return f"; {inputs.confidence} intervals from {reach} points{without}"


def _holds_for(found: list[Finding]) -> str:
    """To what the tests that decide generalise, as words after a noun."""
    scopes = dict.fromkeys(each.scope.words for each in found if each.scope is not None)
    return f" for {' or '.join(scopes)}" if scopes else ""


def all_together(inputs: ReportInputs, whole: Finding) -> list[str]:
    """What the test of all levels says where no single one is shown."""
    if whole.verdict is Verdict.SHOWN or whole.method is None or whole.p is None:
        return []
    if whole.scope is None or whole.p >= inputs.config.analysis.alpha:
        return []
    sentence = (
        f"The test of all {DIMENSIONS[whole.dimension].plural} together has "
        f"{p_equals(whole.p)} ({METHODS[whole.method].heading}). It holds for {whole.scope.words} "
        "and decides nothing: the single comparisons do."
    )
    return [sentence]


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
    """The levels whose difference the equivalence test shows to lie within the margin."""
    small: dict[str, list[Finding]] = {}
    for contrast in found:
        if contrast.within_margin:
            small.setdefault(contrast.base, []).append(contrast)
    sentences = []
    for base, levels in small.items():
        told = [
            f"{level_words(dimension, each.level)} ({points(each.estimate, signed=True)} points; "
            f"{'' if at else 'equivalence test: '}adjusted {p_equals(each.p_small)})"
            for at, each in enumerate(levels)
        ]
        sentences.append(
            f"The {agreed(len(levels), 'difference', 'differences')} from "
            f"{level_words(dimension, base)} {agreed(len(levels), 'is', 'are')} shown to be "
            f"smaller than {margin_words(inputs)} for {enumerated(told)}."
        )
    return sentences


def margin_words(inputs: ReportInputs) -> str:
    """Below which differences count as small."""
    return f"{points(inputs.config.analysis.margin)} points"
