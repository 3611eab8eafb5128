"""Remove what no study has used of the stores for long: `make forget-responses`."""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from refusal_parity.chunks import BrokenChunkError, chunks_in, read_chunk
from refusal_parity.counting import counted
from refusal_parity.inference.store.claims import Claims
from refusal_parity.inference.store.responses import STORE, settings_in
from refusal_parity.layout import LABEL_STORE, OPENING_STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Unused:
    """Responses of one model under one setting, its probabilities, or a classifier's labels.

    Attributes:
        folder: where they lie.
        rows: how many.
        days: days since a study last made a table of any of them, or one was made.
        what: how many of what they are, in a few words.
    """

    folder: Path
    rows: int
    days: float
    what: str


def unused(results: Path, days: float) -> Iterator[Unused]:
    """What was neither made nor used for so many days: responses, labels, probabilities of tokens.

    Args:
        results: the folder of results.
        days: how long.
    """
    drawn = sorted(path.parent for path in (results / STORE).glob("*/settings.json"))
    labelled, told = (
        sorted({path.parent for path in (results / store).glob("*/chunk-*")})
        for store in (LABEL_STORE, OPENING_STORE)
    )
    for folder in [*drawn, *labelled, *told]:
        chunks = chunks_in(folder)
        last = max(path.stat().st_mtime for path in [folder, *chunks, *folder.glob("uses/*")])
        idle = (time.time() - last) / _DAY_S
        if idle >= days and not Claims(folder / "claims", "").others():
            rows = sum(map(_rows, chunks))
            yield Unused(folder, rows, idle, _words(folder, rows))


def _rows(chunk: Path) -> int:
    try:
        return read_chunk(chunk)[0].height
    except BrokenChunkError:
        return 0


def _words(folder: Path, rows: int) -> str:
    if folder.parent.name == LABEL_STORE:
        return f"{counted(rows, 'label')} of classifier {folder.name}"
    settings = settings_in(folder)
    weights = settings.get("weights") or {}
    model = settings.get("model") or weights.get("hub") or weights.get("weights_sha256") or "?"
    engine, sampling = (settings.get(key, "?") for key in ("engine", "sampling"))
    what = "next token" if folder.parent.name == OPENING_STORE else "response"
    return f"{counted(rows, what)} of {engine} {model}, sampling {sampling}"


def forget(results: Path, days: float, *, remove: bool, say: Callable[[str], None]) -> int:
    """Name what was not used for so many days, and remove it.

    Args:
        results: the folder of results.
        days: how long.
        remove: whether they go, or are only named.
        say: called with a line for each folder, and with the sum.

    Returns:
        Rows that were named.
    """
    found = list(unused(results, days))
    for one in found:
        say(f"{one.folder}: {one.what}; not used for {one.days:.0f} days")
        if remove:
            shutil.rmtree(one.folder)
    total = sum(one.rows for one in found)
    done = "removed" if remove else "would be removed (add --remove)"
    say(f"{counted(total, 'row')} {done}")
    return total


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of results")
    parser.add_argument("--days", type=float, default=365, help="days without any use")
    parser.add_argument("--remove", action="store_true", help="remove, not only name")
    given = parser.parse_args()
    forget(given.results, given.days, remove=given.remove, say=print)


if __name__ == "__main__":
    main()
