"""Columns of CSVs, workbooks, JSON lines and Parquet files as text, read alike in each."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.cells import ROW, cell, open_table
from refusal_parity.errors import InputError
from refusal_parity.inference.column_names import ROWS, head_of, kind_of, there
from refusal_parity.inference.json_rows import ANEW, objects_of
from refusal_parity.textfiles import Doubled, encodable, read_text, refuse_devices
from refusal_parity.workbooks import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_KINDS: Final = "Give a .csv, .xlsx, .jsonl or .parquet file; text may be compressed (.csv.gz)."
_PROMPTS: Final = frozenset({"columns.prompt", "prompt"})
_TEXTS: Final = _PROMPTS | {"columns.response"}
"""What people or models wrote, which a spreadsheet may have made something else of."""

_DEEPER: Final = (
    "Name the text within it by its path, such as `resps.0` of a list or `doc.text` of an object; "
    "or write it into a column of its own."
)


def read_columns(
    path: Path, columns: Mapping[str, str | None], *, sheet: str | None = None
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

    Returns:
        A column for each key, and `ROW`: the line, for Parquet the number of the row.

    Raises:
        InputError: the file cannot be read, a column is missing or ambiguous, or a
            cell is a list or another thing that is no text.
    """
    from_rows = partial(_from_csv, sheet=Sheet(sheet))
    readers: dict[str, Callable[[Path, Mapping[str, str]], pl.DataFrame]] = {
        **dict.fromkeys(ROWS, from_rows),
        ".json": _from_json,
        ".jsonl": _from_json,
        ".ndjson": _from_json,
        ".parquet": _from_parquet,
    }
    kind = kind_of(path)
    if kind not in readers:
        raise InputError(
            f"files of type {path.suffix!r} cannot be read", where=str(path), remedy=_KINDS
        )
    refuse_devices(path)
    named = {key: name for key, name in columns.items() if name is not None}
    frame = readers[kind](path, named)
    if frame.is_empty():
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    return frame.with_columns(
        pl.lit(None, pl.String).alias(key) for key, name in columns.items() if name is None
    )


def _within(row: Mapping[str, Any], name: str, path: Path, at: int) -> Any:
    """What stands at a path; null where it leads nowhere."""
    head = head_of(name, row)
    if head is None:
        return None
    _refuse_twice(row, head, path, at)
    value = row[head]
    for step in name.removeprefix(head).split(".")[1:]:
        if isinstance(value, dict):
            _refuse_twice(value, step, path, at)
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _refuse_twice(found: Mapping[str, Any], key: str, path: Path, at: int) -> None:
    if isinstance(found, Doubled) and key in found.keys_twice:
        raise InputError(
            f"key {key!r} stands twice in one object",
            where=f"{path}, row {at}",
            remedy="Rename or remove one of the two.",
        )


def _from_csv(path: Path, named: Mapping[str, str], *, sheet: Sheet) -> pl.DataFrame:
    table = open_table(path, sheet)
    written = there(path, named, table.header, nested=False)
    texts, filled = ({written[key] for key in keys & written.keys()} for keys in (_TEXTS, _PROMPTS))
    frame = table.frame(written.values(), texts=texts, filled=filled)
    return frame.select(ROW, **{key: pl.col(name) for key, name in written.items()})


def _from_json(path: Path, named: Mapping[str, str]) -> pl.DataFrame:
    """Objects, one on each line or one after the other, or one array of them."""
    text = read_text(path, remedy="Save it in UTF-8.")
    rows = list(objects_of(path, text))
    if not rows:
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    found = list(dict.fromkeys(key for _, row in rows for key in row))
    return _texts(rows, there(path, named, found, nested=True), path)


def _texts(
    rows: Sequence[tuple[int, Mapping[str, Any]]], written: Mapping[str, str], path: Path
) -> pl.DataFrame:
    """What stands in objects at each path, as text."""
    columns = {
        key: [_text(_within(row, name, path, at), _what(key, name), path, at) for at, row in rows]
        for key, name in written.items()
    }
    for key, texts in columns.items():
        if "." in written[key] and not any(text is not None for text in texts):
            raise InputError(
                f"nothing stands at {written[key]!r}, which {key} names, in any row",
                where=str(path),
                remedy="Correct the mapping in the config.",
            )
    return pl.DataFrame(columns, schema=dict.fromkeys(written, pl.String)).with_columns(
        pl.Series(ROW, [at for at, _ in rows], dtype=pl.Int64)
    )


def _what(key: str, name: str) -> str:
    return f"column {name!r}, which {key} names,"


def _text(value: Any, what: str, path: Path, row: int) -> str | None:
    """A value of JSON as text."""
    match value:
        case None:
            return None
        case str():
            return cell(encodable(value))
        case bool():
            return str(value).lower()
        case float() if math.isnan(value):
            return None
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
    kind = "a list" if isinstance(value, list) else "an object"
    raise InputError(
        f"{what} holds {kind}",
        where=f"{path}, row {row}",
        remedy=_DEEPER,
    )


def _from_parquet(path: Path, named: Mapping[str, str]) -> pl.DataFrame:
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
    flat = {
        key: _column(frame[name], _what(key, name), path)
        for key, name in written.items()
        if heads[key] == name
    }
    inner = {key: name for key, name in written.items() if key not in flat}
    nested = frame.select(list(dict.fromkeys(str(heads[key]) for key in inner)))
    rows = list(enumerate(nested.iter_rows(named=True), 1))
    deep = _texts(rows, inner, path).drop(ROW).to_dict()
    numbers = pl.Series(ROW, range(1, len(frame) + 1), dtype=pl.Int64)
    return pl.DataFrame({**flat, **deep, ROW: numbers})


def _column(values: pl.Series, what: str, path: Path) -> pl.Series:
    """A column of Parquet as text."""
    if values.dtype.is_nested() or values.dtype == pl.Object:
        kind = "objects" if values.dtype == pl.Struct else "lists"
        raise InputError(
            f"{what} holds {kind}",
            where=f"{path}, row 1",
            remedy=_DEEPER,
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
