"""Paths into the objects and lists of a row: `doc.question`, `resps.0.0`, `messages.-1.content`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.inference.column_names import head_of
from refusal_parity.inference.json_rows import numbered_through
from refusal_parity.inference.servers.parts import is_part
from refusal_parity.inference.warned import WARNING
from refusal_parity.textfiles import Doubled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Row = tuple[str, dict[str, Any]]
"""Where a row stands (`line 7`), and what it holds."""

NOWHERE: Final = object()
"""What stands where a path leads to nothing; a null that ends it early is a null."""


def within(row: Mapping[str, Any], name: str, path: Path, at: str) -> Any:
    """What stands at a path; `NOWHERE` where it leads to nothing.

    Args:
        row: what a row holds.
        name: the path.
        path: the file, for an error.
        at: where the row stands.

    Raises:
        InputError: a key of the path stands twice in one object.
    """
    head = head_of(name, row)
    if head is None:
        return NOWHERE
    _refuse_twice(row, head, path, at)
    value = row[head]
    for step in _steps(name, row):
        if value is None:
            return None
        if isinstance(value, dict) and step in value:
            _refuse_twice(value, step, path, at)
            value = value[step]
        elif isinstance(value, list) and _is_place(step, len(value)):
            value = value[int(step)]
        elif isinstance(value, str) and step.isdecimal():
            # A text where other rows have a list of texts or of parts.
            return value
        else:
            return NOWHERE
    return value


def _is_place(step: str, length: int) -> bool:
    """Whether a step leads into a list: a number from its beginning (0) or its end (-1)."""
    is_number = step.removeprefix("-").isdecimal()
    return is_number and -length <= int(step) < length


def last_text(row: Mapping[str, Any], name: str) -> str | None:
    """The text at which a path into objects ends early, such as `timeout` for `error.code`."""
    value: Any = row
    for step in (head_of(name, row) or name, *_steps(name, row)):
        if not isinstance(value, dict) or step not in value:
            break
        value = value[step]
    return value if isinstance(value, str) else None


def _steps(name: str, row: Mapping[str, Any]) -> list[str]:
    """The steps of a path behind the column that it begins with."""
    return name.removeprefix(head_of(name, row) or name).split(".")[1:]


def _refuse_twice(found: Mapping[str, Any], key: str, path: Path, at: str) -> None:
    if isinstance(found, Doubled) and key in found.keys_twice:
        raise InputError(
            f"key {key!r} stands twice in one object",
            where=f"{path}, {at}",
            remedy="Rename or remove one of the two.",
        )


def passed_over(rows: Sequence[Row], name: str, instead: str) -> str | None:
    """A sentence where a path takes the first of several, as files of several samples hold.

    Args:
        rows: all of a file.
        name: the path.
        instead: what to do, where these are no parts of one message.
    """
    lists = [found for _, row in rows if (found := _passed(row, name)) is not None]
    more = [len(values) - 1 for _, values in lists]
    if not more:
        return None
    place, values = lists[0]
    if all(map(is_part, values)):
        instead = f"name the list itself, {place!r}, whose parts are put together"
    return (
        f"{WARNING}{name!r} takes the first where {counted(len(more), 'row')} "
        f"{agreed(len(more), 'holds', 'hold')} up to {max(more) + 1:,}: the others, {sum(more):,} "
        f"in all, are not read; {instead}"
    )


def _passed(row: Mapping[str, Any], name: str) -> tuple[str, list[Any]] | None:
    """The longest list that a path takes the first of, with its own path."""
    place = head_of(name, row) or ""
    value, longest = row.get(place), None
    for step in _steps(name, row):
        if isinstance(value, list) and _is_place(step, len(value)):
            if not int(step) and len(value) > max(1, len(longest[1]) if longest else 0):
                longest = place, value
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
        place = f"{place}.{step}"
    return longest


def rows_at(found: Sequence[Row], name: str, path: Path) -> list[Row]:
    """The rows that stand in a list within a file's object, numbered through.

    Args:
        found: the file's objects, mostly one.
        name: the path of the list.
        path: the file, for an error.

    Raises:
        InputError: no list of objects stands there.
    """
    rows: list[Any] = []
    for at, row in found:
        value = within(row, name, path, at)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            held = ", ".join(lists_of(row)) or "none"
            raise InputError(
                f"no list of objects stands at {name!r}, which rows names (lists: {held})",
                where=f"{path}, {at}",
                remedy="Correct the path in the config.",
            )
        rows += value
    return numbered_through(rows)


def lists_of(value: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The paths of lists of objects within an object, those within lists left out."""
    for key, inner in value.items():
        if isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner):
            yield f"{above}{key}"
        elif isinstance(inner, dict):
            yield from lists_of(inner, f"{above}{key}.")
