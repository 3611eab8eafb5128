"""What a report is made from, and the few questions that all its parts ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.dimensions import Unit, of_unit
from refusal_parity.vocabulary import DesignQuantity, Exclusion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.config import StudyConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.vocabulary import Loss

ALL = "all"
LABELLED = "labelled"
"""The reason of the ledger of those responses that have a label."""

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """The tables of one study, each holding all of its models.

    Attributes:
        config: the study.
        prompts: table `Prompts`.
        rates: table `Rates`.
        disparity: table `Disparity`.
        exclusions: table `Exclusions`.
        overview: table `Overview`.
        comparison: table `Comparison`; None where there is one model.
        losses: table `Losses`; may be left out.
        bounds: table `Bounds`; may be left out.
        agreement: table `Agreement`; may be left out.
        confusion: table `Confusion`; may be left out.
        selfcheck: table `SelfCheck`, None where it is turned off.
        design: table `StudyDesign`; may be left out.
        lengths: table `Lengths`; may be left out.
        mixed_models: table `MixedModels`, where they were fitted.
        human: table `HumanLabels`, where people labelled a sample.
        labels: table `Labels`, for the composition of labels; may be left out.
        responses: table `Responses`, for the browser; may be left out.
        influence: table `Influence`; may be left out.
        jobs: table `ClusterJobs`; may be left out.
        provenance: for each model, the metadata of its file of responses.
        versions: versions of packages, by name.
        git_commit: commit of the workflow that made the study, if known.
    """

    config: StudyConfig
    prompts: pl.DataFrame
    rates: pl.DataFrame
    disparity: pl.DataFrame
    exclusions: pl.DataFrame
    overview: pl.DataFrame
    comparison: pl.DataFrame | None = None
    losses: pl.DataFrame | None = None
    bounds: pl.DataFrame | None = None
    agreement: pl.DataFrame | None = None
    confusion: pl.DataFrame | None = None
    selfcheck: pl.DataFrame | None = None
    design: pl.DataFrame | None = None
    lengths: pl.DataFrame | None = None
    mixed_models: pl.DataFrame | None = None
    human: pl.DataFrame | None = None
    labels: pl.DataFrame | None = None
    responses: pl.DataFrame | None = None
    influence: pl.DataFrame | None = None
    jobs: pl.DataFrame | None = None
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str | None = None

    @property
    def models(self) -> list[str]:
        """Models in the order of the config, then any that only the tables know."""
        found = [
            str(model)
            for frame in (self.rates, self.disparity, self.exclusions)
            for model in frame["model"].unique(maintain_order=True)
        ]
        return list(dict.fromkeys([*self.config.models, *found]))

    @property
    def confidence(self) -> str:
        """Level of the intervals: `95 %`."""
        return f"{100 * (1 - self.config.analysis.alpha):g} %"

    @property
    def outcomes(self) -> list[Outcome]:
        """Yes-or-no outcomes of the study, the primary one first."""
        primary = self.config.analysis.primary_family.outcome
        return sorted(self.config.analysis.readings, key=lambda outcome: outcome != primary)

    @property
    def outcome(self) -> Outcome:
        """The outcome that figures show: the primary one, if it was analysed."""
        return self.outcomes[0]

    @property
    def dimensions(self) -> list[str]:
        """Dimensions of the study, the primary one first."""
        primary = self.config.analysis.primary_family.dimension
        return sorted(self.config.analysis.dimensions, key=lambda dimension: dimension != primary)

    @property
    def dimension(self) -> str:
        """The dimension that figures show: the primary one, if it was analysed."""
        return self.dimensions[0]

    @property
    def arms(self) -> int:
        """System prompts of the study."""
        return self.prompts["arm"].n_unique()

    def is_primary(self, outcome: Outcome, dimension: str) -> bool:
        """Whether a comparison belongs to the study's declared family of tests."""
        family = self.config.analysis.primary_family
        return (outcome, dimension) == (family.outcome, family.dimension)

    def levels(self, dimension: str) -> list[str]:
        """Levels of a dimension: in the order of the prompts, then of the rates."""
        found: list[str] = []
        if dimension in self.prompts.columns:
            found = self.prompts[dimension].drop_nulls().unique(maintain_order=True).to_list()
        rated = self.rates.filter(pl.col("dimension") == dimension)["group"]
        counted = rated.unique(maintain_order=True).to_list()
        return list(dict.fromkeys([*(level for level in found if level in counted), *counted]))

    @property
    def counts_filtered(self) -> bool:
        """Whether what the service's filter stopped counts as refused."""
        return self.config.analysis.filtered == "refusal"

    def is_counted(self, reason: str) -> bool:
        """Whether responses of a reason of the ledger count in the rates."""
        return reason == LABELLED or (reason == Exclusion.FILTERED and self.counts_filtered)

    def ledger(self, model: str, dimension: str) -> dict[str, dict[str, int]]:
        """Responses by level and reason, of one model and dimension (or `all`)."""
        found: dict[str, dict[str, int]] = {}
        rows = self.exclusions.filter(
            pl.col("model") == model, pl.col("dimension") == dimension
        ).iter_rows(named=True)
        for row in rows:
            found.setdefault(row["group"], {})[row["reason"]] = row["n"]
        return found

    def rate_rows(
        self, model: str, outcome: Outcome, dimension: str, *, within: str = ALL
    ) -> list[Row]:
        """Rates of one model, outcome and (two-way) dimension, in the table's order."""
        return self.rates.filter(
            pl.col("model") == model,
            pl.col("outcome").cast(pl.String) == outcome,
            pl.col("dimension") == dimension,
            pl.col("within") == within,
        ).to_dicts()

    def rates_by_level(self, model: str, outcome: Outcome, dimension: str) -> dict[str, Row]:
        """One-way rates by level."""
        return {row["group"]: row for row in self.rate_rows(model, outcome, dimension)}

    def overall(self, model: str, outcome: Outcome) -> Row | None:
        """The rate over all responses of a model."""
        return next(iter(self.rate_rows(model, outcome, ALL)), None)

    def tests(self, model: str, outcome: Outcome, dimension: str) -> list[Row]:
        """Rows of the disparity table for one model, outcome and dimension."""
        return self.disparity.filter(
            pl.col("model") == model,
            pl.col("outcome").cast(pl.String) == outcome,
            pl.col("dimension") == dimension,
        ).to_dicts()

    def loss_rows(self, model: str, loss: Loss, dimension: str) -> list[Row]:
        """Rows of the table of losses for one model, loss and dimension."""
        if self.losses is None:
            return []
        return self.losses.filter(
            pl.col("model") == model,
            pl.col("loss").cast(pl.String) == loss.value,
            pl.col("dimension") == dimension,
        ).to_dicts()

    def false_positives(self, model: str, outcome: Outcome, dimension: str) -> list[Row]:
        """Rows of the self-check, common variance of names first; empty where there is none."""
        if self.selfcheck is None:
            return []
        return (
            self.selfcheck.filter(
                pl.col("model") == model,
                pl.col("outcome").cast(pl.String) == outcome,
                pl.col("dimension") == dimension,
            )
            .with_columns(pl.col("method", "estimand", "name_variance").cast(pl.String))
            .to_dicts()
        )

    def detectable(self, model: str) -> list[Row]:
        """Rows of the primary family's smallest differences found, by size and scope."""
        if self.design is None:
            return []
        return (
            self.design.filter(
                pl.col("model") == model,
                pl.col("outcome").cast(pl.String) == self.outcome,
                pl.col("dimension") == self.dimension,
                pl.col("quantity").cast(pl.String) == str(DesignQuantity.MINIMUM_DETECTABLE),
            )
            .drop_nulls("value")
            .with_columns(pl.col("scope").cast(pl.String))
            .to_dicts()
        )

    def name_facts(self) -> dict[str, Row]:
        """Each name's own columns, by its key and by the name itself."""
        return self._facts(["name_id", "name"], of_unit(Unit.NAME, own=True))

    def template_facts(self) -> dict[str, Row]:
        """Each template's own columns, by its key and by its text."""
        return self._facts(["template_id", "template"], of_unit(Unit.TEMPLATE, own=True))

    def _facts(self, keys: list[str], columns: list[str]) -> dict[str, Row]:
        rows = self.prompts.select(*keys, *columns).unique(maintain_order=True).to_dicts()
        # The key wins over the text where one name's text is another's key.
        return {row[key]: row for key in reversed(keys) for row in rows}
