"""What the responses that count nowhere could make of a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from refusal_parity.statistics.distributions import norm_isf
from refusal_parity.statistics.losses.left_out import (
    rests_on_left_out,
    small_rests_on_left_out,
    this_rests_on_left_out,
)
from refusal_parity.text import known
from refusal_parity.vocabulary import Reading, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.answering.finding import Finding, Row

_LEAST_P: Final = 1e-300


def bounded(found: Finding, bounds: Sequence[Row], alpha: float) -> Finding:
    """A finding with what it would be whatever the left-out responses were.

    Args:
        found: a difference with its verdict.
        bounds: rows of Bounds of its question, which take the machine's labels for true.
        alpha: level of its test, where models do not share it out.
    """
    ends = {
        row["reading"]: _by_people(found, row)
        for row in bounds
        if (row["group"], row["reference"]) == (found.group, found.reference)
        and (row["left_group"] or row["left_reference"])
    }
    low, high = ends.get(Reading.LOWEST), ends.get(Reading.HIGHEST)
    if low is None or high is None:
        return found
    against = low if (found.estimate or 0) > 0 else high
    warning = None
    if found.shown and not _kept(found, against, found.shared_alpha or alpha):
        warning = rests_on_left_out(against, found.dimension)
    widest = max(low, high, key=lambda row: abs(_known(row["estimate"]) or 0.0))
    if found.verdict is Verdict.EQUIVALENT and not _stays_small(found, widest, alpha):
        warning = small_rests_on_left_out(widest, found.dimension, found.margin)
    return replace(
        found,
        left_out=low["left_group"] + low["left_reference"],
        lowest=_known(low["estimate"]),
        lowest_p_adjusted=_known(low["p_adjusted"]),
        highest=_known(high["estimate"]),
        highest_p_adjusted=_known(high["p_adjusted"]),
        overturned=warning is not None,
        warning=warning,
    )


def bounded_by_row(found: Finding, row: Row, what: str) -> Finding:
    """The same of a finding whose own row has both readings.

    Args:
        found: with its verdict.
        row: of a table that has the readings' numbers.
        what: rests on who was left out, where it does: the start of a sentence.
    """
    if not row["left_out"]:
        return found
    above = (found.estimate or 0) > 0
    against = row["lowest" if above else "highest"]
    end = row["lowest_ci_low" if above else "highest_ci_high"]
    # By the interval, where the reading has one.
    reached = end if known(end) else against
    overturned = found.shown and known(reached) and (reached <= 0 if above else reached >= 0)
    return replace(
        found,
        left_out=row["left_out"],
        lowest=row["lowest"],
        highest=row["highest"],
        overturned=overturned,
        warning=this_rests_on_left_out(what, row["left_out"], against, end) if overturned else None,
    )


def _by_people(found: Finding, bound: Row) -> Row:
    """A reading, moved by as much as people's labels move the difference; it has no test then."""
    if found.machine_estimate is None or not known(bound["estimate"]):
        return bound
    moved = (found.estimate or 0) - found.machine_estimate
    return bound | {
        "estimate": max(-1.0, min(1.0, bound["estimate"] + moved)),
        "p_value": None,
        "p_adjusted": None,
        "ci_low": None,
        "ci_high": None,
    }


def _kept(found: Finding, against: Row, alpha: float) -> bool:
    """Whether a difference is still shown, and in its direction, by a reading against it.

    By the reading's own test, or by the interval of the finding, moved by as much as the
    difference is: the reading's test is not that which shows it, and may find less.
    """
    other, p = against["estimate"], against["p_adjusted"]
    if not known(other):
        return True
    estimate = found.estimate or 0
    same = other != 0 and (other > 0) == (estimate > 0)
    near = found.ci_low if estimate > 0 else found.ci_high
    moved = 0 if near is None else near + other - estimate
    beyond = moved != 0 and (moved > 0) == (estimate > 0)
    untested = p is None and found.machine_estimate is None
    return same and (untested or beyond or (p is not None and p < alpha))


def _stays_small(found: Finding, widest: Row, alpha: float) -> bool:
    """Whether a difference is still shown to be small by the reading that makes it largest.

    By its own test, moved by as much as the difference is: the quantile of its p-value tells how
    far within the margin it lies, in standard errors.
    """
    if not known(widest["estimate"]):
        return True
    room = found.margin - abs(found.estimate or 0.0)
    left = found.margin - abs(widest["estimate"])
    errors = float(norm_isf(max(found.p_small or 0.0, _LEAST_P)))
    return bool(left * errors >= room * float(norm_isf(alpha)))


def _known(value: float | None) -> float | None:
    return value if known(value) else None
