"""The hand-edited parts of prompts: templates and names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.csvfiles import read_csv, refuse_duplicates, refuse_spellings, row_of
from refusal_parity.dimensions import DIMENSIONS, Unit, of_unit
from refusal_parity.errors import InputError
from refusal_parity.spelling import DIRECTION_MARKS, reading, uniform

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "[NAME]"
BLANK: Final = "[BLANK]"

_DAMAGED: Final = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\ufffd]"
"""Control characters but tabs and ends of lines, and what programs put for bytes that they
cannot read."""


def read_templates(path: Path) -> pl.DataFrame:
    """Templates with columns template_id, family, template.

    Raises:
        InputError: a cell is empty or damaged, a key or sentence repeats, a family is spelled
            in two ways, or a template has no [NAME].
    """
    columns = ["template_id", "family", "template"]
    frame = read_csv(path, required=columns, filled=columns)
    _refuse_damaged(frame, "template", path)
    refuse_duplicates(frame, "template_id", path)
    refuse_duplicates(frame, "template", path, key=_in_its_case)
    refuse_spellings(frame, "family", path)
    unnamed = frame.filter(~pl.col("template").str.contains(NAME, literal=True))
    if len(unnamed):
        raise InputError(
            f"template {unnamed['template'][0]!r} has no {NAME}",
            where=row_of(path, unnamed),
            remedy=f"Write {NAME} where the name belongs.",
        )
    return frame.select(columns)


def read_names(path: Path, *, group_column: str = "group") -> pl.DataFrame:
    """Names with columns name_id, name, group, gender, commonness.

    Args:
        path: the CSV; gender and commonness may be missing from it.
        group_column: the column that becomes `group`.

    Raises:
        InputError: a cell is empty or damaged, a key or name repeats, or a level is spelled
            in two ways.
    """
    needed = ["name_id", "name", group_column]
    optional = [key for key in of_unit(Unit.NAME, own=True) if not DIMENSIONS[key].needed]
    frame = read_csv(path, required=needed, optional=optional, filled=needed)
    _refuse_damaged(frame, "name", path)
    refuse_duplicates(frame, "name_id", path)
    refuse_duplicates(frame, "name", path, key=_with_direction_marks)
    for column in (group_column, *optional):
        refuse_spellings(frame, column, path)
    return frame.select("name_id", "name", pl.col(group_column).alias("group"), *optional)


def _refuse_damaged(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise an InputError at a text with characters that no keyboard writes."""
    damaged = frame.filter(pl.col(column).str.contains(_DAMAGED))
    if len(damaged):
        text = damaged[column][0]
        found = next(character for character in text if re.match(_DAMAGED, character))
        raise InputError(
            f"{column} {text!r} holds U+{ord(found):04X}, which stands where a character was lost",
            where=row_of(path, damaged),
            remedy="Write the text anew, and save the file in UTF-8.",
        )


def _in_its_case(template: str) -> str:
    """Templates that differ in capitals are two: that may be what a study is about."""
    return " ".join(uniform(template).split())


def _with_direction_marks(name: str) -> str:
    """Names that differ in direction marks are two: each is sent with those that it has."""
    return reading(name) + "".join(mark for mark in name if mark in DIRECTION_MARKS)


def direction_twins(names: pl.DataFrame) -> list[str]:
    """A sentence for each name that differs from another in direction marks alone.

    Args:
        names: as from `read_names`.
    """
    first: dict[str, str] = {}
    twins = []
    for key, name in names.select("name_id", "name").iter_rows():
        other = first.setdefault(reading(name), key)
        if other != key:
            twins.append(
                f"name {key!r} differs from {other!r} in marks of direction alone: nobody sees "
                "them, but the model is sent both"
            )
    return twins


def filled_template() -> pl.Expr:
    """A template with its name: what models repeat, whatever text stands around it."""
    return pl.col("template").str.replace_all(NAME, pl.col("name"), literal=True)
