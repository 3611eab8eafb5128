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
    with Sigterm() as sigterm:
        for depth in range(deepest):
            questions = [
                (sent, beginning, children)
                for sent, leaves in wanted.items()
                for beginning, children in _children(leaves, depth).items()
                if reached[sent][beginning].before > NEGLIGIBLE
            ]
            missing = [
                (sent, beginning, unknown)
                for sent, beginning, children in questions
                if (unknown := _unknown(store, sent, beginning, children))
            ]
            there = len(questions) - len(missing)
            asked += len(missing)
            taken += there
            if missing:
                say(
                    f"token {depth + 1} of openings: asking {counted(len(missing), 'time')}, "
                    f"{counted(there, 'answer')} {agreed(there, 'is', 'are')} there already"
                )
                _ask(missing, telling, store, sigterm, say, chunk_s)
            for sent, leaves in wanted.items():
                for beginning, children in _children(leaves, depth).items():
                    here = reached[sent][beginning]
                    for token in children:
                        before, drawn = (
                            store.known.get(step_id(sent, beginning, token), (0.0, 0.0))
                            if here.before > NEGLIGIBLE
                            else (0.0, 0.0)
                        )
                        reached[sent][*beginning, token] = Chance(
                            here.before * before, here.drawn * drawn
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


def _unknown(store: StepStore, sent: str, beginning: Tokens, children: list[int]) -> list[int]:
    return [token for token in children if step_id(sent, beginning, token) not in store.known]


def _ask(  # noqa: PLR0913, PLR0917 - what a pass needs
    missing: list[tuple[str, Tokens, list[int]]],
    telling: Telling,
    store: StepStore,
    sigterm: Sigterm,
    say: Callable[[str], None],
    chunk_s: float,
) -> None:
    finished: list[tuple[str, float, float]] = []

    def save() -> None:
        if finished:
            store.save(finished)
        finished.clear()

    began = saved = time.monotonic()
    try:
        for answer in telling(missing):
            sent, beginning, tokens = missing[answer.index]
            finished += [
                (step_id(sent, beginning, token), before, drawn)
                for token, before, drawn in zip(
                    tokens, answer.probabilities, answer.as_drawn, strict=True
                )
            ]
            if time.monotonic() - saved > chunk_s:
                with sigterm.held():
                    save()
                saved = time.monotonic()
            sigterm.check()
    except Exception:
        # An engine's own processes get SIGTERM too, and it fails when they end.
        sigterm.check()
        raise
    finally:
        with sigterm.held():
            save()
    say(
        f"{counted(len(missing), 'answer')}, "
        f"{speed(len(missing) / max(time.monotonic() - began, 1e-3))}"
    )
