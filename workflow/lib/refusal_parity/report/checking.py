"""The self-check: type I error rates of the methods, and the differences a study can find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.exact import PERMUTATION_NAMES_EXACT
from refusal_parity.statistics.methods.wilson_two_way import WILSON_TWO_WAY
from refusal_parity.text import (
    NOTHING,
    interval,
    known,
    p_value,
    percent,
    plain,
    points,
    question,
)
from refusal_parity.vocabulary import (
    Estimand,
    NameVariance,
)

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_PATTERNS: Final = {NameVariance.COMMON: "all alike", NameVariance.BY_GROUP: "by group"}


def false_positive_cells(inputs: ReportInputs, model: str) -> dict[tuple[str, str], Cell]:
    """Rates of the primary outcome and dimension by method and estimand, the worse of both."""
    found: dict[tuple[str, str], Cell] = {}
    for row in inputs.false_positives(model, inputs.outcome, inputs.dimension):
        rate, key = row["false_positive_rate"], (row["method"], row["estimand"])
        if known(rate) and (key not in found or rate > (found[key].sort or 0)):
            found[key] = Cell(percent(rate), rate)
    return found


def selfcheck_table(inputs: ReportInputs) -> Table | None:
    """Each method's p-values of this study beside its type I error rate.

    None where the self-check was turned off.
    """
    rows = [
        (model, row)
        for model in inputs.models
        for row in inputs.false_positives(model, inputs.outcome, inputs.dimension)
    ]
    if not rows:
        return None
    alpha = inputs.config.analysis.alpha
    return Table(
        caption=f"{question(inputs.outcome, inputs.dimension)}: type I error rate "
        f"of each method at a nominal {percent(alpha)}, in simulated studies like this "
        f"one, with its {inputs.clusters}, missing rows and variances, but one rate for all "
        "groups. "
        "p: the smallest that the method gives in this study, not corrected. "
        "In bold: a method that is used and controls the type I error here.",
        columns=(
            ("Model", TEXT),
            ("Method", TEXT),
            ("Test", TEXT),
            ("Prompts vary" if inputs.listed else "Names vary", TEXT),
            ("Type I error rate", NUMBER),
            ("95 % Monte Carlo interval", NUMBER),
            ("Worst group", NUMBER),
            ("p in this study", NUMBER),
            ("Used", TEXT),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(plain(METHODS[row["method"]].heading), strong=_holds(row)),
                Cell("all groups" if row["estimand"] == Estimand.GLOBAL else "each group"),
                Cell(_PATTERNS.get(row["name_variance"], NOTHING)),
                Cell(percent(row["false_positive_rate"]), row["false_positive_rate"], _holds(row)),
                Cell(interval(row["ci_low"], row["ci_high"]), row["ci_low"]),
                Cell(percent(row["highest"]), row["highest"]),
                _smallest_p(inputs, model, row),
                Cell("yes" if METHODS[row["method"]].controls(row["estimand"]) else "no"),
                Cell(plain(row["note"] or "")),
            )
            for model, row in rows
        ),
    ).without_empty()


def _holds(row: Row) -> bool:
    """Whether a method is used and, as far as simulation can tell, controls the type I error."""
    low = row["ci_low"]
    used = METHODS[row["method"]].controls(row["estimand"])
    return used and known(low) and bool(low <= row["nominal"])


def _smallest_p(inputs: ReportInputs, model: str, row: Row) -> Cell:
    found = [
        test["p_value"]
        for test in inputs.tests(model, inputs.outcome, inputs.dimension)
        if (test["method"], test["estimand"]) == (row["method"], row["estimand"])
        and known(test["p_value"])
    ]
    return Cell(p_value(min(found)), min(found)) if found else Cell(NOTHING)


def selfcheck_sentence(inputs: ReportInputs, model: str) -> str | None:
    """What the self-check says of the tests that decide, in one sentence."""
    cells = false_positive_cells(inputs, model)
    pairs = cells.get((WILSON_TWO_WAY, Estimand.RISK_DIFFERENCE))
    if pairs is None:
        return None
    exact = cells.get((PERMUTATION_NAMES_EXACT, Estimand.RISK_DIFFERENCE))
    beside = f" (the exact permutation beside it: {exact.text})" if exact else ""
    return (
        "In simulated studies like this one without any difference, the test of single groups by "
        f"t rejects in {pairs.text}{beside}. Its nominal level is "
        f"{percent(inputs.config.analysis.alpha)}."
    )


def detectable_sentence(inputs: ReportInputs, model: str) -> str | None:
    """The smallest difference that this design finds in four of five studies.

    None where it rounds to 0: no design finds that, all responses were of one kind.
    """
    rows = inputs.detectable(model)
    values = [row["value"] for row in rows]
    if not values or points(min(values)) == points(0.0):
        return None
    units = "prompts" if inputs.listed else "names, templates"
    alike = f"With as many {units} and samples, and as much variance, a study "
    if min(values) >= 1:
        # No two rates lie farther apart.
        return f"{alike}mostly misses a difference, however large it is."
    low, high = points(min(values)), points(min(max(values), 1))
    roughly = dict.fromkeys(row["note"] for row in rows if row["note"])
    return (
        f"{alike}finds a difference of {low if low == high else f'{low} to {high}'} points in "
        "four of five cases; smaller ones it mostly misses."
        + "".join(f" That is {note}." for note in roughly)
    )
