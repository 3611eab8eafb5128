"""What stands in objects at the paths that the config names, as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.cells import ROW, cell
from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.inference.finish_reasons import is_complete
from refusal_parity.inference.first_of_several import key_of
from refusal_parity.inference.json_paths import NOWHERE, last_text, passed_over, within
from refusal_parity.inference.servers.errors import OddAnswerError
from refusal_parity.inference.servers.parts import (
    flat,
    is_part,
    is_thought,
    read_parts,
    without_words,
)
from refusal_parity.inference.warned import WARNING
from refusal_parity.textfiles import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from refusal_parity.inference.json_paths import Row

    Say = Callable[[str], None]

RESPONSE, _ERROR, _THINKING = "columns.response", "columns.error", "columns.thinking"
_REASON: Final = "columns.finish_reason"
_WHY_BLOCKED: Final = frozenset({"blockReason", "block_reason"})
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
    nowhere = set(range(len(rows)))
    thoughts: list[str | None] = [None] * len(rows)
    empty: dict[str, bool] = {}
    for key, name in written.items():
        values = _values_at(rows, key, name, path)
        if "." in name and all(value is NOWHERE or value is None for value in values):
            empty[key] = any(value is None for value in values)
        if key_of(key) == RESPONSE:
            nowhere &= {at for at, value in enumerate(values) if value is NOWHERE}
            _refuse_pieces(rows, name, path)
            _refuse_thoughts(rows, name, path)
        if key_of(key) in PARTED:
            passed = _without_calls(values)
            if passed and key_of(key) == RESPONSE:
                say(_of_calls(rows, passed, name))
            thought = _put_together(values, key, name, path, rows)
            thoughts = _joined(thoughts, thought) if key_of(key) == RESPONSE else thoughts
        columns[key] = [
            None if value is NOWHERE else _text(value, what_of(key, name), path, at)
            for (at, _), value in zip(rows, values, strict=True)
        ]
        instead = _INSTEAD.get(key_of(key))
        if instead is not None and (remark := passed_over(rows, name, instead)) is not None:
            say(remark)
    _say_of_empty(empty, written, path, say)
    if any(key_of(key) == RESPONSE for key in written):
        _say_of_none(rows, sorted(nowhere), columns, written, say)
    if any(thoughts):
        columns[_THINKING] = _joined(columns.get(_THINKING, [None] * len(rows)), thoughts)
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        pl.Series(ROW, [at for at, _ in rows], dtype=pl.String)
    )


def _values_at(rows: Sequence[Row], key: str, name: str, path: Path) -> list[Any]:
    values = [within(row, name, path, at) for at, row in rows]
    if name.rpartition(".")[2] in _WHY_BLOCKED:
        # Whatever stands there (`OTHER`) says that a filter of Gemini's stopped the prompt.
        values = [f"prompt blocked: {each}" if isinstance(each, str) else each for each in values]
    if key_of(key) != _ERROR:
        return values
    return [
        last_text(row, name) if value is NOWHERE else value
        for (_, row), value in zip(rows, values, strict=True)
    ]


def _joined(some: Sequence[str | None], others: Sequence[str | None]) -> list[str | None]:
    """Both texts of each row; once where they are the same, as of one list named twice."""
    pairs = zip(some, others, strict=True)
    return ["\n\n".join(dict.fromkeys(filter(None, pair))) or None for pair in pairs]


def _refuse_pieces(rows: Sequence[Row], name: str, path: Path) -> None:
    """Raise where a path to responses leads to the pieces of a stream, each in a row."""
    if rows and "delta" in name.split("."):
        raise InputError(
            f"{what_of(RESPONSE, name)} holds pieces of a stream, and no response",
            where=f"{path}, {rows[0][0]}",
            remedy="Put the pieces of each response together, and write one row for it.",
        )


def _refuse_thoughts(rows: Sequence[Row], name: str, path: Path) -> None:
    """Raise where a path to responses leads to the text of a part that the model thought."""
    part = name.rpartition(".")[0]
    for at, row in rows if part else ():
        if is_thought(within(row, part, path, at)):
            raise InputError(
                f"{what_of(RESPONSE, name)} holds what the model thought, and no response",
                where=f"{path}, {at}",
                remedy=f"Name the list of parts itself, {(part.rpartition('.')[0] or part)!r}: its "
                "texts are put together, without the thinking.",
            )


def _without_calls(values: list[Any]) -> dict[int, list[str]]:
    """Take calls of tools out of messages in parts; their types, by row."""
    passed: dict[int, list[str]] = {}
    for at, value in enumerate(values):
        if isinstance(value, list) and all(map(is_part, value)):
            kinds = [without_words(part) for part in value]
            if found := [kind for kind in kinds if kind]:
                passed[at] = found
                values[at] = [part for part, kind in zip(value, kinds, strict=True) if kind is None]
    return passed


def _of_calls(rows: Sequence[Row], passed: Mapping[int, Sequence[str]], name: str) -> str:
    """A sentence on messages in which a model called tools."""
    kinds = dict.fromkeys(kind for found in passed.values() for kind in found)
    return (
        f"{WARNING}{name!r} holds parts without words of the model ({', '.join(kinds)}) in "
        f"{counted(len(passed), 'row')}, the first in {rows[min(passed)][0]}: they are not read, "
        "and what the model said beside them counts as its response"
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
                where=f"{path}, {rows[at][0]}",
                remedy=DEEPER,
            ) from error
        values[at] = (thoughts[at] if key_of(key) == _THINKING else None) or "".join(said)
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
        for key, texts in columns.items()
        if key_of(key) in {_ERROR, "columns.refusal", _REASON}
        for at, text in enumerate(texts)
        if text is not None and not (key_of(key) == _REASON and is_complete(text))
    }
    bare = [rows[at][0] for at in nowhere if at not in known]
    if bare:
        count = len(bare)
        names = _names(name for key, name in written.items() if key_of(key) == RESPONSE)
        say(
            f"{WARNING}nothing stands at {names}, which columns.response names, in "
            f"{counted(count, 'row')}, the first in {bare[0]}, "
            f"{agreed(count, 'which counts', 'which count')} as empty: if the text stands "
            "elsewhere in them, name a list of paths, or write it into one place"
        )


def _say_of_empty(
    empty: Mapping[str, bool], written: Mapping[str, str], path: Path, say: Say
) -> None:
    """Tell of paths at which nothing stands; of what only bad rows have, that is no mistake.

    Args:
        empty: their keys, with whether a null stands there.
        written: all paths.
        path: the file, for an error.
        say: told.
    """
    for key in dict.fromkeys(map(key_of, empty)):
        several = {each: name for each, name in written.items() if key_of(each) == key}
        names = _names(several.values())
        if several.keys() - empty.keys():
            for each in several.keys() & empty.keys():
                say(nothing_in_any_row(each, several[each]))
        elif key == _ERROR:
            say(f"nothing stands at {names}, which {key} names: the file tells of no failure")
        elif not (key == "columns.refusal" and any(empty[each] for each in several)):
            raise InputError(
                f"nothing stands at {names}, which {key} names, in any row",
                where=str(path),
                remedy="Correct the mapping in the config.",
            )


def nothing_in_any_row(key: str, name: str) -> str:
    """A sentence on one of several paths."""
    return f"nothing stands at {name!r}, which {key} names, in any row"


def _names(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def what_of(key: str, name: str) -> str:
    """What an error calls a column of the file."""
    return f"column {name!r}, which {key} names,"


def _text(value: Any, what: str, path: Path, at: str) -> str | None:
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
        where=f"{path}, {at}",
        remedy=DEEPER,
    )
