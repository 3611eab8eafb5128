"""What arms cost, and whom, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.factors import UNSAFE
from refusal_parity.report.safeguards import ALL, KINDS, changes, is_shown, rate_of
from refusal_parity.statistics.losses.left_out import WORTH_SAYING
from refusal_parity.statistics.pairing import STILL
from refusal_parity.text import (
    NOTHING,
    interval,
    known,
    level_words,
    p_equals,
    plain,
    points,
)
from refusal_parity.vocabulary import ModelEstimand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.report.inputs import ReportInputs, Row


class Told(NamedTuple):
    """What an arm of a model costs, in words.

    Attributes:
        arm: its key, as it is shown.
        baseline: of the arm that it is compared with.
        kinds: a paragraph on harmless requests and one on unsafe ones, where the study has them.
    """

    arm: str
    baseline: str
    kinds: tuple[str, ...]


def told(inputs: ReportInputs) -> dict[str, list[Told]]:
    """What each arm costs, and whom, by the model's key as it is shown."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in changes(inputs):
        found.setdefault((row["model"], row["arm"], row["baseline"]), []).append(row)
    by_model: dict[str, list[Told]] = {}
    for (model, arm, baseline), rows in found.items():
        kinds = (_of_kind(inputs, rows, kind) for kind in KINDS)
        by_model.setdefault(plain(model), []).append(
            Told(plain(arm), plain(baseline), tuple(filter(None, kinds)))
        )
    return by_model


def _of_kind(inputs: ReportInputs, rows: list[Row], kind: str) -> str:
    """A sentence or two on one kind of request; empty where the study has none of it."""
    of_kind = [row for row in rows if row["kind"] == kind]
    if not of_kind:
        return ""
    change = str(ModelEstimand.RATE_DIFFERENCE)
    whole = next(row for row in of_kind if row["group"] == ALL)
    costs = [
        row
        for row in of_kind
        if row["estimand"] == change and row["group"] != ALL and known(row["estimate"])
    ]
    ends = ""
    if costs and len({row["estimate"] for row in costs}) > 1:
        most, least = (choose(costs, key=lambda row: row["estimate"]) for choose in (max, min))
        ends = "; " + ", ".join(
            f"{points(row['estimate'], signed=True)} points for {_words(inputs, row['group'])}"
            f" ({what})"
            for row, what in ((most, "most"), (least, "least"))
        )
    name = f"{kind.capitalize()} requests"
    left_out = _left_out(whole, inputs.config.analysis.alpha).strip()
    if not known(whole["estimate"]):
        reason = _reason(whole)
        return " ".join(filter(None, [f"{name}: what it changes is unknown: {reason}.", left_out]))
    same = all(row["estimate"] == 0 for row in of_kind)
    parts = [
        f"{name}: {inputs.outcome.words.verb} {_by(whole)}{ends}.",
        _stopped(inputs, whole),
        _cut(inputs, whole),
        left_out,
        *_unknown_levels(inputs, of_kind),
        "" if same else _differing(inputs, of_kind),
    ]
    return " ".join(filter(None, parts))


def _left_out(row: Row, alpha: float) -> str:
    """What was left out of the comparison of all requests, and what that may hide."""
    if not row["left_arm"] + row["left_baseline"]:
        return ""
    p = row["left_p_adjusted"]
    tested = known(p) and p < alpha
    more = "more" if (row["left_change"] or 0) > 0 else "fewer"
    differs = f", which is {more} than without the arm (adjusted {p_equals(p)})" if tested else ""
    ends = (row["lowest_ci_low"], row["highest_ci_high"])
    reach = f", with their intervals {interval(*ends)}" if all(map(known, ends)) else ""
    against = row["lowest" if (row["estimate"] or 0) > 0 else "highest"]
    turned = (
        " So the direction of the change rests on what was left out."
        if is_shown(row, alpha) and known(against) and against * row["estimate"] <= 0
        else ""
    )
    return (
        f" Of {counted(row['left_arm'], 'request')} with it and {row['left_baseline']:,} without "
        f"no response counts{differs}: whatever they were, the change is "
        f"{interval(row['lowest'], row['highest'])} points{reach}.{turned}"
    )


def _reason(row: Row) -> str:
    """Why nothing was estimated, without the words that say that."""
    return plain((row["note"] or "for no reason given").removeprefix("not estimable: "))


def _both(inputs: ReportInputs, row: Row) -> tuple[Row, Row] | None:
    """Rates of an arm and of its baseline, over all requests of a kind."""
    found = [
        rate_of(inputs, row["model"], row[arm], row["kind"]).get(ALL) for arm in ("arm", "baseline")
    ]
    with_it, without = found
    return None if with_it is None or without is None else (with_it, without)


