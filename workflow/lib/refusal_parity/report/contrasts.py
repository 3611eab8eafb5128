"""Groups against their reference and all together, by the methods that hold their level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from refusal_parity.report.text import known
from refusal_parity.vocabulary import Method, Outcome

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row


class GlobalTest(NamedTuple):
    """A test over all levels together: its p-value, None if there is none, and its name."""

    p_value: float | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One group against the reference, by the methods that hold their level.

    Attributes:
        estimate: risk difference (-1 to 1), with `low` and `high` its interval
            for new templates and new names.
        names_low, names_high: its interval for these templates and new names.
        p_adjusted: p-value corrected within the family of tests; None if untested.
        shown: whether the corrected test is significant at the study's alpha.
        note: why a number is missing or not to be trusted.
    """

    group: str
    reference: str
    estimate: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    shown: bool
    note: str | None
    names_low: float | None = None
    names_high: float | None = None


def global_test(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> GlobalTest:
    """The test over all levels together: the randomisation over names, where there is one."""
    for row in inputs.tests(model, outcome, dimension):
        if row["method"] == Method.PERMUTATION_NAMES:
            p = row["p_value"] if row["p_adjusted"] is None else row["p_adjusted"]
            if known(p):
                return GlobalTest(p, "randomisation test over names")
    return GlobalTest(None, "no test")


def contrasts(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> list[Contrast]:
    """Each group against its reference: interval of the linear model, exact test of the names.

    In the order of the prompts' levels, as in every figure and table.
    """
    rows = [row for row in inputs.tests(model, outcome, dimension) if row["valid"]]
    fits: dict[tuple[str, str], Row] = {}
    by_name: dict[tuple[str, str], Row] = {}
    exact: dict[tuple[str, str], Row] = {}
    for row in rows:
        pair = (row["group"], row["reference"])
        if row["group"] is None:
            continue
        if row["method"] == Method.OLS_CR2_TWO_WAY:
            fits[pair] = row
        elif row["method"] == Method.OLS_CR2_NAME:
            by_name[pair] = row
        elif row["method"] == Method.PERMUTATION_NAMES_EXACT:
            exact[pair] = row
    alpha = inputs.config.analysis.alpha
    order = {level: at for at, level in enumerate(inputs.levels(dimension))}
    pairs = sorted(dict.fromkeys([*fits, *exact]), key=lambda pair: order.get(pair[0], len(order)))
    return [
        _contrast(pair, fits.get(pair, {}), by_name.get(pair, {}), exact.get(pair, {}), alpha)
        for pair in pairs
    ]


def _contrast(pair: tuple[str, str], fit: Row, by_name: Row, exact: Row, alpha: float) -> Contrast:
    estimate = fit.get("estimate", exact.get("estimate"))
    # The unit of the study is the name: its exact test decides, where there is one.
    tested = exact if exact.get("p_adjusted") is not None else fit
    p_adjusted = _p(tested.get("p_adjusted"))
    notes = [row["note"] for row in (fit, exact) if row.get("note")]
    return Contrast(
        group=pair[0],
        reference=pair[1],
        estimate=_p(estimate),
        low=_p(fit.get("ci_low")),
        high=_p(fit.get("ci_high")),
        p_adjusted=p_adjusted,
        shown=known(estimate) and p_adjusted is not None and p_adjusted < alpha,
        note="; ".join(dict.fromkeys(notes)) or None,
        names_low=_p(by_name.get("ci_low")),
        names_high=_p(by_name.get("ci_high")),
    )


def _p(value: float | None) -> float | None:
    return value if known(value) else None
