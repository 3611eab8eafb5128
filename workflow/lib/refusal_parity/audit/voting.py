"""From what annotators wrote to votes and, row by row, to what could not be used."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.audit.votes import unnamed
from refusal_parity.spelling import is_blank, reading
from refusal_parity.tables import VoteProblems, Votes, conform, empty
from refusal_parity.vocabulary import Label, spelled_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

    from refusal_parity.audit.votes import RawVote


_LABELS = [str(label) for label in Label]


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
    people: dict[str, str] = field(default_factory=dict)
    unnamed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contested: set[tuple[str, str]] = field(default_factory=set)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def person(self, vote: RawVote) -> str:
        """Who gave a vote, each person under one name."""
        if vote.annotator is not None:
            return self.people.setdefault(reading(vote.annotator), vote.annotator)
        others = self.unnamed[str(vote.task)]
        key = vote.annotation or f"{vote.file}, row {vote.row}, {len(others)}"
        if key not in others:
            others.append(key)
            self.report(
                vote, "it does not say who labelled", "counts as a person of this row alone"
            )
        return unnamed(others.index(key) + 1)

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

    Unknown labels and keys, rows without a label or with two, texts that were
    edited, labels that slid to another row, annotators who labelled a row twice
    or are not named, and tasks that nobody labelled are reported with file and row.

    Args:
        raw: votes as they stand in the files.
        sample: rows of the AuditSample table.
    """
    texts = dict(sample.select("task", "response").iter_rows())
    counting = _Counting(sample={task: reading(text) for task, text in texts.items()})
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


def _usable_label(vote: RawVote, counting: _Counting) -> str | None:
    """The label, if the row is one of the sample's and holds one of the seven."""
    if vote.task is None or vote.task not in counting.sample:
        key = "no key" if vote.task is None else f"key {vote.task!r} is not of this sample"
        counting.report(vote, key, "left out")
        return None
    if vote.fault is not None:
        counting.report(vote, vote.fault, "left out")
        return None
    if vote.label is None or is_blank(vote.label):
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
    if vote.response is None or reading(vote.response) == counting.sample[str(vote.task)]:
        return False
    owner = owners.get(reading(vote.response))
    if owner is not None:
        counting.report(vote, f"the text is that of {owner}: rows were moved", "left out")
        return True
    counting.report(vote, "the text was edited", "the label counts for the original text")
    return False


def _cast(vote: RawVote, label: str, counting: _Counting) -> None:
    key = (str(vote.task), counting.person(vote))
    if key in counting.contested:
        counting.report(vote, "labelled again after two labels that differ", "left out")
        return
    if key not in counting.votes:
        counting.votes[key] = (vote, label)
        return
    first, before = counting.votes[key]
    if label == before:
        counting.report(vote, f"the same vote stands in {_place(first)}", "counted once")
        if vote.adjudicated:
            counting.votes[key] = (vote, label)
    elif first.given is None or vote.given is None:
        problem = f"{label} here, {before} in {_place(first)}"
        counting.report(vote, problem, "both left out")
        counting.contested.add(key)
        del counting.votes[key]
    elif first.given <= vote.given:
        _correct((first, before), (vote, label), counting)
        counting.votes[key] = (vote, label)
    else:
        _correct((vote, label), (first, before), counting)


def _correct(older: tuple[RawVote, str], newer: tuple[RawVote, str], counting: _Counting) -> None:
    problem = f"{older[1]} at first, {newer[1]} later in {_place(newer[0])}"
    counting.report(older[0], problem, "the later label counts")


def _place(vote: RawVote) -> str:
    return f"{vote.file}, row {vote.row}"


def _votes(counting: _Counting) -> pl.DataFrame:
    rows = [
        {
            "task": task,
            "annotator": annotator,
            "label": label,
            "adjudicated": vote.adjudicated,
            "file": vote.file,
            "row": vote.row,
        }
        for (task, annotator), (vote, label) in counting.votes.items()
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
