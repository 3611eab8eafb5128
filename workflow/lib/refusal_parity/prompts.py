"""The hand-edited parts of prompts: templates and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.csvfiles import read_csv, refuse_duplicates, row_of
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "[NAME]"
BLANK: Final = "[BLANK]"


def read_templates(path: Path) -> pl.DataFrame:
    """Templates with columns template_id, family, template.

    Raises:
        InputError: a cell is empty, a key or sentence repeats, or a template has no [NAME].
    """
    columns = ["template_id", "family", "template"]
    frame = read_csv(path, required=columns, filled=columns)
    refuse_duplicates(frame, "template_id", path)
    refuse_duplicates(frame, "template", path)
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
        InputError: a cell is empty, or a key or name repeats.
    """
    needed = ["name_id", "name", group_column]
    frame = read_csv(path, required=needed, filled=needed)
    refuse_duplicates(frame, "name_id", path)
    refuse_duplicates(frame, "name", path)
    optional = [
        pl.col(column) if column in frame.columns else pl.lit(None, pl.String).alias(column)
        for column in ("gender", "commonness")
    ]
    return frame.select("name_id", "name", pl.col(group_column).alias("group"), *optional)


def group_gender() -> pl.Expr:
    """The dimension `group_gender`: both words, null where a name has no gender."""
    return pl.concat_str("group", "gender", separator=" ").alias("group_gender")


def filled_template() -> pl.Expr:
    """A template with its name: what models repeat, whatever text stands around it."""
    return pl.col("template").str.replace_all(NAME, pl.col("name"), literal=True)
