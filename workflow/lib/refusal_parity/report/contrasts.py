"""Groups against their reference and all together, by the methods that control the type I error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from refusal_parity.statistics.results import NOT_ESTIMABLE
from refusal_parity.text import known
from refusal_parity.vocabulary import Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs, Row


class GlobalTest(NamedTuple):
    """A test over all levels together: its p-value, None if there is none, and its name."""

    p_value: float | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One group against the reference, by the methods that control the type I error.

    One method gives the interval and decides what is shown: least squares with
    bias-reduced errors by template and by name. The exact permutation of names
    stands beside it and does not decide: it takes the names of both groups for
    exchangeable, and rejects too often where one group's vary less.

    Attributes:
        estimate: risk difference (-1 to 1), with `low` and `high` its interval
            for new templates and new names.
        names_low, names_high: its interval for these templates and new names.
        p_adjusted: p-value of the interval's method, corrected within the family of
            tests; that of the exact permutation where the method has none, as where
            nothing varies within the groups; None if untested.
        by_names: whether it is that of the exact permutation.
        p_names: p-value, corrected, of the exact permutation of names, for these
            templates and new names; None if untested.
        shown: whether the corrected test is significant at the study's alpha.
        p_small: p-value, corrected, of the test that the difference is smaller
            than the study's margin; None if untested.
        small: whether that test is significant at the study's alpha.
        human: human labels that the difference is corrected by; None if by none.
        uncorrected: why human labels do not correct it, where there are such labels.
        note: why a number is missing or not to be trusted.
    """

    group: str
    reference: str
    estimate: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    shown: bool
    p_names: float | None = None
    p_small: float | None = None
    small: bool = False
    by_names: bool = False
    human: int | None = None
    uncorrected: str | None = None
    note: str | None
    names_low: float | None = None
    names_high: float | None = None


def global_test(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> GlobalTest:
    """The test over all levels together: the randomisation over names, where there is one.

    None where a sample that people labelled corrects any of the pairs: it takes
    the machine's labels for true, and the tests of the pairs decide.
    """
    tests = inputs.tests(model, outcome, dimension)
    if any(row["method"] == Method.DESIGN_BASED and known(row["estimate"]) for row in tests):
        return GlobalTest(None, "no test")
    for row in tests:
        if row["method"] == Method.PERMUTATION_NAMES:
            p = row["p_value"] if row["p_adjusted"] is None else row["p_adjusted"]
            if known(p):
                return GlobalTest(p, "randomisation test over names")
    return GlobalTest(None, "no test")


def contrasts(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> list[Contrast]:
    """Each group against its reference; see `all_contrasts`."""
    dimensions = inputs.config.analysis.dimensions
    configured = {str(key): each.reference for key, each in dimensions.items()}
    reference = configured.get(dimension)
    found = all_contrasts(inputs, model, outcome, dimension)
    return [contrast for contrast in found if reference in {None, contrast.reference}]


def all_contrasts(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str
) -> list[Contrast]:
    """Each pair of groups: linear model, and exact permutation of the names.

    Where people labelled enough of a sample, the corrected difference with its
    own interval and test takes the place of both; where they did not, both
    stay, and `uncorrected` says what is wanting. In the order of the prompts'
    levels, as in every figure and table.
    """
    by_method: dict[str, dict[tuple[str, str], Row]] = {}
    for row in inputs.tests(model, outcome, dimension):
        if row["valid"] and row["group"] is not None:
            by_method.setdefault(row["method"], {})[row["group"], row["reference"]] = row
    alpha = inputs.config.analysis.alpha
    order = {level: at for at, level in enumerate(inputs.levels(dimension))}
    pairs = dict.fromkeys(
        pair
        for method in (
            Method.OLS_CR2_TWO_WAY,
            Method.PERMUTATION_NAMES_EXACT,
            Method.DESIGN_BASED,
        )
        for pair in by_method.get(method, {})
    )
    return [
        _of_pair({method: rows.get(pair, {}) for method, rows in by_method.items()}, pair, alpha)
        for pair in sorted(pairs, key=lambda pair: order.get(pair[0], len(order)))
    ]


def _of_pair(rows: Mapping[str, Row], pair: tuple[str, str], alpha: float) -> Contrast:
    """One pair by the methods that tested it, corrected where that was possible."""
    by_people = rows.get(Method.DESIGN_BASED, {})
    corrected = known(by_people.get("estimate"))
    if corrected:
        found = _contrast(pair, by_people, {}, {}, alpha)
        small = rows.get(Method.DESIGN_BASED_EQUIVALENCE, {})
    else:
        fit, by_name, exact = (
            rows.get(method, {})
            for method in (
                Method.OLS_CR2_TWO_WAY,
                Method.OLS_CR2_NAME,
                Method.PERMUTATION_NAMES_EXACT,
            )
        )
        found = _contrast(pair, fit, by_name, exact, alpha)
        small = rows.get(Method.EQUIVALENCE, {})
    p_small = _p(small.get("p_adjusted"))
    note = by_people.get("note")
    return replace(
        found,
        p_small=p_small,
        small=p_small is not None and p_small < alpha,
        human=by_people["n_group"] + by_people["n_reference"] if corrected else None,
        uncorrected=None if corrected or note is None else reason_of(note),
    )


def reason_of(note: str) -> str:
    """Why a number is missing, as a part of a sentence that says that it is."""
    return note.removeprefix(NOT_ESTIMABLE).rstrip(".")


def _contrast(pair: tuple[str, str], fit: Row, by_name: Row, exact: Row, alpha: float) -> Contrast:
    estimate = next((row["estimate"] for row in (fit, exact) if known(row.get("estimate"))), None)
    p_names = _p(exact.get("p_adjusted"))
    p_fit = _p(fit.get("p_adjusted"))
    p_adjusted = p_names if p_fit is None else p_fit
    notes = [row["note"] for row in (fit, exact) if row.get("note")]
    return Contrast(
        group=pair[0],
        reference=pair[1],
        estimate=_p(estimate),
        low=_p(fit.get("ci_low")),
        high=_p(fit.get("ci_high")),
        p_adjusted=p_adjusted,
        shown=known(estimate) and p_adjusted is not None and p_adjusted < alpha,
        p_names=p_names,
        by_names=p_fit is None and p_names is not None,
        note="; ".join(dict.fromkeys(notes)) or None,
        names_low=_p(by_name.get("ci_low")),
        names_high=_p(by_name.get("ci_high")),
    )


def _p(value: float | None) -> float | None:
    return value if known(value) else None
