"""The hand-edited parts of prompts: templates and names, with every factor that they name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import ROW, read_header
from refusal_parity.csvfiles import read_csv, refuse_duplicates, refuse_spellings, row_of
from refusal_parity.dimensions import DIMENSIONS, Unit, of_unit
from refusal_parity.errors import InputError
from refusal_parity.factors import SET
from refusal_parity.misread import refuse_damaged, refuse_written_for_others
from refusal_parity.placeholders import NAME, SQUARE, columns_of, left_in_brackets
from refusal_parity.spelling import DIRECTION_MARKS, as_known, reading, uniform
from refusal_parity.workbooks import Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


TEMPLATES: Final = Sheet("templates", needed=False)
NAMES: Final = Sheet("names", needed=False)
"""Sheets of a workbook that holds both; of any other its first."""

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
    parts = {file: _numbered_templates(file) for file in files}
    named = _numbered_names(names, group_column)
    _refuse_twice(parts)
    stimuli = Stimuli(
        pl.concat((part.drop(ROW) for part in parts.values()), how="diagonal"), named.drop(ROW)
    )
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
    for file, part in parts.items():
        _refuse_unfilled(part, file, named, names)
    sent = {
        column
        for template in stimuli.templates["template"]
        for column in columns_of(template, stimuli.names.columns)
    }
    return Stimuli(with_numbers(stimuli.templates, {SET}), with_numbers(stimuli.names, sent))


def _refuse_twice(parts: Mapping[Path, pl.DataFrame]) -> None:
    """Raise an InputError where a key or sentence stands in two of several files."""
    for column, key in (("template_id", reading), ("template", in_its_case)):
        first: dict[str, tuple[Path, str]] = {}
        for file, part in parts.items():
            for text, row in part.select(column, ROW).iter_rows():
                other, before = first.setdefault(key(text), (file, row))
                if other != file:
                    raise InputError(
                        f"{column} {text!r} stands in {other}, {before} already",
                        where=f"{file}, {row}",
                        remedy="Keep one of the two.",
                    )


def _refuse_unfilled(templates: pl.DataFrame, path: Path, names: pl.DataFrame, at: Path) -> None:
    """Raise an InputError at a placeholder that some name has nothing for.

    Args:
        templates: rows of one file, with their places in `ROW`.
        path: the file.
        names: likewise.
        at: their file.
    """
    known = [column for column in names.columns if column not in {"name_id", ROW}]
    for template, row in templates.select("template", ROW).iter_rows():
        where = f"{path}, {row}"
        try:
            used = columns_of(template, known)
        except KeyError as missing:
            raise InputError(
                f"[{missing.args[0]}] is no column of {at}",
                where=where,
                remedy=f"Add a column {missing.args[0].lower()!r} there, or write one of "
                f"{', '.join(f'[{column.upper()}]' for column in known)}.",
            ) from None
        for left, column in left_in_brackets(template, known):
            if column is None:
                continue
            is_square = left[0] in SQUARE or left[0].isalpha()
            others = "" if is_square else " What is in small letters between these is sent."
            raise InputError(
                f"{left} is not written as a placeholder, and its brackets would be sent",
                where=where,
                remedy=f"Write [{column.upper()}]." + others,
            )
        for column in used:
            empty = names.filter(pl.col(column).is_null())
            if len(empty):
                raise InputError(
                    f"[{column.upper()}] has no text for the name {empty['name_id'][0]!r}",
                    where=where,
                    remedy=f"Fill the column {column!r} of {row_of(at, empty)}.",
                )


def read_templates(path: Path) -> pl.DataFrame:
    """Templates with columns template_id, family, template, then any factors of their own, as text.

    Raises:
        InputError: a cell is empty or damaged, that of `set` too where there is one, a key or
            sentence repeats, a family is spelled in two ways, or a template has no [NAME]; or
            a factor has the name of a column that prompts have anyway.
    """
    return _numbered_templates(path).drop(ROW)


def _numbered_templates(path: Path) -> pl.DataFrame:
    """Rows of `read_templates`, and where each stands in `ROW`."""
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
    return frame.select(*columns, *_factors(frame, columns, path), ROW)


def read_names(path: Path, *, group_column: str = "group") -> pl.DataFrame:
    """Names with columns name_id, name, group, gender, commonness, then any other factors, as text.

    Args:
        path: the CSV; gender and commonness may be missing from it.
        group_column: the column that becomes `group`.

    Raises:
        InputError: a cell is empty or damaged, a key or name repeats, a level is spelled
            in two ways, or a factor has the name of a column that prompts have anyway.
    """
    return _numbered_names(path, group_column).drop(ROW)


def _numbered_names(path: Path, group_column: str) -> pl.DataFrame:
    """Rows of `read_names`, and where each stands in `ROW`."""
    needed = ["name_id", "name", group_column]
    optional = [key for key in of_unit(Unit.NAME, own=True) if not DIMENSIONS[key].needed]
    frame = read_csv(path, required=needed, optional=optional, filled=needed, sheet=NAMES)
    refuse_damaged(frame, "name", path)
    refuse_written_for_others(frame, "name", path)
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
        ROW,
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
        refuse_written_for_others(frame, column, path)
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


def in_its_case(template: str) -> str:
    """Templates that differ in capitals are two: that may be what a study is about."""
    return " ".join(uniform(template).split())


def _with_direction_marks(name: str) -> str:
    """Names that differ in direction marks are two: each is sent with those that it has."""
    return reading(name) + "".join(mark for mark in name if mark in DIRECTION_MARKS)
