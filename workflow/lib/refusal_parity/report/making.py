"""How the study was made: config, provenance, versions, and what each column means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import ClusterJobs
from refusal_parity.text import NOTHING, count, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dataframely as dy

    from refusal_parity.report.inputs import ReportInputs

_CODE: Final = re.compile(r"`([^`]*)`")


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """Where one model's responses came from, as pairs of key and value."""

    model: str
    facts: tuple[tuple[str, str], ...]


def config_yaml(inputs: ReportInputs) -> str:
    """The whole config with its defaults, as YAML."""
    return yaml.safe_dump(
        inputs.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=88
    )


def model_records(inputs: ReportInputs) -> list[ModelRecord]:
    """Provenance of each model's responses, nested keys joined by dots."""
    return [
        ModelRecord(model=plain(model), facts=tuple(_flat(inputs.provenance.get(model, {}))))
        for model in inputs.models
    ]


def versions_table(inputs: ReportInputs) -> Table | None:
    """Versions of the packages of the analysis; None if none were given."""
    if not inputs.versions:
        return None
    return Table(
        caption="Versions of the packages that made the tables and this report.",
        columns=(("Package", TEXT), ("Version", TEXT)),
        rows=tuple(
            (Cell(plain(package)), Cell(plain(version)))
            for package, version in sorted(inputs.versions.items())
        ),
    )


def jobs_table(inputs: ReportInputs) -> Table | None:
    """The cluster's jobs; None for a study that ran without one."""
    if inputs[ClusterJobs].is_empty():
        return None
    return Table(
        caption="Jobs on the cluster. Waiting and running in seconds; memory in MiB, the most that "
        "was seen; an attempt above 1 was submitted again after a failure.",
        columns=(
            ("Model", TEXT),
            ("Rule", TEXT),
            ("Shard", NUMBER),
            ("Attempt", NUMBER),
            ("Job", TEXT),
            ("Ended", TEXT),
            ("Node", TEXT),
            ("Waited", NUMBER),
            ("Ran", NUMBER),
            ("GPU hours", NUMBER),
            ("Memory", NUMBER),
        ),
        rows=tuple(
            (
                Cell(plain(job["model"] or NOTHING)),
                Cell(plain(job["rule"])),
                _number(job["shard"]),
                _number(job["attempt"]),
                Cell(plain(job["job_id"])),
                Cell(plain(job["state"])),
                Cell(plain(job["node"] or NOTHING)),
                _number(job["wait_s"]),
                _number(job["wall_s"]),
                Cell(f"{job['gpu_hours']:.3f}", job["gpu_hours"]),
                _number(job["peak_memory_mb"]),
            )
            for job in inputs[ClusterJobs].iter_rows(named=True)
        ),
    ).without_empty()


def columns_table(schema: type[dy.Schema]) -> Table:
    """The data dictionary of one table, from its contract."""
    return Table(
        caption=f"Columns of {schema.__name__}.",
        columns=(("Column", TEXT), ("Type", TEXT), ("Null", TEXT), ("Meaning", TEXT)),
        rows=tuple(
            (
                Cell(name + (" (key)" if column.primary_key else "")),
                Cell(_type_of(column)),
                Cell("may be null" if column.nullable else "never"),
                # The reference in Markdown has the same text.
                Cell(_CODE.sub(r"“\1”", column.description or "")),
            )
            for name, column in schema.columns().items()
        ),
    )


def _number(number: float | None) -> Cell:
    return Cell("") if number is None else Cell(count(round(number)), number)


def _type_of(column: dy.Column) -> str:
    categories = getattr(column.dtype, "categories", None)
    if categories is not None:
        return "one of " + ", ".join(str(category) for category in categories)
    return str(column.dtype)


def _flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        name = f"{prefix}{plain(key)}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list):
            # What was warned of stands with what was left out too.
            yield name, "; ".join(map(plain, value)) or "none"
        else:
            yield name, "none" if value is None else plain(value)
