"""Template expansion: templates x names x arms."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.csvfiles import read_csv, refuse_duplicates, row_of
from refusal_parity.errors import InputError
from refusal_parity.tables import Prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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


def expand(
    templates: pl.DataFrame, names: pl.DataFrame, arms: Mapping[str, str | None]
) -> pl.DataFrame:
    """Every template with every name under every arm, in the order of the files.

    Args:
        templates: as from `read_templates`, T rows.
        names: as from `read_names`, N rows.
        arms: system prompt by arm, A of them; null sends none.

    Returns:
        A table of `Prompts` with T x N x A rows.
    """
    systems = pl.DataFrame(
        {"arm": list(arms), "system_prompt": list(arms.values())},
        schema={"arm": pl.String, "system_prompt": pl.String},
    )
    parts = [
        templates.with_columns(_template=_digests(templates["template"], 12)),
        names.with_columns(_name=_digests(names["name"], 10)),
        systems.with_columns(_system=_digests(systems["system_prompt"], 6)),
    ]
    return (
        parts[0]
        .join(parts[1], how="cross")
        .join(parts[2], how="cross")
        .with_columns(
            prompt_id=pl.concat_str("_template", "_name", "_system"),
            prompt=pl.col("template").str.replace_all(NAME, pl.col("name"), literal=True),
        )
        .select(Prompts.column_names())
    )


def _digests(texts: Iterable[str | None], length: int) -> pl.Series:
    """Hexadecimal SHA-256 of each text, cut to `length`; null and "" differ.

    Hashing the three parts of a prompt and joining the digests costs T + N + A
    hashes instead of T x N x A.
    """
    salted = ("-" if text is None else f"+{text}" for text in texts)
    return pl.Series(
        [hashlib.sha256(text.encode()).hexdigest()[:length] for text in salted], dtype=pl.String
    )


def filled_template() -> pl.Expr:
    """A template with its name: what models repeat, whatever text stands around it."""
    return pl.col("template").str.replace_all("[NAME]", pl.col("name"), literal=True)
