"""What a report is made from, and the few questions that all its parts ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.report.study import ReportedStudy, Row
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.tables import (
    Disparity,
    Exclusions,
    Findings,
    Losses,
    PropensityLevels,
    Rates,
    SelfCheck,
    StudyDesign,
)
from refusal_parity.vocabulary import DesignQuantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.outcomes import Outcome
    from refusal_parity.vocabulary import Loss

__all__ = ["ALL", "ReportInputs", "Row"]

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class ReportInputs(ReportedStudy):
    """A study with what was found in it, asked for by model, outcome and dimension."""

    def ledger(self, model: str, dimension: str) -> dict[str, dict[str, int]]:
        """Responses by level and reason, of one model and dimension (or `all`)."""
        found: dict[str, dict[str, int]] = {}
        rows = (
            self[Exclusions]
            .filter(pl.col("model") == model, pl.col("dimension") == dimension)
            .iter_rows(named=True)
        )
        for row in rows:
            found.setdefault(row["group"], {})[row["reason"]] = row["n"]
        return found

    def rate_rows(
        self, model: str, outcome: Outcome, dimension: str, *, within: str = ALL
    ) -> list[Row]:
        """Rates of one model, outcome and (two-way) dimension, in the table's order."""
        return (
            self[Rates]
            .filter(
                pl.col("model") == model,
                pl.col("outcome").cast(pl.String) == outcome,
                pl.col("dimension") == dimension,
                pl.col("within") == within,
            )
            .to_dicts()
        )

    def rates_by_level(self, model: str, outcome: Outcome, dimension: str) -> dict[str, Row]:
        """One-way rates by level."""
        return {row["group"]: row for row in self.rate_rows(model, outcome, dimension)}

    def overall(self, model: str, outcome: Outcome) -> Row | None:
        """The rate over all responses of a model, or the weighed one over its prompts."""
        if outcome.is_weighed:
            levels = self[PropensityLevels].filter(
                pl.col("model") == model, pl.col("dimension") == ALL
            )
            rows = levels.select(n="n_weighed", rate="weighed_rate").drop_nulls().to_dicts()
            return next(iter(rows), None)
        return next(iter(self.rate_rows(model, outcome, ALL)), None)

    def tests(self, model: str, outcome: Outcome, dimension: str) -> list[Row]:
        """Rows of the disparity table for one model, outcome and dimension."""
        return (
            self[Disparity]
            .filter(
                pl.col("model") == model,
                pl.col("outcome").cast(pl.String) == outcome,
                pl.col("dimension") == dimension,
            )
            .to_dicts()
        )

    def whole(self, model: str, outcome: Outcome, dimension: str) -> Finding:
        """Whether the levels of a dimension differ at all."""
        asked = Finding(
            model=model, outcome=outcome, dimension=dimension, reason="there are no rates"
        )
        found = self._findings.get((model, outcome, dimension), [])
        return next((each for each in found if each.group is None), asked)

    def pairs(self, model: str, outcome: Outcome, dimension: str) -> list[Finding]:
        """Each two levels that were compared, in the order of the levels."""
        order = {level: at for at, level in enumerate(self.levels(dimension))}
        found = self._findings.get((model, outcome, dimension), [])
        return sorted(
            (each for each in found if each.group is not None),
            key=lambda each: order.get(each.group or "", len(order)),
        )

    def contrasts(self, model: str, outcome: Outcome, dimension: str) -> list[Finding]:
        """Each level against the reference, in the order of the levels."""
        reference = self.reference(dimension)
        found = self.pairs(model, outcome, dimension)
        return [each for each in found if reference in {None, each.reference}]

    def interactions(self, model: str, outcome: Outcome, dimension: str) -> list[Finding]:
        """Differences at the levels of crossed factors, and between these."""
        found = self[Findings].filter(
            pl.col("model") == model,
            pl.col("outcome").cast(pl.String) == outcome,
            pl.col("dimension") == dimension,
            pl.col("factor").is_not_null(),
        )
        return [Finding.of_row(row) for row in found.iter_rows(named=True)]

    def between_models(self, outcome: Outcome, dimensions: Sequence[str]) -> list[Finding]:
        """Findings of models against each other, in the order of the table."""
        rows = self[Findings].filter(
            pl.col("contrast").is_not_null(),
            pl.col("outcome").cast(pl.String) == str(outcome),
            pl.col("dimension").is_in(list(dimensions)),
        )
        return [Finding.of_row(row) for row in rows.iter_rows(named=True)]

    @cached_property
    def _findings(self) -> dict[tuple[str, str, str], list[Finding]]:
        """Findings of one model each, by model, outcome and dimension."""
        found: dict[tuple[str, str, str], list[Finding]] = {}
        of_one = self[Findings].filter(pl.col("contrast").is_null(), pl.col("factor").is_null())
        for row in of_one.iter_rows(named=True):
            key = (row["model"], row["outcome"], row["dimension"])
            found.setdefault(key, []).append(Finding.of_row(row))
        return found

    def loss_rows(self, model: str, loss: Loss, dimension: str) -> list[Row]:
        """Rows of the table of losses for one model, loss and dimension."""
        return (
            self[Losses]
            .filter(
                pl.col("model") == model,
                pl.col("loss").cast(pl.String) == loss.value,
                pl.col("dimension") == dimension,
            )
            .to_dicts()
        )

    def false_positives(self, model: str, outcome: Outcome, dimension: str) -> list[Row]:
        """Rows of the self-check, common variance of names first; empty where there is none."""
        return (
            self[SelfCheck]
            .filter(
                pl.col("model") == model,
                pl.col("outcome").cast(pl.String) == outcome,
                pl.col("dimension") == dimension,
            )
            .with_columns(pl.col("method", "estimand", "name_variance").cast(pl.String))
            .to_dicts()
        )

    def detectable(self, model: str) -> list[Row]:
        """Rows of the primary family's smallest differences found, by size and scope."""
        return (
            self[StudyDesign]
            .filter(
                pl.col("model") == model,
                pl.col("outcome").cast(pl.String) == self.outcome,
                pl.col("dimension") == self.dimension,
                pl.col("quantity").cast(pl.String) == str(DesignQuantity.MINIMUM_DETECTABLE),
            )
            .drop_nulls("value")
            .with_columns(pl.col("scope").cast(pl.String))
            .to_dicts()
        )
