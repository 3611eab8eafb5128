"""Who was left out, cut off or refused by the service, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from refusal_parity.report.cautions import bound
from refusal_parity.report.contrasts import contrasts
from refusal_parity.text import (
    isolated,
    known,
    level_words,
    p_equals,
    percent,
    points,
    reason_words,
)
from refusal_parity.vocabulary import Exclusion, Loss, Reading

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

WORTH_SAYING: Final = 0.05
"""Share of a group's responses above which it is said that they were left out."""

_NAMED: Final = 3
_REMEDIES: Final[dict[str, str]] = {
    Exclusion.EMPTY: "look at what the model was sent, and allow it more tokens (max_tokens)",
    Exclusion.ERROR: "ask for the failed ones again",
    Exclusion.FILTERED: "count them as what they are, refusals (analysis.filtered: refusal)",
    Exclusion.LEFT_OUT: "count them by their label (analysis.truncated: label), or allow more "
    "tokens (max_tokens)",
    Exclusion.NO_RESPONSE: "give a response to every prompt in what is imported",
}
_REMEDY: Final = "let people label them"
_DONE: Final = {
    Loss.TRUNCATED: "Cut off at the longest response that was allowed were",
    Loss.FILTERED: "Refused by the service's own filter were",
}


class _Level(NamedTuple):
    """Responses asked for of one level, how many of them count nowhere, and mostly why."""

    name: str
    asked: int
    lost: int
    reason: str | None

    @property
    def share(self) -> float:
        return self.lost / self.asked if self.asked else 0.0


def left_out_warning(inputs: ReportInputs, model: str, dimension: str) -> str | None:
    """Warn of groups of which much was left out, or more than of others; with the remedy.

    None where no group lost more than `WORTH_SAYING` and no difference of the
    shares was shown, adjusted for the number of groups.
    """
    levels = _levels(inputs, model, dimension)
    most = [level for level in levels if level.share > WORTH_SAYING]
    different = _different(inputs, model, Loss.LEFT_OUT, dimension)
    if not most and not different:
        return None
    reasons = [level.reason for level in levels if level.reason is not None]
    reason = max(dict.fromkeys(reasons), key=reasons.count)
    remedy = _REMEDIES.get(reason, _REMEDY)
    return (
        f"Left out were {_shares({level.name: level.share for level in levels}, dimension)}, "
        f"mostly {reason_words(reason)}{_tested(different)}. They count in no rate: {remedy}."
    )


def loss_sentence(inputs: ReportInputs, model: str, loss: Loss, dimension: str) -> str | None:
    """Say where responses of some groups are cut off, or filtered, more often than of others."""
    different = _different(inputs, model, loss, dimension)
    if not different:
        return None
    rows = inputs.loss_rows(model, loss, dimension)
    shares = {row["group"]: row["k_group"] / row["n_group"] for row in rows if row["n_group"]}
    first = rows[0]
    if first["n_reference"]:
        shares[first["reference"]] = first["k_reference"] / first["n_reference"]
    return f"{_DONE[loss]} {_shares(shares, dimension)}{_tested(different)}."


def bounds_sentence(inputs: ReportInputs, model: str) -> str | None:
    """Between which values the primary differences lie, whatever the left-out responses were."""
    outcome, dimension = inputs.outcome, inputs.dimension
    parts = []
    for contrast in contrasts(inputs, model, outcome, dimension):
        low, high = (
            bound(inputs, (model, outcome, dimension), contrast, reading)
            for reading in (Reading.LOWEST, Reading.HIGHEST)
        )
        if low is not None and high is not None:
            parts.append(
                f"{level_words(dimension, contrast.group)} "
                f"{points(low['estimate'], signed=True)} and "
                f"{points(high['estimate'], signed=True)} points"
            )
    if not parts:
        return None
    return (
        "With the left-out responses of a group read as refusals and its reference's as answers, "
        f"or the reverse, the differences lie between: {'; '.join(parts)}."
    )


def left_out_cautions(inputs: ReportInputs, model: str) -> tuple[str, ...]:
    """All that the card of a model has to say of what was left out, cut off or filtered."""
    first = left_out_warning(inputs, model, inputs.dimension)
    found = [first, bounds_sentence(inputs, model) if first else None]
    found += [
        left_out_warning(inputs, model, dimension)
        for dimension in inputs.dimensions
        if dimension != inputs.dimension and _different(inputs, model, Loss.LEFT_OUT, dimension)
    ]
    found += [
        loss_sentence(inputs, model, loss, dimension)
        for loss in _DONE
        if loss is not Loss.FILTERED or inputs.counts_filtered
        for dimension in inputs.dimensions
    ]
    return tuple(filter(None, found))


def _levels(inputs: ReportInputs, model: str, dimension: str) -> list[_Level]:
    found = []
    for level, reasons in inputs.ledger(model, dimension).items():
        lost = {key: n for key, n in reasons.items() if n and not inputs.is_counted(key)}
        most = max(lost, key=lambda key: lost[key]) if lost else None
        found.append(_Level(level, sum(reasons.values()), sum(lost.values()), most))
    return found


def _different(inputs: ReportInputs, model: str, loss: Loss, dimension: str) -> list[Row]:
    """Rows of levels whose share was shown to differ from the reference's."""
    alpha = inputs.config.analysis.alpha
    rows = inputs.loss_rows(model, loss, dimension)
    return [row for row in rows if known(row["p_adjusted"]) and row["p_adjusted"] < alpha]


def _tested(different: list[Row]) -> str:
    if not different:
        return ""
    smallest = min(row["p_adjusted"] for row in different)
    return f"; the shares differ (adjusted {p_equals(smallest)})"


def _shares(shares: dict[str, float], dimension: str) -> str:
    """The largest shares and the smallest: `12.5 % for south names, 0.0 % for north names`."""
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    named = ordered if len(ordered) <= _NAMED + 1 else [*ordered[:_NAMED], ordered[-1]]
    words = [f"{percent(share)} for {level_words(dimension, level)}" for level, share in named]
    words[0] = words[0].replace(" for ", " of the responses for ", 1)
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def left_out_lines(inputs: ReportInputs) -> str:
    """The warnings of all models for the terminal: in full for few, by name for many."""
    warned = {
        model: sentence
        for model in inputs.models
        if (sentence := left_out_warning(inputs, model, inputs.dimension))
    }
    if len(warned) <= _NAMED:
        return "".join(f" {isolated(model)}: {sentence}" for model, sentence in warned.items())
    names = ", ".join(isolated(model) for model in list(warned)[:_NAMED])
    return (
        f" Of {len(warned)} models ({names} and {len(warned) - _NAMED} more) more than "
        f"{percent(WORTH_SAYING)} of a group, or more of one group than of another: see the report."
    )