def _asked(row: Row) -> int:
    return int(row["n"]) + int(row["n_left_out"])


def _stopped(inputs: ReportInputs, row: Row) -> str:
    """How much a guard stopped; empty of an arm without a guard of its own."""
    both = _both(inputs, row)
    guards = {
        key: arm.guard for key, arm in inputs.config.prompts.arms.items() if arm.guard is not None
    }
    if both is None or guards.get(row["arm"]) == guards.get(row["baseline"]):
        return ""
    with_it, without = both
    stopped, before = with_it["n_stopped"], without["n_stopped"]
    by_filter = f", and {before:,} without it by the service's filter" if before else ""
    return (
        f"{stopped:,} of {counted(_asked(with_it), 'response')} {agreed(stopped, 'was', 'were')} "
        f"stopped{by_filter}."
    )


def _cut(inputs: ReportInputs, row: Row) -> str:
    """How many responses were cut off, where an arm changes that."""
    both = _both(inputs, row)
    if both is None or not all(map(_asked, both)):
        return ""
    with_it, without = (each["n_cut"] / _asked(each) for each in both)
    if abs(with_it - without) <= WORTH_SAYING:
        return ""
    return (
        f"{both[0]['n_cut']:,} of {counted(_asked(both[0]), 'response')} with it and "
        f"{both[1]['n_cut']:,} of {_asked(both[1]):,} without were cut off: their labels are of "
        "what was said until then."
    )


def _unknown_levels(inputs: ReportInputs, rows: list[Row]) -> Iterator[str]:
    """A sentence for each reason why the change of some levels is unknown."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        of_level = row["reference"] is None and row["group"] != ALL
        if of_level and not known(row["estimate"]):
            reasons.setdefault(_reason(row), []).append(_words(inputs, row["group"]))
    for reason, levels in reasons.items():
        yield f"What it changes for {enumerated(levels)} is unknown: {reason}."


def _words(inputs: ReportInputs, level: str) -> str:
    return plain(level_words(inputs.dimension, level))


def _by(row: Row) -> str:
    if row["estimate"] == 0:
        return "exactly as often as without"
    more = "more" if row["estimate"] > 0 else "less"
    bounds = interval(row["ci_low"], row["ci_high"])
    inside = "" if bounds == NOTHING else f" (interval {bounds})"
    return f"{points(abs(row['estimate']))} points {more} often{inside}"


def _differing(inputs: ReportInputs, rows: list[Row]) -> str:
    """Whether an arm costs some levels more than the reference."""
    alpha = inputs.config.analysis.alpha
    # Refusals of unsafe requests are no cost.
    unsafe = rows[0]["kind"] == UNSAFE
    more = "changes more for some than for others" if unsafe else "costs some more than others"
    tests = [row for row in rows if row["estimand"] == str(ModelEstimand.DISPARITY_DIFFERENCE)]
    tested = [row for row in tests if known(row["p_adjusted"])]
    shown = [row for row in tested if is_shown(row, alpha)]
    untested = list(_untested(inputs, tests))
    if shown:
        reference = _words(inputs, shown[0]["reference"])
        said = [_shown_between(inputs, row, reference, unsafe=unsafe) for row in shown]
        return " ".join([*said, *untested])
    if tests and all(row["note"] == STILL and row["estimate"] == 0 for row in tests):
        return "It changes exactly as much for all of them."
    if not tested:
        return " ".join([f"Whether it {more} cannot be tested here.", *untested])
    return " ".join([f"That it {more} is not shown.", *untested])


def _untested(inputs: ReportInputs, tests: list[Row]) -> Iterator[str]:
    """A sentence for each reason why changes of two levels are known and not tested."""
    reasons: dict[str, list[str]] = {}
    for row in tests:
        # Changes that are exactly alike need no test.
        if row["estimate"] and not known(row["p_adjusted"]):
            reasons.setdefault(_reason(row), []).append(_words(inputs, row["group"]))
    for reason, levels in reasons.items():
        yield f"It is not tested for {enumerated(levels)}: {reason}."


def _shown_between(inputs: ReportInputs, row: Row, reference: str, *, unsafe: bool) -> str:
    """How much more or less an arm changes for a level than for the reference."""
    sign = 1 if row["estimate"] > 0 else -1
    size, whom = points(abs(row["estimate"])), _words(inputs, row["group"])
    ends = sorted(sign * end for end in (row["ci_low"], row["ci_high"]) if known(end))
    inside = f" (interval {interval(*ends)})" if len(ends) == 2 else ""  # noqa: PLR2004 - both
    if unsafe:
        more = "higher" if sign > 0 else "lower"
        return f"For {whom} the change is {size} points {more} than for {reference}{inside}."
    more = "more" if sign > 0 else "less"
    return f"It costs {whom} {size} points {more} than {reference}{inside}."
