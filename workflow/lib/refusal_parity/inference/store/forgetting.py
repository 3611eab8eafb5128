"""Remove responses that no study has used for long: `make forget-responses`."""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.inference.store.chunk_files import chunks_in
from refusal_parity.inference.store.claims import Claims
from refusal_parity.inference.store.responses import STORE, settings_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Unused:
    """The responses of one model under one setting.

    Attributes:
        folder: where they lie.
        responses: how many.
        days: days since a study last made a table of any of them, or one was drawn.
        what: engine, model and what else tells them from others, in a few words.
    """

    folder: Path
    responses: int
    days: float
    what: str


def unused(store: Path, days: float) -> Iterator[Unused]:
    """Responses that were neither drawn nor used for so many days.

    Args:
        store: folder of the whole store.
        days: how long.
    """
    for folder in sorted(path for path in store.glob("*") if (path / "settings.json").exists()):
        chunks = chunks_in(folder)
        last = max(path.stat().st_mtime for path in [folder, *chunks, *folder.glob("uses/*")])
        idle = (time.time() - last) / _DAY_S
        if idle >= days and not Claims(folder / "claims", "").others():
            rows = sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in chunks)
            yield Unused(folder, rows, idle, _words(folder))


def _words(folder: Path) -> str:
    settings = settings_in(folder)
    weights = settings.get("weights") or {}
    model = settings.get("model") or weights.get("hub") or weights.get("weights_sha256") or "?"
    return f"{settings.get('engine', '?')} {model}, sampling {settings.get('sampling', '?')}"


def forget(store: Path, days: float, *, remove: bool, say: Callable[[str], None]) -> int:
    """Name responses that were not used for so many days, and remove them.

    Args:
        store: folder of the whole store.
        days: how long.
        remove: whether they go, or are only named.
        say: called with a line for each folder, and with the sum.

    Returns:
        Responses that were named.
    """
    found = list(unused(store, days))
    for one in found:
        say(
            f"{one.folder}: {one.responses:,} responses of {one.what}; not used for "
            f"{one.days:.0f} days"
        )
        if remove:
            shutil.rmtree(one.folder)
    total = sum(one.responses for one in found)
    done = "removed" if remove else "would be removed (add --remove)"
    say(f"{total:,} responses {done}")
    return total


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of results")
    parser.add_argument("--days", type=float, default=365, help="days without any use")
    parser.add_argument("--remove", action="store_true", help="remove, not only name")
    given = parser.parse_args()
    forget(given.results / STORE, given.days, remove=given.remove, say=print)


if __name__ == "__main__":
    main()
