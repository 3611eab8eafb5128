"""Who accounts of Label Studio are, where files are of one installation or of two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.audit.human_labels import read_votes
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"
ANA, BEN = {"id": 1, "email": "ana@x.org"}, {"id": 1, "email": "ben@y.org"}
CALLED_ANA = {"id": 1, "first_name": "Ana", "last_name": "Lee"}
CALLED_BEN = {"id": 1, "first_name": "Ben", "last_name": "Ray"}

Said = tuple[int, str, Any, str]
"""Number of an annotation, its task, who labelled, and when it was made."""


def write(path: Path, said: list[Said]) -> Path:
    chosen = [{"from_name": "label", "value": {"choices": ["answer"]}}]
    tasks = [
        {
            "data": {"task": task},
            "annotations": [{"id": key, "completed_by": who, "created_at": when, "result": chosen}],
        }
        for key, task, who, when in said
    ]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def people_of(folder: Path, sample: pl.DataFrame, files: list[list[Said]]) -> list[tuple[str, str]]:
    paths = [write(folder / f"{name}.json", said) for name, said in zip("abc", files, strict=False)]
    return sorted(read_votes(paths, sample).votes.select("task", "annotator").rows())


TOLD_APART: dict[str, tuple[list[list[Said]], list[tuple[str, str]]]] = {
    "two addresses": (
        [[(1, "t1", ANA, EARLY)], [(1, "t1", BEN, LATE)]],
        [("t1", "ana@x.org"), ("t1", "ben@y.org")],
    ),
    "each file has its own address for the number": (
        [
            [(1, "t1", ANA, EARLY), (2, "t2", 1, EARLY)],
            [(1, "t1", BEN, LATE), (3, "t3", 1, LATE)],
        ],
        [("t1", "ana@x.org"), ("t1", "ben@y.org"), ("t2", "ana@x.org"), ("t3", "ben@y.org")],
    ),
    "two names and no address": (
        [[(1, "t1", CALLED_ANA, EARLY)], [(2, "t1", CALLED_BEN, EARLY)]],
        [("t1", "user-1 (Ana Lee)"), ("t1", "user-1 (Ben Ray)")],
    ),
    "a name that is not that of the address": (
        [[(1, "t1", CALLED_ANA | ANA, EARLY)], [(2, "t1", CALLED_BEN, EARLY)]],
        [("t1", "ana@x.org"), ("t1", "user-1 (Ben Ray)")],
    ),
    "the name of the address": (
        [[(1, "t1", CALLED_ANA | ANA, EARLY)], [(2, "t2", CALLED_ANA, EARLY)]],
        [("t1", "ana@x.org"), ("t2", "ana@x.org")],
    ),
    "one installation": (
        [[(1, "t1", 1, EARLY)], [(1, "t1", 1, EARLY), (2, "t2", 1, LATE)]],
        [("t1", "user-1"), ("t2", "user-1")],
    ),
    "an address of another export": (
        [[(1, "t1", ANA, EARLY)], [(1, "t1", 1, EARLY), (2, "t2", 1, LATE)]],
        [("t1", "ana@x.org"), ("t2", "ana@x.org")],
    ),
    "two installations with other numbers": (
        [[(1, "t1", 1, EARLY)], [(1, "t1", 2, LATE)]],
        [("t1", "user-1"), ("t1", "user-2")],
    ),
    "nobody in two installations": (
        [[(1, "t1", None, EARLY)], [(1, "t1", None, LATE)]],
        [("t1", "(unnamed 1)"), ("t1", "(unnamed 2)")],
    ),
    "nobody in two exports of one": (
        [[(1, "t1", None, EARLY)], [(1, "t1", None, EARLY)]],
        [("t1", "(unnamed 1)")],
    ),
}


@pytest.mark.parametrize("key", TOLD_APART)
def test_each_person_has_one_name(tmp_path: Path, sample: pl.DataFrame, key: str) -> None:
    files, people = TOLD_APART[key]
    assert people_of(tmp_path, sample, files) == people


REFUSED: dict[str, tuple[list[list[Said]], str]] = {
    "annotations of two tasks": (
        [[(1, "t1", 1, EARLY)], [(1, "t2", 1, EARLY)]],
        (
            r"a.json, row 1: user-1 stands here and in b.json, and these are exports of two "
            r"installations \(annotation 1 is of the tasks t1 and t2\)"
        ),
    ),
    "annotations of two times": (
        [[(1, "t1", 1, EARLY)], [(1, "t1", 1, LATE)]],
        r"installations \(annotation 1 was made at two times\).*e-mail addresses",
    ),
    "an address in one of two installations": (
        [[(1, "t1", ANA, EARLY)], [(1, "t1", 1, LATE)]],
        r"b.json, row 1: user-1 stands here and in a.json",
    ),
    "which of two addresses": (
        [[(1, "t1", ANA, EARLY)], [(2, "t1", BEN, EARLY)], [(3, "t2", 1, EARLY)]],
        r"c.json, row 1: user-1 is ana@x.org and ben@y.org elsewhere, and nothing here says which",
    ),
    "which of two names": (
        [[(1, "t1", CALLED_ANA, EARLY)], [(2, "t1", CALLED_BEN, EARLY)], [(3, "t2", 1, EARLY)]],
        r"c.json, row 1: user-1 is Ana Lee and Ben Ray elsewhere",
    ),
    "an address or a name": (
        [
            [(1, "t1", CALLED_ANA | ANA, EARLY)],
            [(2, "t1", CALLED_BEN, EARLY)],
            [(3, "t2", 1, EARLY)],
        ],
        r"c.json, row 1: user-1 is Ben Ray and ana@x.org elsewhere",
    ),
}


@pytest.mark.parametrize("key", REFUSED)
def test_numbers_of_which_nothing_says_whose_they_are(
    tmp_path: Path, sample: pl.DataFrame, key: str
) -> None:
    files, said = REFUSED[key]
    with pytest.raises(InputError, match=said):
        people_of(tmp_path, sample, files)
