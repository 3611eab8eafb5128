"""Why a question has no answer, each reason said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.outcomes import OUTCOMES
from refusal_parity.statistics.answering.finding import NO_TEST, reason_of
from refusal_parity.statistics.enough import LEAST, too_few
from refusal_parity.statistics.fits.least_squares import OTHER_TEMPLATES
from refusal_parity.statistics.results import join_notes
from refusal_parity.statistics.uncounted import UNCOUNTED
from refusal_parity.text import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from refusal_parity.statistics.answering.finding import Finding, Row


def why_no_rates(counts: Mapping[str, Row], outcome: str) -> str | None:
    """Why no level of a question has a rate, or a mean; None where one has.

    Args:
        counts: a row of rates or means for each level.
        outcome: of the question.
    """
    if not counts:
        asked = OUTCOMES[outcome]
        if asked.is_log_odds or asked.is_weighed:
            return "its openings were not weighed"
        return f"there are no {'rates' if asked.is_rate else 'means'}"
    if any(known(row["rate"]) for row in counts.values()):
        return None
    return join_notes(*(row["note"] for row in counts.values())) or UNCOUNTED


def why_untested(pairs: Sequence[Finding], notes: Iterable[str | None]) -> str:
    """Why no test of some pairs gave a p-value.

    Where a level of every pair has fewer names than any test takes, that alone: what else each
    of the methods lacks would help nothing. Else what each of them says.

    Args:
        pairs: with the sizes of their levels.
        notes: of the methods that were asked.
    """
    if pairs and all(_has_few_names(each) for each in pairs):
        return too_few(_sizes(pairs)) or NO_TEST
    said = [part for note in notes if note for part in reason_of(note).split("; ")]
    # What lacks two levels is said of each of them by other pairs.
    within = {each for part in said for each in part.split(", ") if each != part}
    # What a method does is no reason either.
    within.add(OTHER_TEMPLATES)
    return join_notes(*(part for part in said if part not in within)) or NO_TEST


def _sizes(pairs: Sequence[Finding]) -> dict[str, dict[str, int]]:
    """Names and templates of each level, by level, where it has them."""
    sizes: dict[str, dict[str, int]] = {"name": {}, "template": {}}
    for each in pairs:
        for level, names, templates in (
            (each.level, each.names_group, each.templates_group),
            (each.base, each.names_reference, each.templates_reference),
        ):
            for noun, number in (("name", names), ("template", templates)):
                if number:
                    sizes[noun][level] = number
    return sizes


def _has_few_names(pair: Finding) -> bool:
    """Whether a level of two that have names has too few; one without any says why itself."""
    names = (pair.names_group or 0, pair.names_reference or 0)
    return 0 < min(names) < LEAST
