"""Three lines for the terminal: where the report is, what was found, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import counted, enumerated
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.outcomes import Outcome
from refusal_parity.report import audit
from refusal_parity.report.across_models import is_controlled
from refusal_parity.report.left_out import counted_lines, left_out_lines, set_apart_line
from refusal_parity.report.nothing_shown import not_ruled_out, untested
from refusal_parity.report.odds import odds_interval, odds_margins, odds_ratio
from refusal_parity.report.pair_losses import pair_losses_warning
from refusal_parity.report.reach import unlike_line
from refusal_parity.report.small_effects import Beyond, beyond, differing_odds
from refusal_parity.report.stages import interim_words
from refusal_parity.report.wording import Statement, statement
from refusal_parity.statistics.uncounted import LABELLED
from refusal_parity.tables import Exclusions
from refusal_parity.text import (
    count,
    interval,
    isolated,
    known,
    p_equals,
    percent,
    plain,
    points,
    reason_words,
)
from refusal_parity.vocabulary import Exclusion, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.report.inputs import ReportInputs

_MODELS_IN_FULL: Final = 3
_MODELS_BY_NAME: Final = 4
_REASONS: Final = 3
"""Of why models are not estimable, as many as are said."""
_BY_SERVICE: Final = "refused by the service, which count as refusals"


def summary_lines(inputs: ReportInputs, path: Path) -> list[str]:
    """Say in exactly three lines where the report is, what it found and what was left out.

    Args:
        inputs: the study's tables.
        path: the report.
    """
    if inputs.config.preference is not None:
        uneven = pair_losses_warning(inputs)
        return [
            f"Report: {path}",
            f"Found: {audit.found_words(inputs)}",
            " ".join(filter(None, [f"Left out: {audit.left_out_words(inputs)}", uneven])),
        ]
    primary = (inputs.questions[0], inputs.dimension)
    findings = [statement(inputs, model, *primary) for model in inputs.models]
    if len(findings) <= _MODELS_IN_FULL:
        found = "; ".join(_in_full(inputs, findings))
    else:
        found = _over_models(inputs, findings)
    if is_controlled(inputs, *primary):
        share = percent(inputs.config.analysis.alpha)
        found = f"{found}; of models called different, at most {share} are expected to be wrong"
    found = f"{found}{unlike_line(inputs)}"
    interim = interim_words(inputs)
    found = f"{found}; {interim}" if interim else found
    return [f"Report: {path}", f"Found: {found}.", f"Left out: {_left_out(inputs)}"]


def exclusion_totals(inputs: ReportInputs, model: str | None = None) -> dict[str, int]:
    """Responses by reason, `labelled` among them, over one model or all.

    Rows of the dimension `all` are taken; where there are none, those of the
    first dimension that has any, since each dimension counts every response.
    """
    frame = inputs[Exclusions]
    if model is not None:
        frame = frame.filter(pl.col("model") == model)
    dimensions = frame["dimension"].unique(maintain_order=True).to_list()
    if not dimensions:
        return {}
    dimension = "all" if "all" in dimensions else dimensions[0]
    sums = (
        frame.filter(pl.col("dimension") == dimension)
        .group_by("reason", maintain_order=True)
        .agg(pl.col("n").sum())
    )
    return dict(zip(sums["reason"].to_list(), sums["n"].to_list(), strict=True))


def _in_full(inputs: ReportInputs, findings: list[Statement]) -> list[str]:
    """What was found of each model; those of which nothing could be tested, by the reason."""
    untested: dict[str, list[str]] = {}
    for each in findings:
        if each.reason is not None:
            untested.setdefault(each.reason, []).append(isolated(each.model))
    found = [_short(inputs, each) for each in findings if each.reason is None]
    return found + [
        f"{enumerated(models)}: not estimable: {plain(reason)}"
        for reason, models in untested.items()
    ]


def _short(inputs: ReportInputs, result: Statement) -> str:
    model, levels = isolated(result.model), DIMENSIONS[result.dimension].plural
    if result.verdict is Verdict.EQUIVALENT:
        if result.outcome.is_log_odds:
            return f"{model}: every odds ratio shown to lie within {odds_margins(inputs)}"
        margin = inputs.config.analysis.margin
        whole = _within(inputs, result, margin)
        all_of_it = "" if whole is None else f", which is more than {_whole_words(whole)}"
        return (
            f"{model}: every difference shown to be smaller than {points(margin)} points"
            f"{all_of_it}{_by_odds(inputs, result)}"
        )
    if result.verdict is Verdict.NOT_SHOWN:
        by_odds = _by_odds(inputs, result)
        return f"{model}: no difference between {levels} shown{result.nearest}{by_odds}"
    return f"{model}: {_largest(inputs, result)}"


def _largest(inputs: ReportInputs, result: Statement) -> str:
    """The largest difference that is shown, and how many more are."""
    largest, *others = result.shown
    low, high = largest.ci_low, largest.ci_high
    if result.outcome.is_log_odds:
        size, ends = f"odds ratio {odds_ratio(largest.estimate)}", odds_interval(low, high)
    else:
        size, ends = f"{points(largest.estimate or 0, signed=True)} points", interval(low, high)
    bounds = f"{inputs.confidence} interval {ends}; " if known(low) else ""
    permuted = " by the exact permutation of names" if largest.by_names else ""
    more = f", and {len(others)} more shown to differ" if others else ""
    levels = [isolated(each) for each in result.untested]
    without = f"; without a test: {enumerated(levels)}" if levels else ""
    return (
        f"{isolated(largest.level)} {size} against {isolated(largest.base)} ({bounds}"
        f"adjusted {p_equals(largest.p_adjusted)}{permuted}{without}){more}"
    )


def _within(inputs: ReportInputs, result: Statement, margin: float) -> Beyond | None:
    """What of a model's rate the margin takes in whole."""
    rate = (inputs.overall(result.model, result.outcome) or {}).get("rate")
    return None if rate is None else beyond(margin, rate)


