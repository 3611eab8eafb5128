"""Responses made elsewhere, in any table whose columns the config names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.csvfiles import read_csv, row_of
from refusal_parity.errors import InputError
from refusal_parity.tables import Responses
from refusal_parity.vocabulary import Label, Status

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import TableColumns

_SHOWN: Final = 5
_UNKNOWN: Final = ("seed", "thinking", "finish_reason", "refusal_reason", "prompt_tokens",
                   "response_tokens", "cost", "error", "rendered_sha256")  # fmt: skip


def read_response_table(
    path: Path, columns: TableColumns, prompts: pl.DataFrame, *, model: str
) -> pl.DataFrame:
    """Read responses from CSV, JSON lines or Parquet and match them with the study's prompts.

    Args:
        path: `.csv`, `.jsonl` (or `.ndjson`) or `.parquet`, one row for each response.
        columns: which column holds what.
        prompts: the study's table of `Prompts`.
        model: key under which the responses are filed.

    Returns:
        A table of `Responses`, in the order of prompts and samples.

    Raises:
        InputError: a column is missing, a row answers no prompt of the study or
            stands there twice, or a label or sample number is none.
    """
    rows = _renamed(_read(path), columns, path)
    keyed = _matched(rows, prompts, path)
    if columns.sample is None:
        keyed = keyed.with_columns(sample=pl.int_range(pl.len()).over("prompt_id"))
    keyed = keyed.with_columns(
        known_sample=pl.col("sample").cast(pl.Int32, strict=False),
        known_label=pl.col("label").str.to_lowercase().str.replace_all(r"[ -]", "_"),
    )
    labels = [str(label) for label in Label]
    _refuse(
        keyed.filter((pl.col("known_sample") >= 0).fill_null(value=False).not_()),
        path,
        what="sample {sample!r} is no number from 0",
        remedy="Number the responses to one prompt 0, 1, 2, ..., or leave columns.sample out.",
    )
    _refuse(
        keyed.filter(pl.col("known_label").is_in(labels).not_()),
        path,
        what="label {label!r} is none of the six",
        remedy=f"Use {', '.join(labels)}, or leave columns.label out.",
    )
    _refuse(
        keyed.filter(~pl.struct("prompt_id", "known_sample").is_first_distinct()),
        path,
        what="sample {sample} of {prompt!r} stands here again",
        remedy="Keep one of the rows, or name the column that numbers them in columns.sample.",
    )
    response = pl.col("response").str.strip_chars().fill_null("")
    order = prompts.select("prompt_id").with_row_index("_order")
    return (
        keyed.with_columns(
            *(pl.lit(None, Responses.columns()[column].dtype).alias(column) for column in _UNKNOWN),
            model=pl.lit(model),
            sample="known_sample",
            response=response,
            status=pl.when(response == "")
            .then(pl.lit(str(Status.EMPTY)))
            .otherwise(pl.lit(str(Status.OK))),
            truncated=pl.lit(value=False),
            imported_label="known_label",
        )
        .join(order, on="prompt_id")
        .sort("_order", "sample")
        .select(Responses.column_names())
    )


def _read(path: Path) -> pl.DataFrame:
    """All cells as text, with the row's number in `line`."""
    if path.suffix == ".csv":
        return read_csv(path, required=())
    readers = {
        ".jsonl": lambda: pl.read_ndjson(path, infer_schema_length=None),
        ".ndjson": lambda: pl.read_ndjson(path, infer_schema_length=None),
        ".parquet": lambda: pl.read_parquet(path),
    }
    if path.suffix not in readers:
        raise InputError(
            f"files of type {path.suffix!r} cannot be read",
            where=str(path),
            remedy="Give a .csv, .jsonl or .parquet file.",
        )
    try:
        frame = readers[path.suffix]()
        return frame.cast(pl.String).with_columns(line=pl.int_range(1, pl.len() + 1))
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Correct the path in the config."
        ) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"cannot be read as {path.suffix[1:]} ({error})",
            where=str(path),
            remedy="Write it anew: one row for each response, cells of text and numbers.",
        ) from error


def _renamed(frame: pl.DataFrame, columns: TableColumns, path: Path) -> pl.DataFrame:
    """The columns under the names that the config gives them, null where it gives none."""
    given = columns.model_dump()
    for key, column in given.items():
        if column is not None and column not in frame.columns:
            raise InputError(
                f"column {column!r}, which columns.{key} names, is missing "
                f"(found: {', '.join(name for name in frame.columns if name != 'line')})",
                where=str(path),
                remedy="Correct the mapping in the config.",
            )
    return frame.select(
        "line",
        *(
            pl.lit(None, pl.String).alias(key) if column is None else pl.col(column).alias(key)
            for key, column in given.items()
        ),
        has_prompt=pl.lit(columns.prompt is not None),
        has_system=pl.lit(columns.system_prompt is not None),
    )


def _matched(rows: pl.DataFrame, prompts: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Rows with their prompt_id; all must have one."""
    has_prompt, has_system = rows.row(0, named=True)["has_prompt"], rows["has_system"][0]
    if not has_system and prompts["arm"].n_unique() > 1:
        raise InputError(
            f"the study has {prompts['arm'].n_unique()} arms and the file does not say which",
            where=str(path),
            remedy="Name the column of system prompts in columns.system_prompt.",
        )
    known = prompts.select("prompt_id", "prompt", "system_prompt", "template", "name")
    if has_prompt:
        keys = ["prompt"]
    else:
        # Templates and names are known by their text and by their key.
        rows = rows.with_columns(
            template=_text_of(prompts, "template"), name=_text_of(prompts, "name")
        )
        keys = ["template", "name"]
    if has_system:
        keys.append("system_prompt")
    matched = rows.select(pl.exclude("prompt") if not has_prompt else pl.all()).join(
        known.select("prompt_id", *keys, *([] if has_prompt else ["prompt"])),
        on=keys,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    strangers = matched.filter(pl.col("prompt_id").is_null())
    if len(strangers):
        shown = "; ".join(
            f"row {row['line']}: {', '.join(repr(row[key]) for key in keys)}"
            for row in strangers.head(_SHOWN).iter_rows(named=True)
        )
        more = f"; and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
        raise InputError(
            f"{len(strangers)} of {len(rows)} rows answer no prompt of this study ({shown}{more})",
            where=str(path),
            remedy=f"Their {' and '.join(keys)} must be those of the study, letter by letter: "
            "correct the study's templates, names and arms, or remove the rows.",
        )
    return matched


def _text_of(prompts: pl.DataFrame, column: str) -> pl.Expr:
    """A template's or name's text where its key is given."""
    keys = prompts.unique(f"{column}_id", maintain_order=True)
    return pl.col(column).replace(keys[f"{column}_id"], keys[column])


def _refuse(rows: pl.DataFrame, path: Path, *, what: str, remedy: str) -> None:
    if len(rows):
        raise InputError(
            what.format(**rows.row(0, named=True)), where=row_of(path, rows), remedy=remedy
        )
