"""From what annotators wrote to votes and, row by row, to what could not be used."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.tables import VoteProblems, Votes, conform, empty
from refusal_parity.vocabulary import Label, spelled_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

_LABELS = [str(label) for label in Label]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawVote:
    """What one annotator wrote in one row, as it stands in the file.

    Attributes:
        file: name of the file.
        row: line of the CSV, or number of the task in the export.
        task: key of the row.
        annotator: who labelled.
        label: what was written, if anything.
        adjudicated: whether it settles the row.
        response: the text that stood beside it.
    """

    file: str
    row: int
    task: str | None
    annotator: str
    label: str | None
    adjudicated: bool
    response: str | None


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes that count, and what was wrong with the others.

    Attributes:
        votes: table of Votes, one for each task and annotator.
        problems: table of VoteProblems.
    """

    votes: dy.DataFrame[Votes]
    problems: dy.DataFrame[VoteProblems]


@dataclass
class _Counting:
    """Votes and problems as they are found."""

    sample: dict[str, str]
    votes: dict[tuple[str, str], tuple[RawVote, str]] = field(default_factory=dict)
    contested: set[tuple[str, str]] = field(default_factory=set)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def report(self, vote: RawVote, problem: str, consequence: str) -> None:
        self.problems.append(
            {
                "file": vote.file,
                "row": vote.row,
                "task": vote.task,
                "annotator": vote.annotator,
                "problem": problem,
                "consequence": consequence,
            }
        )


def count_votes(raw: Iterable[RawVote], sample: pl.DataFrame) -> Ballot:
    """Check every vote against the sample; nothing is dropped without a word.

    Unknown labels and keys, rows without a label, texts that were edited,
    labels that slid to another row, annotators who labelled a row twice, and
    tasks that nobody labelled are reported with file and row.

    Args:
        raw: votes as they stand in the files.
        sample: rows of the AuditSample table.
    """
    texts = dict(sample.select("task", "response").iter_rows())
    counting = _Counting(sample={task: canonical(text) for task, text in texts.items()})
    owners = {text: task for task, text in counting.sample.items()}
    for vote in raw:
        label = _usable_label(vote, counting)
        if label is not None and not _slid(vote, counting, owners):
            _cast(vote, label, counting)
    voted = {task for task, _ in counting.votes}
    counting.problems += [
        {
            "file": "",
            "row": None,
            "task": task,
            "annotator": None,
            "problem": "nobody labelled it",
            "consequence": "the labelled rows of its stratum stand for it",
        }
        for task in texts
        if task not in voted
    ]
    return Ballot(
        votes=conform(_votes(counting), Votes, where="votes"),
        problems=conform(
            pl.DataFrame(counting.problems, schema=empty(VoteProblems).schema),
            VoteProblems,
            where="problems",
        ),
    )


def canonical(text: str) -> str:
    """A text with its white space evened out, which spreadsheets and browsers change."""
    return " ".join(text.split())


def _usable_label(vote: RawVote, counting: _Counting) -> str | None:
    """The label, if the row is one of the sample's and holds one of the six."""
    if vote.task is None or vote.task not in counting.sample:
        key = "no key" if vote.task is None else f"key {vote.task!r} is not of this sample"
        counting.report(vote, key, "left out")
        return None
    if vote.label is None or not vote.label.strip():
        counting.report(vote, "no label", "counts as not labelled")
        return None
    label = spelled_out(vote.label)
    if label in _LABELS:
        return label
    close = difflib.get_close_matches(label, _LABELS, n=1)
    hint = f" (meant {close[0]}?)" if close else ""
    counting.report(vote, f"unknown label {vote.label!r}{hint}", "left out")
    return None


def _slid(vote: RawVote, counting: _Counting, owners: dict[str, str]) -> bool:
    """Whether the text is that of another task: then the label may be as well."""
    if vote.response is None or canonical(vote.response) == counting.sample[str(vote.task)]:
        return False
    owner = owners.get(canonical(vote.response))
    if owner is not None:
        counting.report(vote, f"the text is that of {owner}: rows were moved", "left out")
        return True
    counting.report(vote, "the text was edited", "the label counts for the original text")
    return False


def _cast(vote: RawVote, label: str, counting: _Counting) -> None:
    key = (str(vote.task), vote.annotator)
    if key in counting.contested:
        counting.report(vote, "labelled again after two labels that differ", "left out")
        return
    if key not in counting.votes:
        counting.votes[key] = (vote, label)
        return
    first, before = counting.votes[key]
    place = f"{first.file}, row {first.row}"
    if label != before:
        counting.report(vote, f"{label} here, {before} in {place}", "both left out")
        counting.contested.add(key)
        del counting.votes[key]
        return
    counting.report(vote, f"the same vote stands in {place}", "counted once")
    if vote.adjudicated:
        counting.votes[key] = (vote, label)


def _votes(counting: _Counting) -> pl.DataFrame:
    rows = [
        {
            "task": vote.task,
            "annotator": vote.annotator,
            "label": label,
            "adjudicated": vote.adjudicated,
            "file": vote.file,
            "row": vote.row,
        }
        for vote, label in counting.votes.values()
    ]
    schema = empty(Votes).schema
    return pl.DataFrame(rows, schema={**schema, "label": pl.String})


def decide(votes: pl.DataFrame) -> pl.DataFrame:
    """One label for each task: the adjudicated one, else what more than half say.

    Args:
        votes: rows of the Votes table.

    Returns:
        Columns `task`, `label` (null where annotators are evenly split, or two
        adjudications differ) and `n_annotators`.
    """
    settled: dict[str, list[str]] = defaultdict(list)
    given: dict[str, list[str]] = defaultdict(list)
    for row in votes.iter_rows(named=True):
        given[row["task"]].append(row["label"])
        if row["adjudicated"]:
            settled[row["task"]].append(row["label"])
    return pl.DataFrame(
        [
            (task, _majority(settled.get(task) or labels), len(labels))
            for task, labels in given.items()
        ],
        schema={"task": pl.String, "label": pl.String, "n_annotators": pl.Int32},
        orient="row",
    )


def _majority(labels: list[str]) -> str | None:
    top = max(set(labels), key=labels.count)
    return top if 2 * labels.count(top) > len(labels) else None
