"""Who accounts of Label Studio are: one number may be of two people, of two installations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from refusal_parity.counting import enumerated
from refusal_parity.errors import InputError
from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from refusal_parity.audit.votes import RawVote

_REMEDY: Final = (
    "Export with the users' e-mail addresses (completed_by as an object with `email`), or write "
    "into completed_by of one file who it is, such as the address or a name of your own."
)


@dataclass
class _Account:
    """What all files say of one number.

    Attributes:
        addresses: of its people, as written, by their reading.
        files: in which each address stands.
        called: names that stand beside each address.
        bare: files in which the number stands without an address, with the names beside it.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    files: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    called: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    bare: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def strangers(self) -> list[str]:
        """Names without an address that are none of those beside addresses, if all have some."""
        if not all(self.called[who] for who in self.addresses):
            return []
        known = set[str]().union(*self.called.values())
        names = {key: name for found in self.bare.values() for key, name in found.items()}
        return [name for key, name in names.items() if key not in known]


@dataclass(frozen=True)
class _Clash:
    """Two files with one annotation that cannot be the same.

    Attributes:
        other: the other file.
        why: what tells them apart, as a clause.
    """

    other: str
    why: str


def told_apart(votes: Iterable[RawVote]) -> list[RawVote]:
    """Votes with each person under one name, whatever numbers installations gave them.

    A number stands for the address that stands beside it, in its own file or else in another.
    Annotations have numbers too, that an installation gives once: where two files have one
    number for annotations of different tasks, or of different times, they are of two
    installations, and a number in both is not one person.

    Args:
        votes: as they stand in the files.

    Raises:
        InputError: it cannot be told whose votes those of a number are.
    """
    given = list(votes)
    clashes = _clashes(given)
    accounts = _accounts(given)
    named = [
        vote
        if vote.annotator is None or vote.account is not None
        else replace(vote, annotator=_person(vote, accounts, clashes))
        for vote in given
    ]
    # Of two installations, one number is not one annotation either.
    return [
        replace(vote, annotation=f"{vote.file} {vote.annotation}")
        if vote.annotation is not None and vote.file in clashes
        else vote
        for vote in named
    ]


def _accounts(votes: Iterable[RawVote]) -> dict[str, _Account]:
    found: dict[str, _Account] = defaultdict(_Account)
    for vote in votes:
        if vote.annotator is None:
            continue
        who = reading(vote.annotator)
        if vote.account is None:
            called = found[who].bare[vote.file]
            if vote.called is not None:
                called.setdefault(reading(vote.called), vote.called)
            continue
        account = found[reading(vote.account)]
        account.addresses.setdefault(who, vote.annotator)
        account.files[who].add(vote.file)
        if vote.called is not None:
            account.called[who].add(reading(vote.called))
    return found


def _person(vote: RawVote, accounts: dict[str, _Account], clashes: dict[str, list[_Clash]]) -> str:
    """Who stands behind a number without an address."""
    number = str(vote.annotator)
    account = accounts[reading(number)]
    called = None if vote.called is None else reading(vote.called)
    here = [who for who in account.addresses if vote.file in account.files[who]]
    owners = here or list(account.addresses)
    if called is not None:
        same = [who for who in owners if called in account.called[who]]
        owners = same or [who for who in owners if not account.called[who]]
    known = [account.addresses[who] for who in owners]
    if called is None and not here:
        known += account.strangers()
    if len(known) > 1 and owners:
        raise _unclear(vote, known)
    others = account.files[owners[0]] if owners else set(account.bare) - {vote.file}
    if not here:
        for clash in clashes.get(vote.file, ()):
            if clash.other in others:
                raise InputError(
                    f"{number} stands here and in {clash.other}, and these are exports of two "
                    f"installations ({clash.why}), where one number may be of two people",
                    where=vote.place,
                    remedy=_REMEDY,
                )
    return account.addresses[owners[0]] if owners else _by_name(vote, account)


def _by_name(vote: RawVote, account: _Account) -> str:
    """A number, with a name behind it where files have several for it."""
    number = str(vote.annotator)
    names = {key: name for found in account.bare.values() for key, name in found.items()}
    names |= {key: key for found in account.called.values() for key in found}
    if len(names) < 2:  # noqa: PLR2004 - one name is one person
        return number
    here = list(account.bare[vote.file].values())
    called = vote.called or (here[0] if len(here) == 1 else None)
    if called is None:
        raise _unclear(vote, names.values())
    return f"{number} ({names[reading(called)]})"


def _unclear(vote: RawVote, people: Iterable[str]) -> InputError:
    return InputError(
        f"{vote.annotator} is {enumerated(sorted(people))} elsewhere, and nothing here says which "
        "of them",
        where=vote.place,
        remedy=_REMEDY,
    )


def _clashes(votes: Iterable[RawVote]) -> dict[str, list[_Clash]]:
    """For each file those of other installations, by annotations of one number."""
    seen: dict[str, dict[str, RawVote]] = defaultdict(dict)
    found: dict[str, list[_Clash]] = defaultdict(list)
    for vote in votes:
        if vote.annotation is None:
            continue
        of_number = seen[vote.annotation]
        for other in _others(vote, of_number):
            why = _differs(vote, other)
            if why is not None:
                for one, two in ((vote, other), (other, vote)):
                    if all(each.other != two.file for each in found[one.file]):
                        found[one.file].append(_Clash(two.file, why))
        of_number.setdefault(vote.file, vote)
    return {file: clashes for file, clashes in found.items() if clashes}


def _others(vote: RawVote, of_number: dict[str, RawVote]) -> Iterator[RawVote]:
    return (other for file, other in of_number.items() if file != vote.file)


def _differs(one: RawVote, other: RawVote) -> str | None:
    """What shows that two annotations of one number are not the same, if anything does."""
    if one.task is not None and other.task is not None and one.task != other.task:
        tasks = enumerated(sorted({one.task, other.task}))
        return f"annotation {one.annotation} is of the tasks {tasks}"
    if one.created is not None and other.created is not None and one.created != other.created:
        return f"annotation {one.annotation} was made at two times"
    return None
