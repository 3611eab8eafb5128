"""Columns of CSVs, workbooks, JSON lines and Parquet files as text, read alike in each."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import NOTHING, ROW, cell, open_table
from refusal_parity.errors import InputError
from refusal_parity.inference.column_names import JSON, ROWS, head_of, kind_of, there
from refusal_parity.inference.first_of_several import key_of
from refusal_parity.inference.json_paths import lists_of, rows_at
from refusal_parity.inference.json_rows import ANEW, numbered_through, objects_of
from refusal_parity.inference.json_texts import (
    DEEPER,
    PARTED,
    nothing_in_any_row,
    texts_of,
    what_of,
)
from refusal_parity.textfiles import read_text, refuse_devices
from refusal_parity.workbooks import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Say = Callable[[str], None]

_KINDS: Final = "Give a .csv, .xlsx, .jsonl or .parquet file; text may be compressed (.csv.gz)."
_PROMPTS: Final = frozenset({"columns.prompt", "prompt"})
_TEXTS: Final = _PROMPTS | {"columns.response", "columns.refusal"}
"""What people or models wrote, which a spreadsheet may have made something else of."""


def read_columns(
    path: Path,
    columns: Mapping[str, str | None],
    *,
    sheet: str | None = None,
    rows: str | None = None,
    say: Say = lambda _: None,
) -> pl.DataFrame:
    """Read some columns of a file, whatever else it holds.

    Cells are text without surrounding blanks, null where nothing stands; whole
    numbers are written without decimals, however the file stores them.

    Args:
        path: `.csv` (or `.tsv`), a workbook, `.jsonl` (or `.ndjson`, `.json`) or `.parquet`.
        columns: names of its columns by the key that asks for them, or paths into the
            objects and lists of one (`doc.question`, `resps.0.0`); null gives an empty
            column.
        sheet: of a workbook; null for the first.
        rows: path of the list that holds the rows of a JSON file; null for the file itself.
        say: told of responses that a path does not reach.

    Returns:
        A column for each key, and `ROW`: where the row stands.

    Raises:
        InputError: the file cannot be read, a column is missing or ambiguous, or a
            cell is a list or another thing that is no text.
    """
    from_rows = partial(_from_csv, sheet=Sheet(sheet))
    from_json = partial(_from_json, rows=rows, say=say)
    readers: dict[str, Callable[[Path, Mapping[str, str]], pl.DataFrame]] = {
        **dict.fromkeys(ROWS, from_rows),
        **dict.fromkeys(JSON, from_json),
        ".parquet": partial(_from_parquet, say=say),
    }
    kind = kind_of(path)
    if kind not in readers:
        raise InputError(
            f"files of type {path.suffix!r} cannot be read", where=str(path), remedy=_KINDS
        )
    if rows is not None and kind not in JSON:
        raise InputError(
            f"rows is {rows!r}, and only JSON has lists of rows within objects",
            where=str(path),
            remedy="Take rows out.",
        )
    refuse_devices(path)
    named = {key: name for key, name in columns.items() if name is not None}
    frame = readers[kind](path, named)
    if frame.is_empty():
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    return frame.with_columns(
        pl.lit(None, pl.String).alias(key) for key in columns if key not in frame.columns
    )


def _from_csv(path: Path, named: Mapping[str, str], *, sheet: Sheet) -> pl.DataFrame:
    table = open_table(path, sheet)
    written = there(path, named, table.header, nested=False)
    texts = {name for key, name in written.items() if key_of(key) in _TEXTS}
    nothing = {name: NOTHING for key, name in written.items() if key_of(key) in _PROMPTS}
    frame = table.frame(written.values(), texts=texts, nothing=nothing)
    return frame.select(ROW, **{key: pl.col(name) for key, name in written.items()})


def _from_json(path: Path, named: Mapping[str, str], *, rows: str | None, say: Say) -> pl.DataFrame:
    """Objects, one on each line or one after the other, or one array of them."""
    found = objects_of(path, read_text(path, remedy="Save it in UTF-8."))
    if rows is not None:
        found = rows_at(found, rows, path)
    if not found:
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    keys = list(dict.fromkeys(key for _, row in found for key in row))
    try:
        written = there(path, _without_lost(named, keys, path, say), keys, nested=True)
    except InputError as error:
        deeper = list(lists_of(found[0][1])) if len(found) == 1 else []
        if deeper:
            raise InputError(
                f"{error.what}; its only row holds {' and '.join(map(repr, deeper))}",
                where=str(path),
                remedy=f"If the rows stand there, write `rows: {deeper[0]}` beside columns.",
            ) from error
        raise
    return texts_of(found, written, path, say)


def _without_lost(
    named: Mapping[str, str], found: list[str], path: Path, say: Say
) -> dict[str, str]:
    """Columns without those of several that no row has, unless it has none of them."""
    lost = dict[str, str]()
    for key, name in named.items():
        with suppress(InputError):
            there(path, {key: name}, found, nested=True)
            continue
        lost[key] = name
    known = {key_of(key) for key in named.keys() - lost.keys()}
    left_out = {key: name for key, name in lost.items() if key_of(key) in known}
    for key, name in left_out.items():
        say(nothing_in_any_row(key, name))
    return {key: name for key, name in named.items() if key not in left_out}


def _from_parquet(path: Path, named: Mapping[str, str], *, say: Say) -> pl.DataFrame:
    # Slow to import, and planning a study reads no Parquet file.
    from refusal_parity.unfolding_parquet import refuse_unfolding_parquet  # noqa: PLC0415

    try:
        types = pl.read_parquet_schema(path)
        written = there(path, named, list(types), nested=True)
        heads = {key: head_of(name, list(types)) for key, name in written.items()}
        # Two keys may name one column.
        wanted = list(dict.fromkeys(map(str, heads.values())))
        refuse_unfolding_parquet(path, wanted)
        frame = pl.read_parquet(path, columns=wanted)
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Correct the path in the config."
        ) from error
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError(
            f"cannot be read as parquet ({error})", where=str(path), remedy=ANEW
        ) from error
    whole = {
        key: _column(frame[name], what_of(key, name), path)
        for key, name in written.items()
        if heads[key] == name
        and key == key_of(key)
        and not (key in PARTED and frame[name].dtype == pl.List(pl.Struct))
    }
    inner = {key: name for key, name in written.items() if key not in whole}
    nested = frame.select(list(dict.fromkeys(str(heads[key]) for key in inner)))
    rows = numbered_through(list(nested.iter_rows(named=True)))
    deep = texts_of(rows, inner, path, say).drop(ROW).to_dict()
    # Where nothing stands within objects, there are no rows of them.
    places = pl.Series(ROW, [place for place, _ in numbered_through(range(len(frame)))])
    return pl.DataFrame({**whole, **deep, ROW: places})


def _column(values: pl.Series, what: str, path: Path) -> pl.Series:
    """A column of Parquet as text."""
    if values.dtype.is_nested() or values.dtype == pl.Object:
        kind = "objects" if values.dtype == pl.Struct else "lists"
        raise InputError(
            f"{what} holds {kind}",
            where=f"{path}, row 1",
            remedy=DEEPER,
        )
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        text = pl.when(whole == values).then(whole.cast(pl.String))
        return pl.select(text.otherwise(values.fill_nan(None).cast(pl.String))).to_series()
    try:
        texts = values.cast(pl.String)
    except pl.exceptions.PolarsError as error:
        binary = values.dtype == pl.Binary
        kind = "bytes that are no UTF-8 text" if binary else str(values.dtype)
        row = next((at for at, each in enumerate(values, 1) if binary and _is_no_text(each)), 1)
        raise InputError(f"{what} holds {kind}", where=f"{path}, row {row}", remedy=ANEW) from error
    return texts.map_elements(cell, return_dtype=pl.String)


def _is_no_text(content: bytes | None) -> bool:
    try:
        (content or b"").decode()
    except UnicodeDecodeError:
        return True
    return False