def _whole_words(whole: Beyond) -> str:
    if whole.lacks:
        return f"the {percent(whole.share)} that its rate lacks to 100 %"
    return f"its rate of {percent(whole.share)}"


def _by_odds(inputs: ReportInputs, result: Statement) -> str:
    """What odds show where rates show nothing."""
    if result.outcome is not Outcome.REFUSAL:
        return ""
    shown = differing_odds(inputs, result.model, result.dimension)
    if not shown:
        return ""
    levels = ", ".join(isolated(each.level) for each in shown)
    return f", but odds of refusing are shown to differ for {levels} (see refusal propensity)"


def _over_models(inputs: ReportInputs, findings: list[Statement]) -> str:
    parts = [f"{len(findings)} models"]
    for verdict, words in (
        (Verdict.SHOWN, "difference shown for"),
        (Verdict.EQUIVALENT, "shown to be small for"),
        (Verdict.NOT_SHOWN, "not shown for"),
        (Verdict.NOT_ESTIMABLE, "not estimable for"),
    ):
        those = [result for result in findings if result.verdict is verdict]
        if verdict is Verdict.SHOWN:
            parts += _named(words, those, lambda each: f": {_largest(inputs, each)}", "; ")
            continue
        for reason, alike in _by_reason(those):
            more = f": {plain(reason)}" if reason is not None else _reach(inputs, alike)
            parts += [f"{part}{more}" for part in _named(words, alike)]
    margin = inputs.config.analysis.margin
    small = [each for each in findings if each.verdict is Verdict.EQUIVALENT]
    for lacks, what in (
        (False, "the whole rate of"),
        (True, "all that the rate lacks to 100 % of"),
    ):
        within = [
            each
            for each in small
            if not each.outcome.is_log_odds
            and (whole := _within(inputs, each, margin)) is not None
            and whole.lacks is lacks
        ]
        parts += _named(f"the margin of {points(margin)} points is more than {what}", within)
    quiet = [each for each in findings if each.verdict is Verdict.NOT_SHOWN] + small
    differing = [each for each in quiet if _by_odds(inputs, each)]
    parts += _named("odds of refusing shown to differ although rates are not for", differing)
    return "; ".join(parts)


def _by_reason(results: list[Statement]) -> list[tuple[str | None, list[Statement]]]:
    """Models that share a reason, those of most models first; the rarest of many together."""
    alike: dict[str | None, list[Statement]] = {}
    for each in results:
        alike.setdefault(each.reason, []).append(each)
    ordered = sorted(alike.items(), key=lambda item: -len(item[1]))
    if len(ordered) <= _REASONS + 1:
        return ordered
    rest = [each for _, some in ordered[_REASONS:] for each in some]
    return [*ordered[:_REASONS], ("for other reasons", rest)]


def _reach(inputs: ReportInputs, results: list[Statement]) -> str:
    """What the tests of these models together do not rule out, behind their names."""
    found = [inputs.contrasts(result.model, result.outcome, result.dimension) for result in results]
    every = [each for of_model in found for each in of_model]
    reach = not_ruled_out(inputs, every).replace("; ", ", ", 1)
    partly = sum(1 for of_model in found if untested(of_model))
    return (
        f"{reach}; {counted(partly, 'model')} of these without a test of some level"
        if partly
        else reach
    )


def _named(
    words: str,
    results: list[Statement],
    told: Callable[[Statement], str] = lambda _: "",
    between: str = ", ",
) -> list[str]:
    """A part of the line about some models, the first by name; none where there are none."""
    if not results:
        return []
    named = between.join(
        f"{isolated(each.model)}{told(each)}" for each in results[:_MODELS_BY_NAME]
    )
    rest = len(results) - _MODELS_BY_NAME
    more = f" and {rest} more" if rest > 0 else ""
    return [f"{words} {len(results)} ({named}{more})"]


def _left_out(inputs: ReportInputs) -> str:
    totals = exclusion_totals(inputs)
    asked = sum(totals.values())
    lost = {reason: n for reason, n in totals.items() if n and not inputs.is_counted(reason)}
    filtered = totals.get(Exclusion.FILTERED, 0) if inputs.counts_filtered else 0
    by_service = f"; {count(filtered)} {_BY_SERVICE}" if filtered else ""
    of_counted = f"{counted_lines(inputs)}{set_apart_line(inputs)}"
    if not asked:
        return "not known, the ledger of exclusions is empty."
    if not lost:
        number = counted(totals.get(LABELLED, 0), "response")
        labelled = number if filtered else f"all {number}"
        return f"nothing; {labelled} have a label{by_service}.{of_counted}"
    reasons = ", ".join(f"{count(n)} {reason_words(reason)}" for reason, n in lost.items())
    total = sum(lost.values())
    return (
        f"{count(total)} of {counted(asked, 'response')} ({percent(total / asked)}): "
        f"{reasons}{by_service}.{left_out_lines(inputs)}{of_counted}"
    )
