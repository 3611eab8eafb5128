"""What a study answers of models against each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.outcomes import OUTCOMES
from refusal_parity.statistics import adjust
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.answering.left_out import bounded_by_row
from refusal_parity.text import known
from refusal_parity.vocabulary import ModelEstimand, Scope, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.answering.finding import Row

_QUESTION: Final = ("contrast", "outcome", "dimension", "group", "reference", "estimand")
_SAME: Final = (
    "contrast", "model", "baseline", "outcome", "dimension", "group", "reference", "names_group",
    "names_reference", "templates_group", "templates_reference", "n_prompts", "note",
)  # fmt: skip
_NUMBERS: Final = ("estimate", "ci_low", "ci_high", "p_value", "p_adjusted")


def between_models(comparison: pl.DataFrame, analysis: AnalysisConfig) -> Iterator[Finding]:
    """Answer each question about two models, or about a series of sizes.

    The row for new templates and new names is reported; where it has no p-value, that
    for these templates and new names, if that has one. Of a prompt list there is one row,
    for new prompts.

    Args:
        comparison: rows of Comparison.
        analysis: alpha and margins.
    """
    plain = comparison.with_columns(pl.col(pl.Enum).cast(pl.String))
    for _, rows in plain.group_by(_QUESTION, maintain_order=True):
        by_scope = {Scope(row["scope"]): row for row in rows.to_dicts()}
        yield _answer(by_scope, analysis)


def _answer(by_scope: dict[Scope, Row], analysis: AnalysisConfig) -> Finding:
    if Scope.NEW_PROMPTS in by_scope:
        # Of a prompt list, whose prompts are all there is.
        wide, narrow = by_scope[Scope.NEW_PROMPTS], {}
    else:
        wide, narrow = by_scope[Scope.NEW_NAMES_AND_TEMPLATES], by_scope[Scope.NEW_NAMES]
    falls_back = not known(wide["p_value"]) and known(narrow.get("p_value"))
    row = narrow if falls_back else wide
    values: dict[str, Any] = {key: row[key] for key in (*_SAME, *_NUMBERS, "family")}
    found = Finding(
        **values,
        estimand=ModelEstimand(row["estimand"]),
        margin=analysis.margin_of(OUTCOMES[row["outcome"]]),
        scope=Scope(row["scope"]) if known(row["estimate"]) else None,
        fallback=wide["note"] if falls_back else None,
        correction=adjust.between_models(row["model"], analysis) if row["family"] else None,
        names_ci_low=narrow.get("ci_low"),
        names_ci_high=narrow.get("ci_high"),
        names_p_adjusted=narrow.get("p_adjusted"),
    )
    # Models with the same rate in every prompt differ by 0, which needs no test.
    if found.estimate == 0 and found.p_value is None:
        return replace(found, verdict=Verdict.NOT_SHOWN)
    return bounded_by_row(found.decided(analysis.alpha), row, "This")
