"""One question of a study: the tests that were run for it, and which of them is reported.

For a pair of levels the methods are asked in this order: where people labelled
enough of a sample, the difference corrected by their labels; for the primary family of
a study that is large enough, the difference calibrated by simulated studies without any
(of rates, of weighed rates, or of log-odds of prompts);
elsewhere Wilson's limits with t, or for means and for levels that are no property of
names the linear model with bias-reduced errors by template and by name; and where none
gives a p-value, the exact permutation of names, which holds for these templates only.
Whether levels differ at all is decided by the pairs with the reference, one family of
tests; that of all levels together is told beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.statistics.answering.finding import Finding, Row, reason_of
from refusal_parity.statistics.answering.left_out import bounded
from refusal_parity.statistics.answering.reasons import why_no_rates, why_untested
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.adjusted import OLS_CR2_ADJUSTED, UNIT_ADJUSTED
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_NAME, OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.calibrated import CALIBRATED
from refusal_parity.statistics.methods.calibrated_linear import CALIBRATED_LINEAR
from refusal_parity.statistics.methods.calibrated_weighed import CALIBRATED_WEIGHED
from refusal_parity.statistics.methods.design_based import (
    DESIGN_BASED,
    DESIGN_BASED_EQUIVALENCE,
    UNIT_DESIGN_BASED,
    UNIT_DESIGN_BASED_EQUIVALENCE,
)
from refusal_parity.statistics.methods.equivalence import EQUIVALENCE
from refusal_parity.statistics.methods.exact import PERMUTATION_NAMES_EXACT
from refusal_parity.statistics.methods.nested import (
    UNIT_SCORE,
    UNIT_SCORE_EQUIVALENCE,
    UNIT_WELCH,
    UNIT_WELCH_EQUIVALENCE,
)
from refusal_parity.statistics.methods.randomisation import PERMUTATION_NAMES_F
from refusal_parity.statistics.methods.wilson_two_way import WILSON_TWO_WAY
from refusal_parity.statistics.results import join_notes
from refusal_parity.text import known
from refusal_parity.vocabulary import Correction, Scope, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Pair = tuple[str, str]

_SIMULATED: Final = (CALIBRATED, CALIBRATED_LINEAR, CALIBRATED_WEIGHED)

WITHIN_TEMPLATES: Final = (*_SIMULATED, WILSON_TWO_WAY, OLS_CR2_TWO_WAY)
"""Methods whose difference is one within templates, the first one first."""

_DECIDING: Final = (*WITHIN_TEMPLATES, UNIT_SCORE, UNIT_WELCH, PERMUTATION_NAMES_EXACT)
"""Methods that may decide a pair without people's labels, the first one first.

