"""Objects of JSON lines, of JSON arrays, and of files that hold one object after the other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.textfiles import each_key_once, parsed_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ANEW: Final = "Write it anew: one row for each response, cells of text and numbers."
"""What to do about a file that cannot be read."""

_BLANK: Final = re.compile(r"\s*")


def objects_of(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a file, each with the line on which it begins, or its row in a list."""
    if text.lstrip().startswith("["):
        found = _parsed(text, path, None)
        numbered = numbered_through(found if isinstance(found, list) else [found])
    else:
        # Not splitlines: texts may hold other separators of lines than this one.
        lines = [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
        if lines and _is_begun(lines[0][1]):
            numbered = list(_one_after_the_other(text, path))
        else:
            numbered = [(f"line {at}", _parsed(line, path, at)) for at, line in lines]
    for at, row in numbered:
        if not isinstance(row, dict):
            raise InputError("no JSON object", where=f"{path}, {at}", remedy=ANEW)
    return numbered


def numbered_through(rows: Sequence[Any]) -> list[tuple[str, Any]]:
    """Rows of a list, whose lines would say little: programs write many lists on one."""
    return [(f"row {at}", row) for at, row in enumerate(rows, 1)]


def _is_begun(line: str) -> bool:
    """Whether a line is the beginning of an object that ends on another one."""
    try:
        json.loads(line)
    except ValueError as error:
        return isinstance(error, json.JSONDecodeError) and error.pos >= len(line.rstrip())
    except RecursionError:
        return False
    return False


def _one_after_the_other(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Objects written over several lines each, with the lines on which they begin."""
    decoder, at, line = json.JSONDecoder(object_pairs_hook=each_key_once), 0, 1
    while at < len(text):
        # No copy of the rest, which would take time with the square of the file's size.
        blank = _BLANK.match(text, at)
        start = blank.end() if blank else at
        line += text.count("\n", at, start)
        if start == len(text):
            return
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"no JSON ({error})", where=f"{path}, line {line}", remedy=ANEW
            ) from error
        yield f"line {line}", found
        line += text.count("\n", start, end)
        at = end


def _parsed(text: str, path: Path, line: int | None) -> Any:
    try:
        return parsed_json(text)
    except ValueError as error:
        where = f"{path}, line {line}" if line else str(path)
        raise InputError(f"no JSON ({error})", where=where, remedy=ANEW) from error
