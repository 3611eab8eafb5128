"""What stands in objects at the paths that the config names, as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.cells import ROW, cell
from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.inference.finish_reasons import is_complete
from refusal_parity.inference.json_paths import NOWHERE, last_text, passed_over, within
from refusal_parity.inference.servers.errors import OddAnswerError
from refusal_parity.inference.servers.parts import flat, is_part, is_thought, read_parts
from refusal_parity.inference.warned import WARNING
from refusal_parity.textfiles import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from refusal_parity.inference.json_paths import Row

    Say = Callable[[str], None]

RESPONSE, _ERROR, _THINKING = "columns.response", "columns.error", "columns.thinking"
PARTED: Final = frozenset(
    {RESPONSE, _THINKING, "columns.refusal", "columns.prompt", "columns.system_prompt", "prompt"}
)
"""What may be written as a message in parts."""
_INSTEAD: Final = {
    RESPONSE: "write each of them into a row of its own",
    "columns.label": "settle them first, or give a row to each person in `human.labels`",
}
DEEPER: Final = (
    "Name the text within it by its path, such as `resps.0` of a list or `doc.text` of an object; "
    "or write it into a column of its own."
)


def texts_of(rows: Sequence[Row], written: Mapping[str, str], path: Path, say: Say) -> pl.DataFrame:
    """What stands in objects at each path, as text."""
    columns: dict[str, list[str | None]] = {}
    nowhere: list[int] = []
    thoughts: list[str | None] = [None] * len(rows)
    for key, name in written.items():
        values = [within(row, name, path, at) for at, row in rows]
        if key == _ERROR:
            values = [
                last_text(row, name) if value is NOWHERE else value
                for (_, row), value in zip(rows, values, strict=True)
            ]
        if "." in name and all(value is NOWHERE or value is None for value in values):
            _nothing_at(key, name, path, say, is_null=any(value is None for value in values))
        if key == RESPONSE:
            nowhere = [at for at, value in enumerate(values) if value is NOWHERE]
            _refuse_thoughts(rows, name, path)
        if key in PARTED:
            thought = _put_together(values, key, name, path, rows)
            thoughts = thought if key == RESPONSE else thoughts
        columns[key] = [
            None if value is NOWHERE else _text(value, what_of(key, name), path, at)
            for (at, _), value in zip(rows, values, strict=True)
        ]
        if key in _INSTEAD and (remark := passed_over(rows, name, _INSTEAD[key])) is not None:
            say(remark)
    _say_of_none(rows, nowhere, columns, written, say)
    if any(thoughts):
        apart = columns.get(_THINKING, [None] * len(rows))
        pairs = zip(apart, thoughts, strict=True)
        # Both may name one list.
        distinct = (dict.fromkeys(filter(None, pair)) for pair in pairs)
        columns[_THINKING] = ["\n\n".join(each) or None for each in distinct]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        pl.Series(ROW, [at for at, _ in rows], dtype=pl.Int64)
    )


def _refuse_thoughts(rows: Sequence[Row], name: str, path: Path) -> None:
    """Raise where a path to responses leads to the text of a part that the model thought."""
    part = name.rpartition(".")[0]
    for at, row in rows if part else ():
        if is_thought(within(row, part, path, at)):
            raise InputError(
                f"{what_of(RESPONSE, name)} holds what the model thought, and no response",
                where=f"{path}, row {at}",
                remedy=f"Name the list of parts itself, {(part.rpartition('.')[0] or part)!r}: its "
                "texts are put together, without the thinking.",
            )


def _put_together(
    values: list[Any], key: str, name: str, path: Path, rows: Sequence[Row]
) -> list[str | None]:
    """Put texts in the place of messages in parts; what their model thought, row by row."""
    thoughts: list[str | None] = [None] * len(values)
    for at, value in enumerate(values):
        # An answer of no parts is one without text.
        if not (isinstance(value, list) and all(map(is_part, value))):
            continue
        said: list[str] = []
        thought: list[Any] = []
        try:
            read_parts(value, said, thought)
            thoughts[at] = flat(thought) or None
        except OddAnswerError as error:
            raise InputError(
                f"{what_of(key, name)} holds a message in parts, and {error}",
                where=f"{path}, row {rows[at][0]}",
                remedy=DEEPER,
            ) from error
        values[at] = (thoughts[at] if key == _THINKING else None) or "".join(said)
    return thoughts


def _say_of_none(
    rows: Sequence[Row],
    nowhere: Sequence[int],
    columns: Mapping[str, Sequence[str | None]],
    written: Mapping[str, str],
    say: Say,
) -> None:
    """Tell of rows whose response is nowhere and that say nothing of a failure or a refusal."""
    known = {
        at
        for key in (_ERROR, "columns.refusal", "columns.finish_reason")
        for at, text in enumerate(columns.get(key, ()))
        if text is not None and not (key == "columns.finish_reason" and is_complete(text))
    }
    bare = [rows[at][0] for at in nowhere if at not in known]
    if bare:
        count = len(bare)
        say(
            f"{WARNING}nothing stands at {written[RESPONSE]!r}, which columns.response names, in "
            f"{counted(count, 'row')}, the first in row {bare[0]}, "
            f"{agreed(count, 'which counts', 'which count')} as empty: if the text stands "
            "elsewhere in them, write it into one place"
        )


def _nothing_at(key: str, name: str, path: Path, say: Say, *, is_null: bool) -> None:
    """Tell of a path at which nothing stands; of what only bad rows have, that is no mistake."""
    if key == "columns.error":
        say(f"nothing stands at {name!r}, which columns.error names: the file tells of no failure")
    elif not (is_null and key == "columns.refusal"):
        raise InputError(
            f"nothing stands at {name!r}, which {key} names, in any row",
            where=str(path),
            remedy="Correct the mapping in the config.",
        )


def what_of(key: str, name: str) -> str:
    """What an error calls a column of the file."""
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
        remedy=DEEPER,
    )
