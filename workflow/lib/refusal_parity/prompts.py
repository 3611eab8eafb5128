"""The hand-edited parts of prompts: templates and names, with every factor that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import ROW, read_header
from refusal_parity.csvfiles import read_csv, refuse_duplicates, refuse_spellings, row_of
from refusal_parity.dimensions import DIMENSIONS, Unit, of_unit
from refusal_parity.errors import InputError
from refusal_parity.factors import SET
from refusal_parity.placeholders import NAME, columns_of, left_in_brackets
from refusal_parity.spelling import DIRECTION_MARKS, as_known, reading, uniform
from refusal_parity.workbooks import Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence


TEMPLATES: Final = Sheet("templates", needed=False)
NAMES: Final = Sheet("names", needed=False)
"""Sheets of a workbook that holds both; of any other its first."""

_DAMAGED: Final = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\ufffd]"
"""Control characters but tabs and ends of lines, and what programs put for bytes that they
cannot read."""


OWN_COLUMNS: Final = (
    "prompt_id",
    "template_id",
    "family",
    "template",
    "name_id",
    "name",
    "group",
    "gender",
    "commonness",
    "arm",
    "system_prompt",
    "guard",
    "prompt",
)
"""Columns that all prompts have, so that no factor may take their place."""


@dataclass(frozen=True, slots=True)
class Stimuli:
    """Templates and names that fit each other.

    Attributes:
        templates: as from `read_templates`.
        names: as from `read_names`.
    """

    templates: pl.DataFrame
    names: pl.DataFrame


def read_stimuli(
    templates: Path | Sequence[Path], names: Path, *, group_column: str = "group"
) -> Stimuli:
    """All files, checked alone and against each other; factors of numbers are numbers.

    Args:
        templates: CSV of templates, or several.
        names: CSV of names.
        group_column: the column of names that becomes `group`.

    Raises:
        InputError: a file is not usable; a placeholder has no column among the names, or a
            name leaves it empty; or a factor stands in both files.
    """
    files = [templates] if isinstance(templates, Path) else list(templates)
    stimuli = Stimuli(_all_templates(files), read_names(names, group_column=group_column))
    said = ", ".join(map(str, files))
    for column in stimuli.names.columns:
        [there] = as_known([column], stimuli.templates.columns)
        if there in stimuli.templates.columns:
            raise InputError(
                f"column {column!r} stands in {said} too" + f", as {there!r}" * (there != column),
                where=str(names),
                remedy="Keep it where it belongs, or rename one: a factor is of templates or of "
                "names.",
            )
    _refuse_unfilled(stimuli, said, names)
    sent = {
        column
        for template in stimuli.templates["template"]
        for column in columns_of(template, stimuli.names.columns)
    }
    return Stimuli(with_numbers(stimuli.templates, {SET}), with_numbers(stimuli.names, sent))


def _all_templates(files: Sequence[Path]) -> pl.DataFrame:
    """The templates of several files, none of them twice; factors that a file lacks are empty.

    Raises:
        InputError: a file is not usable, or a key or sentence stands in two of them.
    """
    parts = [read_templates(file) for file in files]
    for column, key in (("template_id", reading), ("template", in_its_case)):
        first: dict[str, Path] = {}
        for file, part in zip(files, parts, strict=True):
            for text in part[column]:
                if (other := first.setdefault(key(text), file)) != file:
                    raise InputError(
                        f"{column} {text!r} stands in {other} already",
                        where=str(file),
                        remedy="Keep one of the two.",
                    )
    return pl.concat(parts, how="diagonal")


def _refuse_unfilled(stimuli: Stimuli, templates: str, names: Path) -> None:
    """Raise an InputError at a placeholder that some name has nothing for."""
    known = [column for column in stimuli.names.columns if column != "name_id"]
    for key, template in stimuli.templates.select("template_id", "template").iter_rows():
        where = f"{templates}, template {key!r}"
        try:
            used = columns_of(template, known)
        except KeyError as missing:
            raise InputError(
                f"[{missing.args[0]}] is no column of {names}",
                where=where,
                remedy=f"Add a column {missing.args[0].lower()!r} there, or write one of "
                f"{', '.join(f'[{column.upper()}]' for column in known)}.",
            ) from None
        for left, column in left_in_brackets(template, known):
            if column is None:
                continue
            raise InputError(
                f"{left} is not written as a placeholder, and would be sent as it stands",
                where=where,
                remedy=f"Write [{column.upper()}].",
            )
        for column in used:
            empty = stimuli.names.filter(pl.col(column).is_null())
            if len(empty):
                raise InputError(
                    f"[{column.upper()}] has no text for the name {empty['name_id'][0]!r}",
                    where=where,
                    remedy=f"Fill the column {column!r} in {names}.",
                )


def read_templates(path: Path) -> pl.DataFrame:
    """Templates with columns template_id, family, template, then any factors of their own, as text.

    Raises:
        InputError: a cell is empty or damaged, that of `set` too where there is one, a key or
            sentence repeats, a family is spelled in two ways, or a template has no [NAME]; or
            a factor has the name of a column that prompts have anyway.
    """
    columns = ["template_id", "family", "template"]
    filled = [*columns, *(column for column in read_header(path, TEMPLATES) if column == SET)]
    frame = read_csv(path, required=columns, filled=filled, sheet=TEMPLATES)
    refuse_damaged(frame, "template", path)
    refuse_duplicates(frame, "template_id", path)
    refuse_duplicates(frame, "template", path, key=in_its_case)
    refuse_spellings(frame, "family", path)
    unnamed = frame.filter(~pl.col("template").str.contains(NAME, literal=True))
    if len(unnamed):
        raise InputError(
            f"template {unnamed['template'][0]!r} has no {NAME}",
            where=row_of(path, unnamed),
            remedy=f"Write {NAME} where the name belongs.",
        )
    return frame.select(*columns, *_factors(frame, columns, path))


def read_names(path: Path, *, group_column: str = "group") -> pl.DataFrame:
    """Names with columns name_id, name, group, gender, commonness, then any other factors, as text.

    Args:
        path: the CSV; gender and commonness may be missing from it.
        group_column: the column that becomes `group`.

    Raises:
        InputError: a cell is empty or damaged, a key or name repeats, a level is spelled
            in two ways, or a factor has the name of a column that prompts have anyway.
    """
    needed = ["name_id", "name", group_column]
    optional = [key for key in of_unit(Unit.NAME, own=True) if not DIMENSIONS[key].needed]
    frame = read_csv(path, required=needed, optional=optional, filled=needed, sheet=NAMES)
    refuse_damaged(frame, "name", path)
    _refuse_unnameable(frame, path)
    refuse_duplicates(frame, "name_id", path)
    refuse_duplicates(frame, "name", path, key=_with_direction_marks)
    for column in (group_column, *optional):
        refuse_spellings(frame, column, path)
    core = ["name_id", "name", group_column, *optional]
    return frame.select(
        "name_id",
        "name",
        pl.col(group_column).alias("group"),
        *optional,
        *_factors(frame, [*core, "group"], path),
    )


def _refuse_unnameable(frame: pl.DataFrame, path: Path) -> None:
    for pattern, what, remedy in (
        (r"[\r\n\t]", "has a line break or a tab within it", "Write it in one line."),
        (r"\[[A-Z_]+\]", "is a placeholder of templates, or holds one", "Write the name itself."),
    ):
        wrong = frame.filter(pl.col("name").str.contains(pattern))
        if len(wrong):
            said = f"name {wrong['name'][0]!r} {what}"
            raise InputError(said, where=row_of(path, wrong), remedy=remedy)


def _factors(frame: pl.DataFrame, core: list[str], path: Path) -> list[str]:
    """Further columns of a file, each checked."""
    found = [column for column in frame.columns if column not in {*core, ROW}]
    for column in found:
        if column in OWN_COLUMNS:
            raise InputError(
                f"column {column!r} has the name of a column that every prompt has",
                where=str(path),
                remedy="Rename it.",
            )
        refuse_damaged(frame, column, path)
        refuse_spellings(frame, column, path)
    return found


def with_numbers(frame: pl.DataFrame, texts: set[str]) -> pl.DataFrame:
    """Factors as numbers where every cell is one, but those whose text is sent."""
    numbers = []
    for column in frame.columns:
        if column not in {*OWN_COLUMNS, *texts}:
            number = frame[column].cast(pl.Float64, strict=False)
            same = number.null_count() == frame[column].null_count() < len(frame)
            if same and number.drop_nulls().is_finite().all():
                numbers.append(number)
    return frame.with_columns(numbers)


def refuse_damaged(frame: pl.DataFrame, column: str, path: Path) -> None:
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


def in_its_case(template: str) -> str:
    """Templates that differ in capitals are two: that may be what a study is about."""
    return " ".join(uniform(template).split())


def _with_direction_marks(name: str) -> str:
    """Names that differ in direction marks are two: each is sent with those that it has."""
    return reading(name) + "".join(mark for mark in name if mark in DIRECTION_MARKS)
