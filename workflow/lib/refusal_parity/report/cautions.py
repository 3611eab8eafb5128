"""What a finding has to be read with: what is missing, filtered, left out or not corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import counted, enumerated
from refusal_parity.outcomes import Outcome
from refusal_parity.quantities import Share
from refusal_parity.report.held import described_with_covariates, with_covariates
from refusal_parity.report.reach import unlike_taught
from refusal_parity.report.small_effects import may_hide
from refusal_parity.report.unlike import could_explain
from refusal_parity.report.weighed_losses import unlabelled_after_openings
from refusal_parity.statistics.answering.finding import reason_of
from refusal_parity.statistics.answering.questions import WITHIN_TEMPLATES
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.exact import PERMUTATION_NAMES_EXACT
from refusal_parity.statistics.split_votes import SPLIT_NOTE
from refusal_parity.statistics.variances.uneven import UNEVEN_NOTE
from refusal_parity.tables import Responses
from refusal_parity.text import (
    count,
    interval,
    level_words,
    p_equals,
    percent,
    plain,
    points,
)
from refusal_parity.vocabulary import Exclusion, Label

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_WITHIN_TEMPLATES: Final = (*WITHIN_TEMPLATES, PERMUTATION_NAMES_EXACT)

Key = tuple[str, Outcome, str]
"""Model, outcome and dimension."""


def cautions(inputs: ReportInputs, key: Key, found: list[Finding]) -> list[str]:
    """Sentences on what a finding has to be read with.

    Args:
        inputs: the study's tables.
        key: model, outcome and dimension.
        found: what was found of each level against the reference.
    """
    shown = [contrast for contrast in found if contrast.shown]
    return [
        *_missing(found, key[2]),
        *(sentence for each in shown if (sentence := _adjusted(each))),
        *(sentence for each in shown if (sentence := _rests_on_filter(inputs, key, each))),
        *(each.warning for each in found if each.warning is not None),
        *unlabelled_after_openings(inputs, *key),
        *with_covariates(inputs, found),
        *could_explain(inputs, key[0], shown),
        *_liberal(inputs, shown),
        *_lost_by_correction(inputs, found, key[2]),
        *_uncorrected(found, key[2]),
        *_told(found, key[2]),
        *may_hide(inputs, found, key[2]),
        *_of_the_main_question(inputs, key, found),
    ]


def filtered_at(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str
) -> dict[str, int]:
    """How many of each level's outcomes are the filter's; empty where it counts in none."""
    if not inputs.counts_filtered or not counts_refusals(outcome):
        return {}
    ledger = inputs.ledger(model, dimension)
    return {level: reasons.get(Exclusion.FILTERED, 0) for level, reasons in ledger.items()}


def counts_refusals(outcome: Outcome) -> bool:
    """Whether a refusal has the outcome, and so one by the service."""
    quantity = outcome.quantity
    return isinstance(quantity, Share) and Label.REFUSAL in quantity.labels


def adjusted_note(contrast: Finding) -> str | None:
    """Why a difference is another than that of the two rates; None where it is the same."""
    if contrast.method not in _WITHIN_TEMPLATES or contrast.estimate is None:
        return None
    counts = (contrast.k_group, contrast.n_group, contrast.k_reference, contrast.n_reference)
    k, n, k_reference, n_reference = (each or 0 for each in counts)
    if contrast.k_group is None or not n or not n_reference:
        return None
    rates = points(k / n - k_reference / n_reference, signed=True)
    if rates == points(contrast.estimate, signed=True):
        return None
    return (
        f"the rates themselves differ by {rates}: this is the difference within templates, since "
        "the responses that count are not spread over the templates alike"
    )


def contrast_note(contrast: Finding) -> str:
    """What the tables say beside a difference."""
    by = "the exact permutation of names, for these templates" if contrast.by_names else "t"
    instead = f"decided by {by}: {reason_of(contrast.fallback)}" if contrast.fallback else None
    said = (
        instead,
        contrast.note,
        adjusted_note(contrast),
        described_with_covariates(contrast),
    )
    return "; ".join(plain(each) for each in said if each)


def _adjusted(contrast: Finding) -> str | None:
    note = adjusted_note(contrast)
    if note is None:
        return None
    words = f"{level_words(contrast.dimension, contrast.level)}: "
    return f"For {words}{note}."


def _missing(found: list[Finding], dimension: str) -> list[str]:
    """Levels without a test, each with the reason."""
    return [
        (
            f"Not estimable for {level_words(dimension, contrast.level)}: "
            if contrast.estimate is None
            else f"Not tested for {level_words(dimension, contrast.level)} "
            f"({points(contrast.estimate, signed=True)} points): "
        )
        + f"{plain(contrast.reason)}."
        for contrast in found
        if contrast.reason is not None
    ]


def _liberal(inputs: ReportInputs, found: list[Finding]) -> list[str]:
    """Tests that the self-check shows to reject too often, where they show a difference."""
    alpha = inputs.config.analysis.alpha
    rates = {
        each.method: each.type_i_error
        for each in found
        if each.liberal and each.method is not None and each.p is not None and each.p < alpha
    }
    return [
        f"With reserve: in simulated studies like this one without any difference the test that "
        f"shows it ({METHODS[method].heading.lower()}) rejects in {percent(rate)} instead of "
        f"{percent(alpha)}; see the self-check."
        for method, rate in rates.items()
    ]


def _lost_by_correction(inputs: ReportInputs, found: list[Finding], dimension: str) -> list[str]:
    """Differences that the machine's labels show and people's labels no longer do."""
    alpha = inputs.config.analysis.alpha
    return [
        f"For {level_words(dimension, each.level)} the machine's labels alone show a difference "
        f"of {points(each.machine_estimate, signed=True)} points (adjusted "
        f"{p_equals(each.machine_p_adjusted)}). Corrected for the machine's errors by "
        f"{counted(each.human_labels or 0, 'human label')} it is "
        f"{points(each.estimate, signed=True)} points ({inputs.confidence} interval "
        f"{interval(each.ci_low, each.ci_high)}) and is not shown."
        for each in found
        if each.machine_p_adjusted is not None
        and each.machine_p_adjusted < alpha
        and not each.shown
    ]


def _uncorrected(found: list[Finding], dimension: str) -> list[str]:
    """Where human labels are too few to take the machine's errors out, and how many are wanting."""
    reasons: dict[str, list[str]] = {}
    for contrast in found:
        if contrast.uncorrected is not None and contrast.estimate is not None:
            reasons.setdefault(plain(contrast.uncorrected), []).append(contrast.level)
    return [
        f"For {', '.join(level_words(dimension, group) for group in groups)} the difference is "
        "that of the machine's labels, whose errors the human labels of responses drawn by chance "
        f"do not correct: {reason}."
        for reason, groups in reasons.items()
    ]


