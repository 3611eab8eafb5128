"""The levels that a study compares, held against its stimuli before anything is drawn."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

from refusal_parity.cells import NOTHING
from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS, Dimension, Unit, composed, declare_factor
from refusal_parity.errors import InputError
from refusal_parity.factors import (
    files_of,
    refuse_no_covariate,
    refuse_no_factor,
    uneven_sets,
    unit_of_template_factor,
)
from refusal_parity.spelling import as_known, difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from refusal_parity.config import AnalysisConfig

_FEW: Final = 4
"""Of fewer names or templates than this a level's tests can show next to nothing."""

_ALL: Final = "all"
"""What stands in tables for all levels together, and so is the name of none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What carries the levels of a study.

    Attributes:
        rows: one row for each name, template or arm; a column for each of its dimensions.
        key: the column that tells them apart.
        said_in: the file or key of the config that says what they are.
    """

    rows: pl.DataFrame
    key: str
    said_in: str


def check_levels(analysis: AnalysisConfig, units: Mapping[Unit, Units], *, where: str) -> list[str]:
    """Hold every dimension that a study compares against its names, templates and arms.

    Args:
        analysis: dimensions with their references.
        units: names, templates and arms (`Unit.PROMPT`).
        where: the config file, for error texts.

    Returns:
        A sentence for each dimension in which a level has too few units to be compared, or is
        called by a word that programs write where nothing stands.

    Raises:
        InputError: a dimension is no factor of them, or one of numbers; its reference is
            none of its levels; a level has the name of all of them together; or a covariate
            is no factor of numbers.
    """
    for key in analysis.covariates:
        refuse_no_covariate(
            key,
            *(units[unit].rows for unit in (Unit.NAME, Unit.TEMPLATE)),
            where=f"{where}, analysis.covariates",
            files=files_of(listed=Unit.LISTED in units),
        )
    remarks: list[str] = []
    named: set[tuple[str, ...]] = set()
    for key, compared in analysis.dimensions.items():
        if key not in DIMENSIONS:
            declare_factor(key, _unit(key, units, f"{where}, analysis.dimensions.{key}"))
        dimension = DIMENSIONS[key]
        given = units[Unit.TEMPLATE if dimension.unit is Unit.SET else dimension.unit]
        rows = given.rows.with_columns(composed()) if dimension.parts else given.rows
        counts = _counted(rows[key], rows[given.key])
        if _ALL in {key, *counts}:
            raise InputError(
                f"{_ALL!r} is {f'a {key}' if key != _ALL else 'a column'} of {given.said_in}, and "
                "stands in every table for all levels together",
                where=f"{where}, analysis.dimensions.{key}",
                remedy="Give it another name there, such as 'any'.",
            )
        if compared.reference not in counts:
            raise InputError(
                f"reference {compared.reference!r} is no {key} of {given.said_in}",
                where=f"{where}, analysis.dimensions.{key}.reference",
                remedy=_naming(compared.reference, list(counts))
                if counts
                else f"It has no {key} at all: fill a column of that name, or take the dimension "
                "out.",
            )
        remarks += _nothing(dimension, counts, given.said_in)
        if len(counts) == 1:
            remarks.append(
                f"analysis.dimensions.{key}: {compared.reference!r} is the only {key} of "
                f"{given.said_in}, so that there is nothing to compare it with"
            )
        elif dimension.unit is Unit.SET:
            remarks += uneven_sets(rows, key, given.said_in)
        elif not dimension.unit.is_crossed_within:
            few = {
                level: keys
                for level, keys in counts.items()
                # The same units under another dimension's word are no news.
                if len(keys) < _FEW and tuple(keys) not in named
            }
            named |= {tuple(keys) for keys in few.values()}
            if few:
                remarks.append(_few(dimension, few, counts, compared.reference, given.said_in))
    return remarks


def _unit(key: str, units: Mapping[Unit, Units], where: str) -> Unit:
    """What a factor is a property of: the file that has the column says it."""
    names, templates = units[Unit.NAME].rows, units[Unit.TEMPLATE].rows
    refuse_no_factor(key, names, templates, where=where)
    return Unit.NAME if key in names.columns else unit_of_template_factor(templates, key)


def _counted(levels: pl.Series, keys: pl.Series) -> dict[str, list[str]]:
    """The keys of each level's units, in the file's order; those without a level are left out."""
    counts: dict[str, list[str]] = {}
    for level, key in zip(levels, keys, strict=True):
        if level is not None:
            counts.setdefault(level, []).append(key)
    return counts


def _nothing(dimension: Dimension, counts: Mapping[str, list[str]], file: str) -> list[str]:
    """One sentence on each level that may be none; arms are named in the config by hand."""
    return [
        f"{file}: {level!r} is taken for a {dimension.key}, of {len(keys):,}: programs write it "
        "where nothing stands; if nothing is known of these, leave the cells empty"
        for level, keys in counts.items()
        if level in NOTHING and dimension.unit is not Unit.PROMPT
    ]


def _few(
    dimension: Dimension,
    few: Mapping[str, list[str]],
    counts: Mapping[str, list[str]],
    reference: str,
    file: str,
) -> str:
    """One sentence on the levels of few units."""
    unit = str(dimension.unit)
    named = "; ".join(_level(level, keys, counts, unit) for level, keys in few.items())
    sentence = f"{file}: few {unit}s for {dimension.key}: {named}"
    against = len(counts[reference])
    largest = max((len(keys) for level, keys in few.items() if level != reference), default=0)
    if dimension.unit is Unit.NAME and largest > 0:
        # The test on the absolute difference cannot tell a split from its mirror image.
        least = min(1.0, (2 if largest == against else 1) / comb(largest + against, against))
        sentence += (
            f". With {largest} against {counted(against, 'name')} no permutation test has a "
            f"p-value below {least:.2g}"
        )
    return sentence


def _level(level: str, keys: list[str], counts: Mapping[str, list[str]], unit: str) -> str:
    text = f"{level!r} has {counted(len(keys), unit)} ({', '.join(keys)})"
    larger = [other for other in counts if len(counts[other]) > len(keys)]
    if len(keys) == 1 and (meant := difflib.get_close_matches(level, larger, n=1, cutoff=0.7)):
        text += f" - perhaps {meant[0]!r} is meant"
    return text


def _naming(reference: str, levels: list[str]) -> str:
    """How to name a level; one that reads alike is meant."""
    [meant] = as_known([reference], levels)
    if meant is None or meant not in levels:
        return f"Name one of: {', '.join(levels)}."
    return f"Write it as there: {meant} ({difference(reference, meant)})."
