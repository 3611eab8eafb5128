"""The table of models against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.counting import counted
from refusal_parity.report.inputs import ALL
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.text import NOTHING, count, interval, isolated, p_value, plain, points
from refusal_parity.vocabulary import Correction, ModelEstimand, Scope

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_ESTIMANDS: Final = {
    ModelEstimand.RATE_DIFFERENCE: "rate",
    ModelEstimand.DISPARITY_DIFFERENCE: "difference",
    ModelEstimand.RATE_TREND: "rate, each doubling",
    ModelEstimand.DISPARITY_TREND: "difference, each doubling",
}

_METHODS: Final = {
    Correction.HOLM: "Holm",
    Correction.BENJAMINI_HOCHBERG: "Benjamini and Hochberg",
}


def comparison_table(inputs: ReportInputs) -> Table | None:
    """Differences and trends of the primary outcome, as the findings report them."""
    found = inputs.between_models(inputs.outcome, [ALL, inputs.dimension])
    if not found:
        return None
    alpha = inputs.config.analysis.alpha
    asked = len(inputs.compared())
    return Table(
        caption=f"{inputs.outcome.words.heading}: models against each other, in points. "
        "Intervals are not corrected for the number of comparisons. "
        f"Adjusted p: {_corrections(found)}. In bold: below {alpha:g}.",
        columns=(
            ("Models", TEXT),
            ("What", TEXT),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Adjusted p, these templates", NUMBER),
            ("Prompts", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(_models(each)),
                Cell(_what(each)),
                Cell(points(each.estimate, signed=True), each.estimate, each.shown),
                Cell(interval(each.ci_low, each.ci_high), each.ci_low),
                Cell(p_value(each.p_adjusted), each.p_adjusted),
                Cell(p_value(each.names_p_adjusted), each.names_p_adjusted),
                Cell(NOTHING if each.n_prompts is None else count(each.n_prompts), each.n_prompts),
                Cell("; ".join(filter(None, (_note(each), _lacking(each, asked), _rests(each))))),
            )
            for each in found
        ),
    ).without_empty()


def _corrections(found: list[Finding]) -> str:
    """What corrects the p-values; of trends it may be another method than of declared pairs."""
    named = list(dict.fromkeys(_METHODS[each.correction] for each in found if each.correction))
    return "; of trends, ".join(named) or "none"


def _models(found: Finding) -> str:
    """The two that are compared, or the series that a trend is of."""
    if found.model is None or found.baseline is None:
        return plain(found.contrast or "")
    return f"{isolated(found.model)} less {isolated(found.baseline)}"


def _what(found: Finding) -> str:
    words = _ESTIMANDS[found.estimand or ModelEstimand.RATE_DIFFERENCE]
    if found.group is None:
        return words
    return f"{words}, {plain(found.level)} against {plain(found.base)}"


def _note(found: Finding) -> str:
    """Why a number is missing, or why the row is that for these templates alone."""
    if found.fallback is not None:
        return f"for {Scope.NEW_NAMES} only: {plain(found.fallback)}"
    return plain(found.note or "")


def _lacking(found: Finding, asked: int) -> str:
    """That rates are compared over a part of the prompts, and differ from those of one model."""
    lacking = 0 if found.n_prompts is None else asked - found.n_prompts
    if found.group is not None or lacking <= 0:
        return ""
    return (
        f"without {count(lacking)} of {counted(asked, 'prompt')}, to which a model has no "
        "response that counts"
    )


def _rests(found: Finding) -> str:
    """That it would not be shown, were what was left out read against it."""
    return plain(found.warning or "")
