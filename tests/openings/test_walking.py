"""Walks through trees of openings: every level once, and nothing asked twice."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from refusal_parity.chunks import ChunkName, moment
from refusal_parity.inference.requests import StepAnswer
from refusal_parity.inference.stopping import Stopped
from refusal_parity.openings import walking
from refusal_parity.openings.store import StepStore, step_id
from refusal_parity.openings.walking import Chance, Tokens, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SETTINGS = {"weights": "w", "stop": [], "sampling": {"temperature": 1, "top_p": 1, "top_k": -1}}
WANTED = {
    "p": frozenset({(1,), (2, 1), (2, 3, 1)}),
    "q": frozenset({(2, 3, 1), (2, 3, 4), (0, 5, 5)}),
}


class Model:
    """Each token as probable as its number says, and half of that as drawn; token 0 never."""

    def __init__(self, *, fails_after: int = 10**9) -> None:
        self.asked: list[tuple[str, Tokens, int]] = []
        self.passes = 0
        self._left = fails_after

    def __call__(self, steps: Sequence[tuple[str, Tokens, Sequence[int]]]) -> Iterator[StepAnswer]:
        self.passes += 1
        # Answers come in any order.
        for index in reversed(range(len(steps))):
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            sent, beginning, tokens = steps[index]
            self.asked += [(sent, beginning, token) for token in tokens]
            yield StepAnswer(index, [each / 10 for each in tokens], [each / 20 for each in tokens])


def known(folder: Path) -> StepStore:
    return StepStore(folder, SETTINGS)


def test_probabilities_are_products_and_levels_are_passes(tmp_path: Path) -> None:
    model = Model()
    found = walk(WANTED, model, known(tmp_path), say=lambda _: None)
    assert model.passes == 3
    assert len(set(model.asked)) == len(model.asked)
    # Nothing is asked behind a token that never comes.
    assert not any(beginning[:1] == (0,) for _, beginning, _ in model.asked)
    chances = found.chances["p"]
    assert chances[2, 3, 1].before == pytest.approx(0.2 * 0.3 * 0.1)
    assert chances[2, 3, 1].drawn == pytest.approx(0.2 * 0.3 * 0.1 / 8)
    assert found.chances["q"][0, 5, 5] == Chance(0.0, 0.0)
    assert set(found.chances["q"]) == WANTED["q"]


@pytest.mark.parametrize("killed_after", range(8))
def test_a_killed_walk_goes_on_where_it_was(tmp_path: Path, killed_after: int) -> None:
    whole = walk(WANTED, Model(), known(tmp_path / "whole"), say=lambda _: None)
    first, second = Model(fails_after=killed_after), Model()
    if killed_after < whole.asked:
        with pytest.raises(KeyboardInterrupt):
            walk(WANTED, first, known(tmp_path / "cut"), say=lambda _: None)
    again = walk(WANTED, second, known(tmp_path / "cut"), say=lambda _: None)
    assert again.chances == whole.chances
    asked = first.asked + second.asked
    assert len(asked) == len(set(asked))
    third = Model()
    assert walk(WANTED, third, known(tmp_path / "cut"), say=lambda _: None).chances == whole.chances
    assert third.passes == 0


def test_what_was_told_before_sigterm_is_kept(tmp_path: Path) -> None:
    whole = walk(WANTED, Model(), known(tmp_path / "whole"), say=lambda _: None)
    first, second = Model(), Model()

    def warned(steps: Sequence[tuple[str, Tokens, Sequence[int]]]) -> Iterator[StepAnswer]:
        for at, answer in enumerate(first(steps)):
            yield answer
            if first.passes == 2 and at == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        walk(WANTED, warned, known(tmp_path / "cut"), say=lambda _: None)
    again = walk(WANTED, second, known(tmp_path / "cut"), say=lambda _: None)
    assert again.chances == whole.chances
    assert first.asked
    assert not set(first.asked) & set(second.asked)


def test_a_larger_tree_asks_for_what_is_new(tmp_path: Path) -> None:
    walk(WANTED, Model(), known(tmp_path), say=lambda _: None)
    model = Model()
    walk({"p": WANTED["p"] | {(2, 4)}}, model, known(tmp_path), say=lambda _: None)
    assert model.asked == [("p", (2,), 4)]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"stop": ["x"]}, True),
        ({"sampling": {**SETTINGS["sampling"], "max_tokens": 9}}, True),  # type: ignore[dict-item]
        ({"sampling": {**SETTINGS["sampling"], "top_p": 0.9}}, False),  # type: ignore[dict-item]
        ({"weights": "v"}, False),
    ],
)
def test_what_changes_probabilities_has_a_folder_of_its_own(
    tmp_path: Path, change: dict[str, object], *, same: bool
) -> None:
    other = StepStore(tmp_path, SETTINGS | change)
    assert (other.folder == known(tmp_path).folder) is same


def test_a_broken_file_is_named_and_asked_anew(tmp_path: Path) -> None:
    walk(WANTED, Model(), known(tmp_path), say=lambda _: None)
    (path, *_) = sorted(known(tmp_path).folder.glob("chunk-*"))
    path.write_bytes(path.read_bytes()[:-9])
    lines: list[str] = []
    model = Model()
    walk(WANTED, model, StepStore(tmp_path, SETTINGS, say=lines.append), say=lambda _: None)
    assert "truncated or corrupt" in lines[0]
    assert model.asked


@pytest.mark.parametrize(
    ("age", "within", "asked"),
    [(0, 0, False), (0, 7, False), (7, 7, False), (8, 7, True), (1, 0, True), (900, None, False)],
)
def test_what_a_server_said_is_taken_over_for_some_days(
    tmp_path: Path, age: int, within: int | None, *, asked: bool
) -> None:
    walk(WANTED, Model(), known(tmp_path), say=lambda _: None)
    begun = datetime.now(tz=UTC) - timedelta(days=age)
    for path in known(tmp_path).folder.glob("chunk-*"):
        path.rename(path.with_name(str(replace(ChunkName.of(path), begun=moment(begun)))))
    lines: list[str] = []
    days = None if within is None else timedelta(days=within)
    store = StepStore(tmp_path, SETTINGS, within=days, say=lines.append)
    model = Model()
    walk(WANTED, model, store, say=lambda _: None)
    assert bool(model.asked) is asked
    assert bool(lines) is asked
    assert all("older than reuse_within allows" in line for line in lines)


def test_two_jobs_at_once_ask_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another job has claimed is waited for, and taken over once it is saved."""
    theirs, ours = known(tmp_path), known(tmp_path)
    claimed = [step_id("q", (), 2), step_id("p", (2,), 3)]
    assert theirs.claims.take(claimed) == set(claimed)
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        theirs.save([(key, 0.5, 0.25) for key in claimed])
        theirs.claims.release()

    monkeypatch.setattr(walking.time, "sleep", nap)
    said: list[str] = []
    model = Model()
    found = walk(WANTED, model, ours, say=said.append)
    assert len(naps) == 1
    assert "waiting for 1 answer that another job asks" in said
    assert ("q", (), 2) not in model.asked
    assert ("p", (2,), 3) not in model.asked
    # The other child behind the same beginning is asked here.
    assert ("p", (2,), 1) in model.asked
    assert found.chances["q"][2, 3, 1].before == pytest.approx(0.5 * 0.3 * 0.1)
    assert found.chances["p"][2, 3, 1].before == pytest.approx(0.2 * 0.5 * 0.1)
    # Claims do not outlive the walk.
    assert known(tmp_path).claims.others() == set()


def test_claims_of_a_job_that_was_killed_hold_nobody_up(tmp_path: Path) -> None:
    store = known(tmp_path)
    folder = store.folder / "claims"
    store.claims.take([step_id("p", (), 1)])
    [claim] = folder.glob("*.claim")
    owner, *keys = claim.read_text("utf-8").split("\n")
    store.claims.release()
    # A number that no process has.
    dead = json.loads(owner) | {"pid": 2**22 + 7}
    claim.write_text("\n".join([json.dumps(dead), *keys]), "utf-8")
    model = Model()
    walk(WANTED, model, known(tmp_path), say=lambda _: None)
    assert ("p", (), 1) in model.asked
