"""The study that a report is of: its tables, and what is compared in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit, of_unit
from refusal_parity.factors import is_listed, take_up
from refusal_parity.guards.requests import open_prompts
from refusal_parity.statistics.designs.observations import ordinary
from refusal_parity.statistics.losses.left_out import is_counted
from refusal_parity.tables import Disparity, Exclusions, Prompts, Rates, Scanned, empty
from refusal_parity.text import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    import dataframely as dy

    from refusal_parity.config import StudyConfig
    from refusal_parity.config.opened import OpenedStages
    from refusal_parity.outcomes import Outcome
    from refusal_parity.preregistration.files import Registered

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReportedStudy:
    """The tables of one study, each holding all of its models.

    `study[Rates]` is the table of that schema; one that the study does not have is empty.
    Those with a row for each response are not held in memory: `study.scan(Responses)`.

    Attributes:
        config: the study.
        tables: by schema, those of `tables.tables_of` the study.
        provenance: for each model, the metadata of its file of responses.
        remarks: what is to be read beside the agreement of labels, from that file's metadata.
        versions: versions of packages, by name.
        git_commit: commit of the workflow that made the study, if known.
        preregistrations: what the study was registered as, the first one first.
        opened: the stages that it grew by, where any was opened.
    """

    config: StudyConfig
    tables: Mapping[type[dy.Schema], pl.DataFrame | Scanned]
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str | None = None
    preregistrations: tuple[Registered, ...] = ()
    opened: OpenedStages | None = None

    def __post_init__(self) -> None:
        """Know the study's factors by what they are a property of."""
        prompts = self[Prompts]
        if len(prompts):
            take_up(prompts, self.config.analysis.dimensions)

    def __getitem__(self, schema: type[dy.Schema]) -> pl.DataFrame:
        """The rows of a table, none where the study does not have it.

        Raises:
            TypeError: its rows stay in their files; `scan` tells what to read of them.
        """
        found = self.tables.get(schema)
        if isinstance(found, Scanned):
            raise TypeError(f"{schema.__name__} is scanned, not held")
        return empty(schema) if found is None else found

    def scan(self, schema: type[dy.Schema], model: str | None = None) -> pl.LazyFrame:
        """The rows of a table, of all models or of one; only what is collected is read."""
        found = self.tables.get(schema)
        if isinstance(found, Scanned):
            # Each model has a file of its own, in the order of the config.
            models = list(self.config.models)
            rows = found.lazy(models.index(model) if model in models else None)
        else:
            rows = self[schema].lazy()
        return rows if model is None else rows.filter(pl.col("model") == model)

    def parts(self, schema: type[dy.Schema], rows: int) -> Iterator[pl.DataFrame]:
        """The rows of a table, some at a time; of none, one empty part."""
        found = self.tables.get(schema)
        if isinstance(found, Scanned):
            yield from found.parts(rows)
        else:
            held = self[schema]
            for first in range(0, max(len(held), 1), rows):
                yield held.slice(first, rows)

    def compared(self) -> pl.DataFrame:
        """The prompts that rates and differences are about, as the statistics know them."""
        prompts = self[Prompts]
        return prompts.filter(ordinary(prompts, self.config.analysis.dimensions))

    def scan_compared(self, schema: type[dy.Schema], model: str | None = None) -> pl.LazyFrame:
        """The rows of a table that are of these prompts, of all models or of one."""
        asked = self.compared().lazy().select("prompt_id")
        return self.scan(schema, model).join(asked, on="prompt_id", how="semi")

    def has(self, schema: type[dy.Schema]) -> bool:
        """Whether the study has a table, with at least a row."""
        return bool(self.scan(schema).select(pl.len()).collect().item())

    def with_tables(self, tables: Mapping[type[dy.Schema], pl.DataFrame | Scanned]) -> Self:
        """The same study with other rows of these tables."""
        return replace(self, tables={**self.tables, **tables})

    @cached_property
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
    def questions(self) -> list[Outcome]:
        """Outcomes that the study answers for in words, the primary one first."""
        primary = self.config.analysis.primary_family.outcome
        odds = [each for each in self.config.analysis.outcomes if each.is_log_odds]
        return sorted([*self.rates, *odds], key=lambda outcome: outcome != primary)

    @property
    def rates(self) -> list[Outcome]:
        """Outcomes whose differences are those of rates: yes-or-no ones, then weighed ones."""
        weighed = [each for each in self.config.analysis.outcomes if each.is_weighed]
        primary = self.config.analysis.primary_family.outcome
        return sorted([*self.outcomes, *weighed], key=lambda outcome: outcome != primary)

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

    def reference(self, dimension: str) -> str | None:
        """The level that the others are compared with."""
        dimensions = self.config.analysis.dimensions
        return next(
            (each.reference for key, each in dimensions.items() if str(key) == dimension), None
        )

    @property
    def counts_filtered(self) -> bool:
        """Whether what the service's filter stopped counts as refused."""
        return self.config.analysis.filtered == "refusal"

    def is_counted(self, reason: str) -> bool:
        """Whether responses of a reason of the ledger count in the rates."""
        return is_counted(reason, self.config.analysis)

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
