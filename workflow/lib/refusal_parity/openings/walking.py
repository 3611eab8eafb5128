"""The probability of every opening after every prompt: one pass through a level of the tree."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from refusal_parity.counting import agreed, counted
from refusal_parity.inference.stopping import Sigterm
from refusal_parity.openings.store import step_id
from refusal_parity.pace import speed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from refusal_parity.inference.requests import StepAnswer
    from refusal_parity.openings.store import StepStore

Tokens = tuple[int, ...]

NEGLIGIBLE: Final = 1e-12
"""A beginning less probable than this is followed no further; what it leads to has 0."""


LOOK_EVERY_S: Final = 2.0
"""Seconds between two looks for what another job is asking."""


class Telling(Protocol):
    """What says how probable tokens are, once some are not known."""

    def __call__(self, steps: Sequence[tuple[str, Tokens, Sequence[int]]]) -> Iterator[StepAnswer]:
        """Answer questions, each of what is sent, a beginning, and the tokens behind it."""
        ...


@dataclass(frozen=True, slots=True)
class Chance:
    """How probable an opening is.

    Attributes:
        before: after temperature, before top_p and top_k.
        drawn: as responses are drawn.
    """

    before: float
    drawn: float


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk through the trees gave.

    Attributes:
        chances: of each opening, by what was sent.
        asked: requests that the engine answered; each is about one beginning of one prompt.
        taken: beginnings that were known.
    """

    chances: dict[str, dict[Tokens, Chance]]
    asked: int
    taken: int


def walk(
    wanted: Mapping[str, frozenset[Tokens]],
    telling: Telling,
    store: StepStore,
    *,
    say: Callable[[str], None],
    chunk_s: float = 20.0,
) -> Walk:
    """Measure the openings of all prompts, level by level, and keep every answer as it comes.

    Args:
        wanted: leaves, by what is sent.
        telling: asks the engine.
        store: what is known, and where answers are kept.
        say: called with lines of progress.
        chunk_s: seconds between two savings.

    Raises:
        Stopped: SIGTERM came; all that was answered is saved.
    """
    reached: dict[str, dict[Tokens, Chance]] = {sent: {(): Chance(1.0, 1.0)} for sent in wanted}
    asked = taken = 0
    deepest = max((len(leaf) for leaves in wanted.values() for leaf in leaves), default=0)
    with Sigterm() as sigterm, store.claims:
        for depth in range(deepest):
            questions = [
                (sent, beginning, children)
                for sent, leaves in wanted.items()
                for beginning, children in _children(leaves, depth).items()
                if reached[sent][beginning].before > NEGLIGIBLE
            ]
            here = _Pass(telling, store, sigterm, say, chunk_s)
            number = here.ask(questions, depth)
            asked += number
            taken += len(questions) - number
            for sent, leaves in wanted.items():
                for beginning, children in _children(leaves, depth).items():
                    parent = reached[sent][beginning]
                    for token in children:
                        before, drawn = (
                            store.known.get(step_id(sent, beginning, token), (0.0, 0.0))
                            if parent.before > NEGLIGIBLE
                            else (0.0, 0.0)
                        )
                        reached[sent][*beginning, token] = Chance(
                            parent.before * before, parent.drawn * drawn
                        )
    return Walk(
        {sent: {leaf: reached[sent][leaf] for leaf in leaves} for sent, leaves in wanted.items()},
        asked,
        taken,
    )


def _children(leaves: frozenset[Tokens], depth: int) -> dict[Tokens, list[int]]:
    """The beginnings of some length that openings go on from, with the tokens behind each."""
    found: dict[Tokens, set[int]] = {}
    for leaf in leaves:
        if len(leaf) > depth:
            found.setdefault(leaf[:depth], set()).add(leaf[depth])
    return {beginning: sorted(found[beginning]) for beginning in sorted(found)}


Question = tuple[str, Tokens, list[int]]
"""What is sent, a beginning, and the tokens that are asked about behind it."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """One level of the trees: what is not known yet is asked by one job alone."""

    telling: Telling
    store: StepStore
    sigterm: Sigterm
    say: Callable[[str], None]
    chunk_s: float

    def ask(self, questions: Sequence[Question], depth: int) -> int:
        """Ask what no other job is asking, and wait for what one is.

        Args:
            questions: all of the level.
            depth: tokens of their beginnings.

        Returns:
            How many of them were asked here.
        """
        claims, waited, asked = self.store.claims, False, set[tuple[str, Tokens]]()
        while missing := self._missing(questions):
            free = claims.take(key for each in missing for key in _keys(each))
            # Another job may have saved some of it between a look and a claim.
            self.store.look()
            ours = [
                (sent, beginning, tokens)
                for sent, beginning, unknown in self._missing(missing)
                if (tokens := [t for t in unknown if step_id(sent, beginning, t) in free])
            ]
            if ours:
                if not asked:
                    there = len(questions) - len(missing)
                    self.say(
                        f"token {depth + 1} of openings: asking {counted(len(ours), 'time')}, "
                        f"{counted(there, 'answer')} {agreed(there, 'is', 'are')} there already"
                    )
                self._ask(ours)
                asked |= {(sent, beginning) for sent, beginning, _ in ours}
            elif not free:
                if not waited:
                    self.say(f"waiting for {counted(len(missing), 'answer')} that another job asks")
                waited = True
                self.sigterm.check()
                time.sleep(LOOK_EVERY_S)
            claims.release()
        return len(asked)

    def _missing(self, questions: Sequence[Question]) -> list[Question]:
        known = self.store.known
        return [
            (sent, beginning, unknown)
            for sent, beginning, tokens in questions
            if (unknown := [t for t in tokens if step_id(sent, beginning, t) not in known])
        ]

    def _ask(self, missing: Sequence[Question]) -> None:
        finished: list[tuple[str, float, float]] = []

        def save() -> None:
            if finished:
                self.store.save(finished)
            finished.clear()

        began = saved = time.monotonic()
        try:
            for answer in self.telling(missing):
                sent, beginning, tokens = missing[answer.index]
                finished += [
                    (step_id(sent, beginning, token), before, drawn)
                    for token, before, drawn in zip(
                        tokens, answer.probabilities, answer.as_drawn, strict=True
                    )
                ]
                if time.monotonic() - saved > self.chunk_s:
                    with self.sigterm.held():
                        save()
                    saved = time.monotonic()
                self.sigterm.check()
        except Exception:
            # An engine's own processes get SIGTERM too, and it fails when they end.
            self.sigterm.check()
            raise
        finally:
            with self.sigterm.held():
                save()
        self.say(
            f"{counted(len(missing), 'answer')}, "
            f"{speed(len(missing) / max(time.monotonic() - began, 1e-3))}"
        )


def _keys(question: Question) -> list[str]:
    sent, beginning, tokens = question
    return [step_id(sent, beginning, token) for token in tokens]
