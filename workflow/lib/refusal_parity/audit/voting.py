"""From what annotators wrote to votes and, row by row, to what could not be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.audit.accounts import told_apart
from refusal_parity.audit.keys import Keys
from refusal_parity.audit.rubric import CUT_OFF_HERE
from refusal_parity.audit.sheets import CUT
from refusal_parity.audit.sliding import Line, slid_blocks
from refusal_parity.audit.votes import unnamed
from refusal_parity.counting import counted
from refusal_parity.errors import InputError
from refusal_parity.spelling import is_blank, reading
from refusal_parity.spreadsheets import as_shown
from refusal_parity.tables import VoteProblems, Votes, conform, empty
from refusal_parity.vocabulary import UNDECIDED, Label, spelled_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import dataframely as dy

    from refusal_parity.audit.votes import RawVote


_LABELS = [str(label) for label in Label]
_VOTES = [*_LABELS, UNDECIDED]
_SHOWN = 10


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

    keys: Keys
    sample: dict[str, str]
    owners: dict[str, str] = field(init=False)
    votes: dict[tuple[str, str], tuple[RawVote, str]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    unnamed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contested: set[tuple[str, str]] = field(default_factory=set)
    problems: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[RawVote] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owners = {text: task for task, text in self.sample.items()}

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

    def keyed(self, vote: RawVote) -> RawVote:
        """The vote under the sample's key, where its own is one or was one."""
        texts = _texts(vote)
        known = self.keys.known(
            vote.task,
            lambda task: self.sample[task] in texts,
            is_of_some=not texts.isdisjoint(self.owners),
        )
        if known.problem is not None:
            done = "left out" if known.task is None else "counts for that row"
            self.report(vote, known.problem, done)
        return replace(vote, task=known.task)

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

    Unknown keys, rows without a label or with two, texts that were
    edited, labels that slid to another row, annotators who labelled a row twice
    or are not named, and tasks that nobody labelled are reported with file and row.

    Args:
        raw: votes as they stand in the files.
        sample: rows of the AuditSample table.

    Raises:
        InputError: a label is none of the seven, nor `undecided`, or it cannot be told who
            an account of Label Studio is.
    """
    texts = dict(sample.select("task", "response").iter_rows())
    given = told_apart(raw)
    counting = _Counting(
        keys=Keys(texts),
        sample={task: _as_read(text) for task, text in texts.items()},
    )
    keyed = [vote for each in given if (vote := counting.keyed(each)).task is not None]
    slid = _in_slid_blocks(keyed, dict(sample.select("task", "predicted").iter_rows()), counting)
    for vote in keyed:
        label = _usable_label(vote, counting)
        if label is None or (vote.file, vote.row) in slid:
            continue
        if not _slid(vote, counting):
            _cast(vote, label, counting)
    _refuse_unknown(counting.unknown)
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
    """The label of a row of the sample, if it is one of the seven or `undecided`."""
    if vote.fault is not None:
        counting.report(vote, vote.fault, "left out")
        return None
    if vote.label is None or is_blank(vote.label):
        counting.report(vote, "no label", "counts as not labelled")
        return None
    label = spelled_out(vote.label)
    if label in _VOTES:
        return label
    counting.unknown.append(vote)
    return None


def _refuse_unknown(votes: Sequence[RawVote]) -> None:
    """Raise where labels are none of the seven: left out, others would stand for their rows."""
    if votes:
        words = Counter(str(vote.label) for vote in votes).most_common(_SHOWN)
        raise InputError(
            "labels that are none of the seven: "
            + ", ".join(f"{word!r} in {counted(rows, 'row')}" for word, rows in words),
            where=votes[0].place,
            remedy=f"Write one of {', '.join(_LABELS)}, {UNDECIDED} where the response does not "
            "show which, or nothing where nobody labelled the row.",
        )


def _in_slid_blocks(
    votes: Sequence[RawVote], predicted: dict[str, str], counting: _Counting
) -> set[tuple[str, int]]:
    """File and row of the votes in blocks of sheets whose column of labels slid."""
    found = set()
    for file in dict.fromkeys(vote.file for vote in votes if vote.annotation is None):
        rows = [vote for vote in votes if vote.file == file]
        lines = [
            Line(vote.row, predicted.get(str(vote.task)), vote.label and spelled_out(vote.label))
            for vote in rows
        ]
        for block in slid_blocks(lines):
            first, *others = [vote for vote in rows if block.first <= vote.row <= block.last]
            side = "below" if block.shift > 0 else "above"
            where = f"{abs(block.shift)} {side}" if abs(block.shift) > 1 else side
            counting.report(
                first,
                f"from here to {first.word} {block.last} the labels are those of the row {where} "
                f"({block.fits_there:.0%} are the classifier's label there, {block.fits_here:.0%} "
                "that of their own row): the column slid",
                "all of these rows are left out",
            )
            found |= {(vote.file, vote.row) for vote in (first, *others)}
    return found


def _as_read(text: str) -> str:
    return reading(as_shown(text))


def _texts(vote: RawVote) -> set[str]:
    """Readings of the text beside a vote: with and without a spreadsheet's apostrophes."""
    return {_as_read(text) for text in (vote.response, vote.unguarded) if text is not None}


def _is_of(text: str, whole: str) -> bool:
    """Whether a text is another, or what a sheet of before or a workbook's cell holds of it."""
    cut = reading(CUT)
    return text in {whole, whole.removesuffix(reading(CUT_OFF_HERE)).strip()} or (
        text.endswith(cut) and whole.startswith(text.removesuffix(cut).strip())
    )


def _slid(vote: RawVote, counting: _Counting) -> bool:
    """Whether the text is that of another task: then the label may be as well."""
    texts = _texts(vote)
    if not texts or any(_is_of(text, counting.sample[str(vote.task)]) for text in texts):
        return False
    owner = next((counting.owners[text] for text in texts if text in counting.owners), None)
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
        counting.report(vote, f"the same vote stands in {first.place}", "counted once")
        if vote.adjudicated:
            counting.votes[key] = (vote, label)
    elif vote.adjudicated != first.adjudicated:
        deciding, plain = ((vote, label), first) if vote.adjudicated else ((first, before), vote)
        problem = f"a line that decides says {deciding[1]}, in {deciding[0].place}"
        counting.report(plain, problem, "that line counts")
        counting.votes[key] = deciding
    elif first.given is None or vote.given is None:
        problem = f"{label} here, {before} in {first.place}"
        counting.report(vote, problem, "both left out")
        counting.contested.add(key)
        del counting.votes[key]
    elif first.given <= vote.given:
        _correct((first, before), (vote, label), counting)
        counting.votes[key] = (vote, label)
    else:
        _correct((vote, label), (first, before), counting)


def _correct(older: tuple[RawVote, str], newer: tuple[RawVote, str], counting: _Counting) -> None:
    problem = f"{older[1]} at first, {newer[1]} later in {newer[0].place}"
    counting.report(older[0], problem, "the later label counts")


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
