"""Every table that a study keeps: its columns, where its file lies, and when there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import dataframely as dy

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.config import StudyConfig

Table = TypeVar("Table", bound=dy.Schema)


def _always(_: StudyConfig) -> bool:
    return True


def _all_models(study: StudyConfig) -> list[str]:
    return list(study.models)


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """One table of a study.

    Attributes:
        key: name of its file, without the suffix.
        schema: its columns.
        per_model: whether each model has a file of it, or the study has one.
        folder: where the study's one file lies, below its results.
        exported: whether it goes into the report and lies beside it, as Parquet and CSV.
        factors: whether it keeps further columns, text and numbers, behind its own.
        long: whether it has a row or more for each response: the report reads what it needs.
        of_preference: whether audits of preference data have it, instead of studies of models.
        of_both: whether either kind of study has it.
        when: whether a study of its kind has it.
        models: keys of the models that have a file of it, where each has its own.
    """

    key: str
    schema: type[dy.Schema]
    per_model: bool = True
    folder: str = ""
    exported: bool = True
    factors: bool = False
    long: bool = False
    of_preference: bool = False
    of_both: bool = False
    when: Callable[[StudyConfig], bool] = _always
    models: Callable[[StudyConfig], list[str]] = _all_models

    @property
    def meaning(self) -> str:
        """What the table holds, in one sentence."""
        return (self.schema.__doc__ or "").strip().splitlines()[0]

    def path(self, model: str) -> str:
        """Its file below the study's results; of one model, where each has its own."""
        return f"{f'models/{model}/' if self.per_model else self.folder}{self.key}.parquet"

    def paths(self, study: StudyConfig) -> list[str]:
        """All its files below the study's results, in the order of the models."""
        return [self.path(model) for model in (self.models(study) if self.per_model else [""])]


TABLES: Final[dict[str, TableSpec]] = {}
"""All tables by key, in the order in which people are shown them."""


def table(  # noqa: PLR0913 - a table has these properties
    key: str,
    *,
    per_model: bool = True,
    folder: str = "",
    exported: bool = True,
    factors: bool = False,
    long: bool = False,
    of_preference: bool = False,
    of_both: bool = False,
    when: Callable[[StudyConfig], bool] = _always,
    models: Callable[[StudyConfig], list[str]] = _all_models,
) -> Callable[[type[Table]], type[Table]]:
    """Declare the schema that it decorates a table of studies; see `TableSpec`.

    Raises:
        ValueError: another table has that key.
    """

    def declare(schema: type[Table]) -> type[Table]:
        if key in TABLES:
            raise ValueError(f"table {key} is declared twice")
        TABLES[key] = TableSpec(
            key=key,
            schema=schema,
            per_model=per_model,
            folder=folder,
            exported=exported,
            factors=factors,
            long=long,
            of_preference=of_preference,
            of_both=of_both,
            when=when,
            models=models,
        )
        return schema

    return declare


def tables_of(study: StudyConfig) -> dict[str, TableSpec]:
    """The exported tables that a study has, by key."""
    audits = study.preference is not None
    return {
        key: spec
        for key, spec in TABLES.items()
        if spec.exported and (spec.of_both or spec.of_preference == audits) and spec.when(study)
    }


def spec_of(schema: type[dy.Schema]) -> TableSpec:
    """The table of a schema.

    Raises:
        KeyError: the schema is of no table that studies keep.
    """
    for spec in TABLES.values():
        if spec.schema is schema:
            return spec
    raise KeyError(schema.__name__)


def keeps_factors(schema: type[dy.Schema]) -> bool:
    """Whether a table keeps further columns behind its own."""
    return any(spec.factors for spec in TABLES.values() if spec.schema is schema)
