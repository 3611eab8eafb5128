"""Prompts as they stand: a list without templates and names, whose unit is the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.csvfiles import refuse_duplicates, refuse_spellings, row_of
from refusal_parity.errors import InputError
from refusal_parity.factors import SET, refuse_words
from refusal_parity.inference.column_names import scalar_columns
from refusal_parity.inference.response_files import read_columns
from refusal_parity.misread import refuse_damaged
from refusal_parity.placeholders import placeholder_in
from refusal_parity.prompts import OWN_COLUMNS, in_its_case, with_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ID: Final = "prompt_id"
PROMPT: Final = "prompt"

_CORE: Final = ("group", "gender", "commonness", "family")
"""Factors that every table of prompts has a column for."""

_TAKEN: Final = frozenset(OWN_COLUMNS) - {ID, PROMPT, *_CORE}
_LEFT_IN: Final = frozenset({"NAME", "MENTION", "PRONOUN"})
"""What people call the placeholders of templates."""


def read_list(
    path: Path,
    columns: Mapping[str, str] | None = None,
    *,
    sheet: str | None = None,
    compared: Iterable[str] = (),
    covariates: Iterable[str] = (),
) -> pl.DataFrame:
    """Read a list of prompts, each with its factors; those of numbers are numbers.

    Args:
        path: CSV, workbook, JSON lines or Parquet.
        columns: what the file calls `prompt_id`, `prompt` or a factor.
        sheet: of a workbook; null for the first.
        compared: factors whose words must be spelled in one way.
        covariates: factors that must be numbers.

    Returns:
        Columns template_id (the file's `prompt_id`), template (its `prompt`), family, group,
        gender, commonness, and all others of its columns that hold text or numbers.

    Raises:
        InputError: a column is missing or has the name of one that prompts have anyway; a
            cell of `prompt_id`, `prompt` or `set` is empty; a key or prompt repeats; a
            placeholder is left in a prompt; a text is damaged; or a covariate is no number.
    """
    frame = _read(path, dict(columns or {}), sheet)
    factors = [column for column in frame.columns if column not in {ID, PROMPT, " row"}]
    for column in (ID, PROMPT, *({SET} & set(factors))):
        empty = frame.filter(pl.col(column).is_null())
        if len(empty):
            raise InputError(
                f"column {column!r} is empty",
                where=row_of(path, empty),
                remedy="Fill the cell or remove the row.",
            )
    for column in (PROMPT, *factors):
        refuse_damaged(frame, column, path)
    refuse_duplicates(frame, ID, path)
    refuse_duplicates(frame, PROMPT, path, key=in_its_case)
    for column in {*factors} & {*compared}:
        refuse_spellings(frame, column, path)
    for column in {*factors} & {*covariates}:
        refuse_words(frame, column, path)
    _refuse_placeholders(frame, factors, path)
    core = [
        pl.col(column) if column in factors else pl.lit(None, pl.String).alias(column)
        for column in _CORE
    ]
    others = [column for column in factors if column not in _CORE]
    listed = frame.select(
        pl.col(ID).alias("template_id"), pl.col(PROMPT).alias("template"), *core, *others
    )
    return with_numbers(listed, {SET})


def _read(path: Path, columns: dict[str, str], sheet: str | None) -> pl.DataFrame:
    """All cells of a list as text, under our own names of columns."""
    found = scalar_columns(path, sheet=sheet, needed={ID, PROMPT} - set(columns))
    # What has no name, as a number of rows that some program put first, is no property.
    given = {name: name for name in found if name and name not in columns.values()}
    for ours, theirs in columns.items():
        if ours in given:
            raise InputError(
                f"columns.{ours} names {theirs!r}, and the file has a column {ours!r} too",
                where=str(path),
                remedy="Rename one of the two in the file, or take the entry out of "
                "prompts.columns.",
            )
    given |= columns
    for column in (ID, PROMPT):
        if column not in given:
            raise InputError(
                f"column {column!r} is missing (found: {', '.join(found)})",
                where=str(path),
                remedy=f"Add it, or say in prompts.columns what the file calls it: "
                f"`{{{column}: ...}}`.",
            )
    for column in given:
        if column in _TAKEN:
            raise InputError(
                f"column {column!r} has the name of a column that every prompt has",
                where=str(path),
                remedy="Rename it, or give it another name in prompts.columns.",
            )
    return read_columns(path, given, sheet=sheet)


def _refuse_placeholders(frame: pl.DataFrame, factors: Iterable[str], path: Path) -> None:
    """Raise an InputError at a prompt that is a template."""
    left = _LEFT_IN | {column.upper() for column in factors}
    for prompt, row in frame.select(PROMPT, " row").iter_rows():
        if (found := placeholder_in(prompt, left)) is not None:
            raise InputError(
                f"prompt {prompt!r} has the placeholder {found}, and a list has nothing to put "
                "in its place",
                where=f"{path}, {row}",
                remedy="Write the text out, or give prompts.templates and prompts.names.",
            )
