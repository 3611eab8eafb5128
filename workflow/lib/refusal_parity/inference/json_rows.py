"""Objects of JSON lines, of JSON arrays, and of files that hold one object after the other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.textfiles import each_key_once, parsed_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANEW: Final = "Write it anew: one row for each response, cells of text and numbers."
"""What to do about a file that cannot be read."""

_BLANK: Final = re.compile(r"\s*")


def objects_of(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a file with their numbers."""
    if text.lstrip().startswith("["):
        found = _parsed(text, path, None)
        numbered = list(enumerate(found if isinstance(found, list) else [found], 1))
    else:
        # Not splitlines: texts may hold other separators of lines than this one.
        lines = [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
        if lines and _is_begun(lines[0][1]):
            numbered = list(_one_after_the_other(text, path))
        else:
            numbered = [(at, _parsed(line, path, at)) for at, line in lines]
    for at, row in numbered:
        if not isinstance(row, dict):
            raise InputError("no JSON object", where=f"{path}, row {at}", remedy=ANEW)
    return numbered


def _is_begun(line: str) -> bool:
    """Whether a line is the beginning of an object that ends on another one."""
    try:
        json.loads(line)
    except ValueError as error:
        return isinstance(error, json.JSONDecodeError) and error.pos >= len(line.rstrip())
    except RecursionError:
        return False
    return False


def _one_after_the_other(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """Objects written over several lines each, with the lines on which they begin."""
    decoder, at, row = json.JSONDecoder(object_pairs_hook=each_key_once), 0, 1
    while at < len(text):
        # No copy of the rest, which would take time with the square of the file's size.
        blank = _BLANK.match(text, at)
        start = blank.end() if blank else at
        row += text.count("\n", at, start)
        if start == len(text):
            return
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"no JSON ({error})", where=f"{path}, row {row}", remedy=ANEW
            ) from error
        yield row, found
        row += text.count("\n", start, end)
        at = end


def _parsed(text: str, path: Path, row: int | None) -> Any:
    try:
        return parsed_json(text)
    except ValueError as error:
        where = f"{path}, row {row}" if row else str(path)
        raise InputError(f"no JSON ({error})", where=where, remedy=ANEW) from error