def _told(found: list[Finding], dimension: str) -> list[str]:
    """Where people's labels have no majority, and where few names vary more than others do."""
    levels: dict[str, list[str]] = {}
    for each in found:
        for said in (each.note or "").split("; "):
            if said.startswith((SPLIT_NOTE, UNEVEN_NOTE)):
                levels.setdefault(plain(said), []).append(level_words(dimension, each.level))
    return [
        f"For {those[0]} {said}."
        if len(those) == 1
        else f"For each of {enumerated(those)}: {said}."
        for said, those in levels.items()
    ]


def _of_the_main_question(inputs: ReportInputs, key: Key, found: list[Finding]) -> list[str]:
    """What holds for all questions of a model, and is said with the main one."""
    model, *asked = key
    if asked != [inputs.outcome, inputs.dimension]:
        return []
    return [*unlike_taught(inputs, model, found), *_changing_model(inputs, model)]


def _changing_model(inputs: ReportInputs, model: str) -> list[str]:
    """Whether a server's model may have changed while it answered."""
    answers = (
        inputs.scan(Responses, model)
        .select("answered_at", "answered_by")
        .drop_nulls("answered_at")
        .collect()
    )
    if answers.is_empty():
        return []
    named = answers["answered_by"].drop_nulls().unique().sort().to_list()
    first, last = (f"{answers['answered_at'].dt.date().sort()[at]}" for at in (0, -1))
    days = answers["answered_at"].dt.date().n_unique()
    parts = [
        f"were given on {count(days)} days ({first} to {last})" if days > 1 else "",
        f"name {count(len(named))} models ({', '.join(map(plain, named))})"
        if len(named) > 1
        else "",
    ]
    if not any(parts):
        return []
    told = " and ".join(filter(None, parts))
    sentence = (
        f"The server's answers {told}: where its model changed in between, names, templates or "
        "samples that were asked at another time differ for that, too."
    )
    return [sentence]


def _rests_on_filter(inputs: ReportInputs, key: Key, contrast: Finding) -> str | None:
    """Which share of the refusals behind a difference is the service's, and the rates without."""
    model, outcome, dimension = key
    filtered = filtered_at(inputs, *key)
    rates = inputs.rates_by_level(*key)
    pair = [contrast.level, contrast.base]
    if not any(filtered.get(level) for level in pair) or not all(level in rates for level in pair):
        return None
    noun = "refusals" if outcome is Outcome.REFUSAL else "such responses"
    shares, none, rest, silent = [], "", [], []
    for level in pair:
        words, by_service = level_words(dimension, level), filtered.get(level, 0)
        k, n = rates[level]["k"], rates[level]["n"]
        if k:
            part = "all" if by_service == k else f"{count(by_service)} of the"
            shares.append(f"{part} {count(k)} {noun} for {words}")
        else:
            none = f"; for {words} there were none"
        if n > by_service:
            rest.append(f"{percent((k - by_service) / (n - by_service))} for {words}")
        else:
            silent.append(words)
    without = (
        f"For {' and '.join(silent)} it let nothing through, so nothing is known of what the model "
        "itself would do."
        if silent
        else f"Of what it let through the rates are {' and '.join(rest)}."
    )
    return (
        f"The service's own filter{_named(inputs, model)} is behind {' and '.join(shares)}{none}. "
        f"{without}"
    )


def _named(inputs: ReportInputs, model: str) -> str:
    """The reasons that a service gave for what it refused, the most frequent two."""
    reasons = (
        inputs.scan_compared(Responses, model)
        .filter(pl.col("status").cast(pl.String) == Exclusion.FILTERED)
        .select("refusal_reason")
        .drop_nulls()
        .collect()["refusal_reason"]
        .value_counts(sort=True)["refusal_reason"]
        .to_list()
    )
    more = f" and {len(reasons) - 2} more" if len(reasons) > 2 else ""  # noqa: PLR2004 - two named
    return f" ({', '.join(map(plain, reasons[:2]))}{more})" if reasons else ""
