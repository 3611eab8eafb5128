"""What a report is made from, and the few questions that all its parts ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit, of_unit
from refusal_parity.factors import is_listed, take_up
from refusal_parity.guards.requests import open_prompts
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.losses.left_out import is_counted
from refusal_parity.tables import (
    Disparity,
    Exclusions,
    Findings,
    Losses,
    Prompts,
    Rates,
    SelfCheck,
    StudyDesign,
    empty,
)
from refusal_parity.text import count
from refusal_parity.vocabulary import DesignQuantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from refusal_parity.config import StudyConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.vocabulary import Loss

ALL = "all"
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """The tables of one study, each holding all of its models.

    `inputs[Rates]` is the table of that schema; one that the study does not have is empty.

    Attributes:
        config: the study.
        tables: by schema, those of `tables.tables_of` the study.
        provenance: for each model, the metadata of its file of responses.
        versions: versions of packages, by name.
        git_commit: commit of the workflow that made the study, if known.
    """

    config: StudyConfig
    tables: Mapping[type[dy.Schema], pl.DataFrame]
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str | None = None

    def __post_init__(self) -> None:
        """Know the study's factors by what they are a property of."""
        prompts = self[Prompts]
        if len(prompts):
            take_up(prompts, self.config.analysis.dimensions)

    def __getitem__(self, schema: type[dy.Schema]) -> pl.DataFrame:
        """The rows of a table, none where the study does not have it."""
        found = self.tables.get(schema)
        return empty(schema) if found is None else found

    def with_tables(self, tables: Mapping[type[dy.Schema], pl.DataFrame]) -> ReportInputs:
        """The same study with other rows of these tables."""
        return replace(self, tables={**self.tables, **tables})

    @property
    def models(self) -> list[str]:
        """Models in the order of the config, then any that only the tables know."""
        found = [
            str(model)
            for frame in (self[Rates], self[Disparity], self[Exclusions])
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
        """Arms of the study that rates and differences pool: those without a guard."""
        return open_prompts(self[Prompts])["arm"].n_unique()

    @property
    def pooled_arms(self) -> str | None:
        """What is pooled, in words: `2 system prompts`; null where it is one."""
        if self.arms == 1:
            return None
        pooled = [arm for arm in self.config.prompts.arms.values() if arm.guard is None]
        wrapped = any(arm.wrap is not None for arm in pooled)
        what = "arms (system prompts, or texts around the request)"
        return f"{count(self.arms)} {what if wrapped else 'system prompts'}"

    @property
    def listed(self) -> bool:
        """Whether its prompts are of a list, without names and templates."""
        return is_listed(self[Prompts])

    @property
    def clusters(self) -> str:
        """What the study has samples of, in a sentence."""
        return "prompts" if self.listed else "names and templates"

    @property
    def within_templates(self) -> bool:
        """Whether any dimension is compared within templates, not between them."""
        apart = {Unit.TEMPLATE, Unit.LISTED}
        return any(DIMENSIONS[each].unit not in apart for each in self.dimensions)

    def is_primary(self, outcome: Outcome, dimension: str) -> bool:
        """Whether a comparison belongs to the study's declared family of tests."""
        family = self.config.analysis.primary_family
        return (outcome, dimension) == (family.outcome, family.dimension)

    def levels(self, dimension: str) -> list[str]:
        """Levels of a dimension: in the order of the prompts, then of the rates."""
        found: list[str] = []
        if dimension in self[Prompts].columns:
            found = self[Prompts][dimension].drop_nulls().unique(maintain_order=True).to_list()
        rated = self[Rates].filter(pl.col("dimension") == dimension)["group"]
        counted = rated.unique(maintain_order=True).to_list()
        return list(dict.fromkeys([*(level for level in found if level in counted), *counted]))

    @property
    def counts_filtered(self) -> bool:
        """Whether what the service's filter stopped counts as refused."""
        return self.config.analysis.filtered == "refusal"

    def is_counted(self, reason: str) -> bool:
        """Whether responses of a reason of the ledger count in the rates."""
        return is_counted(reason, self.config.analysis)

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
        """The rate over all responses of a model."""
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

    def reference(self, dimension: str) -> str | None:
        """The level that the others are compared with."""
        dimensions = self.config.analysis.dimensions
        return next(
            (each.reference for key, each in dimensions.items() if str(key) == dimension), None
        )

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

    def name_facts(self) -> dict[str, Row]:
        """Each name's own columns, by its key and by the name itself."""
        return self._facts(["name_id", "name"], of_unit(Unit.NAME, own=True))

    def template_facts(self) -> dict[str, Row]:
        """Each template's own columns, by its key and by its text."""
        return self._facts(["template_id", "template"], of_unit(Unit.TEMPLATE, own=True))

    def _facts(self, keys: list[str], columns: list[str]) -> dict[str, Row]:
        rows = self[Prompts].select(*keys, *columns).unique(maintain_order=True).to_dicts()
        # The key wins over the text where one name's text is another's key.
        return {row[key]: row for key in reversed(keys) for row in rows}
