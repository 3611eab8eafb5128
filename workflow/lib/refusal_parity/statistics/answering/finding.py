"""The answer to one question, and how a corrected test decides it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.exact import PERMUTATION_NAMES_EXACT
from refusal_parity.statistics.results import NOT_ESTIMABLE
from refusal_parity.vocabulary import Correction, ModelEstimand, Scope, Verdict

if TYPE_CHECKING:
    from refusal_parity.statistics.registry import Method

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer to one question: a row of the table Findings, whose columns these are."""

    model: str | None
    outcome: str
    dimension: str
    group: str | None = None
    reference: str | None = None
    factor: str | None = None
    factor_level: str | None = None
    factor_base: str | None = None
    contrast: str | None = None
    baseline: str | None = None
    estimand: ModelEstimand | None = None
    primary: bool = False
    verdict: Verdict = Verdict.NOT_ESTIMABLE
    reason: str | None = None
    method: Method | None = None
    fallback: str | None = None
    scope: Scope | None = None
    names_group: int | None = None
    names_reference: int | None = None
    templates_group: int | None = None
    templates_reference: int | None = None
    n_group: int | None = None
    n_reference: int | None = None
    k_group: int | None = None
    k_reference: int | None = None
    n_prompts: int | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    p_one_model: float | None = None
    shared_alpha: float | None = None
    family: str | None = None
    correction: Correction | None = None
    names_ci_low: float | None = None
    names_ci_high: float | None = None
    names_p_adjusted: float | None = None
    covariates: str | None = None
    covariates_estimate: float | None = None
    covariates_ci_low: float | None = None
    covariates_ci_high: float | None = None
    covariates_p_adjusted: float | None = None
    margin: float = 0.0
    p_small: float | None = None
    within_margin: bool = False
    human_labels: int | None = None
    uncorrected: str | None = None
    machine_estimate: float | None = None
    machine_p_adjusted: float | None = None
    type_i_error: float | None = None
    liberal: bool = False
    left_out: int | None = None
    lowest: float | None = None
    lowest_p_adjusted: float | None = None
    highest: float | None = None
    highest_p_adjusted: float | None = None
    overturned: bool = False
    warning: str | None = None
    note: str | None = None

    @property
    def shown(self) -> bool:
        """Whether a difference is shown."""
        return self.verdict is Verdict.SHOWN

    @property
    def p(self) -> float | None:
        """The p-value that decides: the corrected one, where the test is one of several."""
        return self.p_value if self.p_adjusted is None else self.p_adjusted

    @property
    def level(self) -> str:
        """The level compared; empty for all levels together."""
        return self.group or ""

    @property
    def base(self) -> str:
        """The level compared with; empty for all levels together."""
        return self.reference or ""

    @property
    def by_names(self) -> bool:
        """Whether the exact permutation decides, for want of a p-value of the linear model."""
        return self.method == PERMUTATION_NAMES_EXACT

    @classmethod
    def of_row(cls, row: Row) -> Finding:
        """A row of the table as it is read."""
        kinds = {
            "estimand": ModelEstimand,
            "verdict": Verdict,
            "method": METHODS.__getitem__,
            "scope": Scope,
            "correction": Correction,
        }
        return cls(
            **row | {key: kind(row[key]) for key, kind in kinds.items() if row[key] is not None}
        )

    def decided(self, alpha: float) -> Finding:
        """A difference with the verdict of its corrected test, at level alpha."""
        if self.estimate is None or self.p_adjusted is None:
            return replace(self, reason=reason_of(self.note or NO_TEST))
        if self.p_adjusted < alpha:
            return replace(self, verdict=Verdict.SHOWN)
        small = Verdict.EQUIVALENT if self.within_margin else Verdict.NOT_SHOWN
        return replace(self, verdict=small)

    def described(self, why: str) -> Finding:
        """The same as a description: its estimate and interval stay, nothing of a test does.

        Args:
            why: no difference of its outcome is a finding, as a clause.
        """
        if self.verdict is Verdict.NOT_ESTIMABLE:
            return self
        return replace(
            self,
            verdict=Verdict.DESCRIBED,
            reason=why,
            p_value=None,
            p_adjusted=None,
            names_p_adjusted=None,
            covariates_p_adjusted=None,
            p_small=None,
            within_margin=False,
        )


NO_TEST = "no valid test was possible"


def reason_of(note: str) -> str:
    """Why a number is missing, as a part of a sentence that says that it is."""
    return re.sub(rf"(^|; ){re.escape(NOT_ESTIMABLE)}", r"\1", note).rstrip(".")
