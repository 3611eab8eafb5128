"""The human labels of a study, from the annotators' files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl

from refusal_parity.audit.copied import copies
from refusal_parity.audit.deciding import decide
from refusal_parity.audit.label_studio import read_export
from refusal_parity.audit.sheets import read_sheet
from refusal_parity.audit.votes import is_named
from refusal_parity.audit.voting import count_votes
from refusal_parity.cells import word_of
from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.tables import HumanLabels, conform
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import dataframely as dy

    from refusal_parity.audit.votes import RawVote
    from refusal_parity.audit.voting import Ballot

Said = TypeVar("Said", bound=HumanLabels)

_EACH_SAID: Final = 5
"""Rows with one and the same problem up to which each is said."""


def read_votes(paths: Sequence[Path], sample: pl.DataFrame) -> Ballot:
    """Read annotators' files, one after the other.

    Args:
        paths: JSON exports of Label Studio (`.json`) or CSVs.
        sample: rows of the AuditSample table that they were to label.

    Raises:
        InputError: a file cannot be read, or no vote in any of them counts.
    """
    ballot = count_votes(_raw(paths), sample)
    if ballot.votes.is_empty():
        problems = ballot.problems.filter(pl.col("row").is_not_null())
        [(file, row, problem)] = problems.select("file", "row", "problem").rows()[:1] or [("",) * 3]
        first = f", the first, {_line(file, row)} of {file}: {problem}" if len(problems) else ""
        raise InputError(
            f"not one usable label in {counted(len(problems), 'row')}{first}",
            where=", ".join(map(str, paths)),
            remedy="Fill in the files that draw_human_sample wrote for this very sample; a label "
            f"is one of {', '.join(Label)}.",
        )
    return ballot


def _raw(paths: Sequence[Path]) -> Iterator[RawVote]:
    for path, name in zip(paths, distinct_names(paths), strict=True):
        read = read_export if path.suffix.lower() == ".json" else read_sheet
        yield from read(path, name)


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The files' names, with as much of their folders as tells them apart."""
    names = [path.name for path in paths]
    for depth in range(2, max((len(path.parts) for path in paths), default=0) + 1):
        doubled = {name for name in names if names.count(name) > 1}
        names = [
            "/".join(path.parts[-depth:]) if name in doubled else name
            for path, name in zip(paths, names, strict=True)
        ]
    return names


def human_labels(
    votes: pl.DataFrame,
    sample: pl.DataFrame,
    schema: type[Said] = HumanLabels,  # type: ignore[assignment] # the usual one
) -> dy.DataFrame[Said]:
    """What people say of each response that anyone labelled.

    Where part of a stratum's drawn rows has no label, those that have one stand
    for all: its inclusion probabilities shrink by that share. This takes the
    unlabelled rows for as good as random within the stratum, which holds when
    the sheet was left off half-way, since its order is random. Rows on which people are
    evenly split are no such rows: they have their votes, and keep their place.

    Args:
        votes: rows of the Votes table.
        sample: rows of the AuditSample table.
        schema: what the labels are a table of.
    """
    decided = sample.join(decide(votes), on="task", how="left", maintain_order="left")
    is_labelled = pl.col("n_annotators").is_not_null()
    labelled = is_labelled.mean().over("stratum")
    return conform(
        decided.with_columns(
            inclusion_probability=pl.col("inclusion_probability") * labelled
        ).filter(is_labelled),
        schema,
        where="human labels",
    )


def report_problems(ballot: Ballot, sample: pl.DataFrame, *, say: Callable[[str], None]) -> None:
    """Say what was read, what could not be used and where, and what is left unlabelled.

    Args:
        ballot: what was read.
        sample: rows of the AuditSample table.
        say: called with each line.
    """
    votes = ballot.votes
    named = votes.filter(is_named(pl.col("annotator")))
    rest = len(votes) - len(named)
    say(
        f"{votes['task'].n_unique():,} of {counted(len(sample), 'response')} labelled, "
        f"by {counted(named['annotator'].n_unique(), 'annotator')}"
        + (f" and, {counted(rest, 'time')}, by somebody without a name" if rest else "")
    )
    in_files = ballot.problems.filter(pl.col("row").is_not_null())
    same = in_files.group_by("file", "problem", "consequence", maintain_order=True)
    for (file, problem, consequence), found in same:
        rows = found["row"].to_list()
        # A sheet that was left off half-way has the same to say of hundreds of rows.
        places = [str(row) for row in rows]
        if len(rows) > _EACH_SAID:
            places = [f"{rows[0]} and {len(rows) - 1:,} more, to {_line(file, rows[-1])}"]
        for place in places:
            say(f"{file}, {_line(file, place)}: {problem}; {consequence}")
    for sentence in copies(named):
        say(sentence)
    probability = sample.drop_nulls("inclusion_probability")
    labelled = probability.join(votes, on="task", how="semi")
    bare = sorted(set(probability["stratum"]) - set(labelled["stratum"]))
    if bare:
        say(
            f"{len(bare):,} {agreed(len(bare), 'stratum', 'strata')} of the probability sample "
            f"{agreed(len(bare), 'has', 'have')} no label yet, the first being {bare[0]!r}: "
            f"corrected rates do not cover {agreed(len(bare), 'it', 'them')}"
        )


def _line(file: str, number: int | str) -> str:
    return f"{word_of(file)} {number}"
