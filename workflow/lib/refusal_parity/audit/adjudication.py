"""The sheet for a third person: the responses on which people differ."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.audit.deciding import decide
from refusal_parity.audit.sheets import is_filled_in, write_sheets
from refusal_parity.counting import agreed, counted
from refusal_parity.vocabulary import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_STEM: Final = "adjudicate"


def write_adjudication(
    rows: pl.DataFrame,
    folder: Path,
    *,
    labelled: Sequence[Path],
    say: Callable[[str], None],
    key: str = "labelling.human.labels",
) -> None:
    """Write the open responses into a sheet of their own, whose lines decide them.

    A sheet that holds labels already is somebody's work: it stays, and the next one
    has a number. One that nobody filled in is written anew, or goes where nothing is open.

    Args:
        rows: as from `open_rows`.
        folder: where the sheets lie.
        labelled: the files that the votes are from.
        say: told how many responses are open, and where they lie.
        key: of the config, under which the sheet is to be named.
    """
    path = _free_path(folder, {each.resolve() for each in labelled})
    if rows.is_empty():
        for ending in ("csv", "xlsx"):
            path.with_name(f"{path.name}.{ending}").unlink(missing_ok=True)
        say("people agree on every response that two of them labelled, or somebody settled it")
        return
    write_sheets(rows.with_columns(adjudicated=pl.lit("x")), path)
    say(
        f"{counted(len(rows), 'response')} {agreed(len(rows), 'is', 'are')} open, since people "
        f"differ or are undecided: {path}.xlsx (and .csv) holds "
        f"{agreed(len(rows), 'it', 'them')} for a third person; fill in label and name the file "
        f"in {key}"
    )


def open_rows(votes: pl.DataFrame, sample: pl.DataFrame, *, show_votes: bool) -> pl.DataFrame:
    """Responses without a label although people labelled them, in the order of the sample.

    Args:
        votes: rows of the Votes table.
        sample: rows of the AuditSample table.
        show_votes: whether to show what each person said.

    Returns:
        Columns task, prompt and response, and with `show_votes` votes.
    """
    said = (
        votes.sort("task", "annotator")
        .group_by("task", maintain_order=True)
        .agg(votes=pl.format("{}: {}", "annotator", pl.col("label").cast(pl.String)).str.join("; "))
    )
    unsettled = decide(votes).filter(pl.col("label").is_null()).join(said, on="task")
    # Somebody who was to decide a row may find that it cannot be.
    settled = votes.filter("adjudicated", pl.col("label").cast(pl.String) == UNDECIDED)
    left = unsettled.join(settled, on="task", how="anti")
    found = sample.join(left.select("task", "votes"), on="task", maintain_order="left")
    return found.select("task", "prompt", "response", *(["votes"] if show_votes else []))


def _free_path(folder: Path, labelled: set[Path]) -> Path:
    for number in count(1):
        path = folder / (_STEM if number == 1 else f"{_STEM}-{number}")
        there = [path.with_name(f"{path.name}.{ending}") for ending in ("csv", "xlsx")]
        if not any(
            one.resolve() in labelled or (one.exists() and is_filled_in(one)) for one in there
        ):
            return path
    raise AssertionError