Of them a design has those that suit it (`Needs.designs`): no study has rows of two kinds.
"""

_COMPARED: Final = (*_DECIDING, DESIGN_BASED, UNIT_DESIGN_BASED)
_HELD: Final = (OLS_CR2_ADJUSTED, UNIT_ADJUSTED)
"""Methods that hold covariates fixed, which decide nothing."""
_SMALL: Final = (EQUIVALENCE, UNIT_SCORE_EQUIVALENCE, UNIT_WELCH_EQUIVALENCE)
_SMALL_BY_PEOPLE: Final = (DESIGN_BASED_EQUIVALENCE, UNIT_DESIGN_BASED_EQUIVALENCE)
_COUNTS: Final = ("n_group", "n_reference", "k_group", "k_reference", "family")
_NUMBERS: Final = ("estimate", "p_value", "p_adjusted")


@dataclass(frozen=True, kw_only=True)
class Question:
    """All that is known of one model, outcome and dimension."""

    start: Finding
    tests: Sequence[Row]
    counts: Mapping[str, Row]
    overall: Row
    bounds: Sequence[Row]
    checked: Sequence[Row]
    alpha: float

    def pairs(self, reference: str | None = None) -> list[Finding]:
        """Each two levels that a deciding method compares, or those with the reference."""
        by_pair: dict[Pair, dict[str, Row]] = {}
        for row in self.tests:
            counts = row["valid"] or row["method"] in {*_COMPARED, *_HELD}
            if counts and row["group"] and reference in {None, row["reference"]}:
                by_pair.setdefault((row["group"], row["reference"]), {})[row["method"]] = row
        return [
            self._pair(pair, rows)
            for pair, rows in by_pair.items()
            if any(method in rows for method in _COMPARED)
        ]

    def _pair(self, pair: Pair, rows: Mapping[str, Row]) -> Finding:
        by_people = rows.get(DESIGN_BASED) or rows.get(UNIT_DESIGN_BASED, {})
        corrected = known(by_people.get("estimate"))
        asked = [rows[method] for method in _DECIDING if method in rows]
        by_machine = _first(asked)
        row = by_people if corrected else by_machine
        small = _of_design(rows, _SMALL_BY_PEOPLE if corrected else _SMALL)
        narrow = {} if corrected else rows.get(OLS_CR2_NAME, {})
        exact = {} if corrected else rows.get(PERMUTATION_NAMES_EXACT, {})
        held = {} if corrected else _of_design(rows, _HELD)
        if not held.get("valid"):
            # Its numbers describe, and are no finding.
            held = held | {"p_adjusted": None}
        p_small = _known(small.get("p_adjusted"))
        people = by_people.get("note")
        first = asked[0] if asked and not corrected else row
        fallback = first["note"] if row is not first and known(row["p_adjusted"]) else None
        said = [by_people] if corrected else _asked_until(row, asked)
        notes = [each["note"] for each in said if each["note"] and each["note"] != fallback]
        found = replace(
            self._reported(row, corrected=corrected),
            group=pair[0],
            reference=pair[1],
            **self._sizes(*pair),
            fallback=fallback,
            names_ci_low=_end(narrow, "low"),
            names_ci_high=_end(narrow, "high"),
            names_p_adjusted=_known(exact.get("p_adjusted")),
            covariates=held.get("note"),
            covariates_estimate=_known(held.get("estimate")),
            covariates_ci_low=_known(held.get("ci_low")),
            covariates_ci_high=_known(held.get("ci_high")),
            covariates_p_adjusted=_known(held.get("p_adjusted")),
            p_small=p_small,
            within_margin=p_small is not None and p_small < self.alpha,
            uncorrected=None if corrected or people is None else reason_of(people),
            machine_estimate=_known(by_machine.get("estimate")) if corrected else None,
            machine_p_adjusted=_known(by_machine.get("p_adjusted")) if corrected else None,
            note=join_notes(*notes),
        )
        found = found.decided(self.alpha)
        if found.reason is not None:
            found = replace(found, reason=why_untested([found], [found.note]))
        return bounded(found, self.bounds, self.alpha)

    def _reported(self, row: Row, *, corrected: bool) -> Finding:
        """The numbers of the row that is reported, if it has any."""
        if not known(row.get("estimate")) and not known(row.get("p_value")):
            return self.start
        counts: Row = {key: row[key] for key in _COUNTS}
        numbers: Row = {key: _known(row[key]) for key in _NUMBERS}
        rates = [
            each
            for each in self.checked
            if (each["method"], each["estimand"]) == (row["method"], row["estimand"])
            and known(each["false_positive_rate"])
        ]
        return replace(
            self.start,
            method=METHODS[row["method"]],
            scope=Scope(row["scope"]),
            **counts,
            **numbers,
            ci_low=_end(row, "low") if row["valid"] else None,
            ci_high=_end(row, "high") if row["valid"] else None,
            correction=_correction(row),
            p_one_model=row.get("p_one_model"),
            shared_alpha=row.get("shared_alpha"),
            human_labels=row["n_group"] + row["n_reference"] if corrected else None,
            type_i_error=max((each["false_positive_rate"] for each in rates), default=None),
            liberal=any(
                known(each["ci_low"]) and each["ci_low"] > each["nominal"] for each in rates
            ),
        )

    def _sizes(self, group: str, reference: str) -> dict[str, Any]:
        ours, others = self.counts.get(group, {}), self.counts.get(reference, {})
        return {
            "names_group": ours.get("n_names"),
            "names_reference": others.get("n_names"),
            "templates_group": ours.get("n_templates"),
            "templates_reference": others.get("n_templates"),
        }

    def whole(self, pairs: Sequence[Finding]) -> Finding:
        """Whether the levels differ at all: by the pairs with the reference, one family of tests.

        The test of all together is reported, but decides nothing: it holds for these
        templates alone, and of two tests at alpha one is wrong too often. Not where
        people's labels correct any of the pairs: it takes the machine's labels for true.
        """
        test: Row = {}
        if not any(each.human_labels for each in pairs):
            tests = (row for row in self.tests if row["method"] == PERMUTATION_NAMES_F)
            test = next(tests, {})
        found = replace(
            self._reported(test, corrected=False) if known(test.get("p_value")) else self.start,
            names_group=self.overall.get("n_names"),
            templates_group=self.overall.get("n_templates"),
            n_group=self.overall.get("n"),
        )
        reason = why_no_rates(self.counts, self.start.outcome)
        if reason is None and all(each.p_adjusted is None for each in pairs):
            notes = [each.note for each in pairs] + [each.uncorrected for each in pairs]
            reason = why_untested(pairs, notes)
        if reason is not None:
            return replace(found, verdict=Verdict.NOT_ESTIMABLE, reason=reason)
        if any(each.shown for each in pairs):
            verdict = Verdict.SHOWN
        elif all(each.within_margin for each in pairs):
            verdict = Verdict.EQUIVALENT
        else:
            verdict = Verdict.NOT_SHOWN
        return replace(found, verdict=verdict, note=test.get("note"))


def _of_design(rows: Mapping[str, Row], tests: Sequence[str]) -> Row:
    """The row of that of several methods which suits the design."""
    return next((rows[method] for method in tests if method in rows), {})


def _first(rows: Sequence[Row]) -> Row:
    """The first row with a corrected p-value, or else with an estimate, or else the first."""
    tested = [row for row in rows if known(row["estimate"]) and known(row["p_adjusted"])]
    estimated = [row for row in rows if known(row["estimate"])]
    return next(iter([*tested, *estimated, *rows]), {})


def _asked_until(row: Row, asked: Sequence[Row]) -> list[Row]:
    """The rows down to the one that is reported, and the exact permutation, told beside it."""
    upto = next((at for at, each in enumerate(asked) if each is row), len(asked))
    return [
        each
        for at, each in enumerate(asked)
        if at <= upto or each["method"] == PERMUTATION_NAMES_EXACT
    ]


def _end(row: Row, side: str) -> float | None:
    """The end of the interval that agrees with the corrected p-value, or of the row's own."""
    adjusted = _known(row.get(f"adjusted_{side}"))
    return _known(row.get(f"ci_{side}")) if adjusted is None else adjusted


def _correction(row: Row) -> Correction | None:
    if row["family"] is None:
        return None
    if row["method"] in _SIMULATED:
        return Correction.MAX_T
    by_holm = row["family"].startswith("primary: ")
    return Correction.HOLM if by_holm else Correction.BENJAMINI_HOCHBERG


def _known(value: float | None) -> float | None:
    return value if known(value) else None
