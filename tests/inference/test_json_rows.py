"""Objects of JSON, however their file is laid out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self, SupportsIndex

import pytest

from refusal_parity.errors import InputError
from refusal_parity.inference.json_rows import objects_of
from refusal_parity.textfiles import Doubled

FILE = Path("r.json")
TWO = [{"a": 1, "b": ["x\n", {"c": None}]}, {"a": 2}]
FIRST, SECOND = (json.dumps(each, indent=2) for each in TWO)


class Watched(str):
    """A text that counts the characters that are copied out of it."""

    __slots__ = ("copied",)

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.copied = 0
        return made

    def __getitem__(self, place: SupportsIndex | slice) -> str:
        found = super().__getitem__(place)
        self.copied += len(found)
        return found


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (json.dumps(TWO), ("row 1", "row 2")),
        (json.dumps(TWO, indent=4), ("row 1", "row 2")),
        (f"\n{json.dumps(TWO[0])}\n\n{json.dumps(TWO[1])}\n", ("line 2", "line 4")),
        # The first is written over nine lines.
        (f"{FIRST}\n{SECOND}\n", ("line 1", "line 10")),
        (f"{FIRST}\r\n\u2003\n {SECOND}", ("line 1", "line 11")),
        (f"{FIRST}{SECOND}\n\n", ("line 1", "line 9")),
    ],
)
def test_objects_and_where_they_begin(text: str, places: tuple[str, str]) -> None:
    assert objects_of(FILE, text) == list(zip(places, TWO, strict=True))


@pytest.mark.parametrize("indent", [1, 8])
def test_of_many_objects_no_rest_is_copied(indent: int) -> None:
    """Each character is looked at a few times, however many objects stand before it."""
    rows: list[dict[str, Any]] = [{"n": at, "t": "word " * 20} for at in range(300)]
    text = Watched("\n".join(json.dumps(row, indent=indent) for row in rows))
    assert [row for _, row in objects_of(FILE, text)] == rows
    assert text.copied <= 2 * len(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"{FIRST}\n{SECOND[:-1]}", "r.json, line 10"),
        (f"{FIRST}\n\n7\n", "r.json, line 11"),
        (f"{json.dumps(TWO[0])}\n[]\n", "r.json, line 2"),
    ],
)
def test_what_is_no_object_is_named(text: str, where: str) -> None:
    with pytest.raises(InputError) as raised:
        objects_of(FILE, text)
    assert raised.value.where == where


def test_keys_that_stand_twice_are_known(tmp_path: Path) -> None:
    found = objects_of(tmp_path, '{"a": 1, "b": {"c": 1, "d": 2, "c": 3}, "a": 2, "a": 4}')[0][1]
    assert isinstance(found, Doubled)
    assert isinstance(found["b"], Doubled)
    assert (found["a"], found.keys_twice, found["b"].keys_twice) == (4, {"a"}, {"c"})
