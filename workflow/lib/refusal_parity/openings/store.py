"""Probabilities of tokens that an engine told, kept for every study of a results folder."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import polars as pl

from refusal_parity.chunks import (
    BrokenChunkError,
    ChunkName,
    chunks_in,
    moment,
    read_chunk,
    write_chunk,
)
from refusal_parity.counting import agreed, counted
from refusal_parity.files import write_text
from refusal_parity.inference.store.claims import Claims
from refusal_parity.tables import NextTokens, empty
from refusal_parity.uses import note_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

_OF_SAMPLING: Final = ("temperature", "top_p", "top_k")


def step_id(sent: str, beginning: Sequence[int], token: int) -> str:
    """Key of one token behind a beginning.

    Args:
        sent: hash of what is sent.
        beginning: tokens of the response so far.
        token: the next.
    """
    words = f"{sent}|{','.join(map(str, beginning))}|{token}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class StepStore:
    """A folder of chunks, by all that changes probabilities.

    Attributes:
        folder: `<store>/<hash of the settings>`.
        known: what was told, by `step_id`.
        claims: who is asking what.
    """

    def __init__(
        self,
        store: Path,
        settings: Mapping[str, Any],
        *,
        within: timedelta | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Stand before what is known under some settings; nothing is made yet.

        Args:
            store: folder of the whole store.
            settings: all that changes responses; what changes no probability is left out.
            within: how old what is known may be, in days; null for any age.
            say: called with a line about a broken file, or about what is too old.
        """
        drawn = settings["sampling"]
        kept = {**settings, "sampling": {key: drawn[key] for key in _OF_SAMPLING if key in drawn}}
        self._settings = json.dumps(
            {key: value for key, value in kept.items() if key != "stop"}, sort_keys=True, indent=1
        )
        self.folder = store / hashlib.sha256(self._settings.encode()).hexdigest()[:16]
        self._say = say
        now = datetime.now(tz=UTC)
        self._begun = moment(now)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._oldest = "" if within is None else moment(midnight - within)
        self._job = uuid4().hex[:12]
        self._written = 0
        self._seen: set[str] = set()
        self.claims = Claims(self.folder / "claims", self._job)
        self.known: dict[str, tuple[float, float]] = {}
        self.look()

    def look(self) -> None:
        """Take up what other jobs have saved since the last look."""
        frames = [empty(NextTokens)]
        expired = 0
        for path in chunks_in(self.folder):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            try:
                if ChunkName.of(path).begun < self._oldest:
                    expired += 1
                    continue
                frames.append(read_chunk(path)[0].select(NextTokens.column_names()))
            except BrokenChunkError:
                path.rename(path.with_suffix(".damaged"))
                self._say(f"{path} is truncated or corrupt: its probabilities are asked anew")
        if expired:
            self._say(
                f"{counted(expired, 'file')} of probabilities {agreed(expired, 'is', 'are')} older "
                f"than reuse_within allows: {agreed(expired, 'it is', 'they are')} asked anew"
            )
        self.known |= {key: (before, drawn) for key, before, drawn in pl.concat(frames).iter_rows()}

    def save(self, steps: Iterable[tuple[str, float, float]]) -> None:
        """Keep probabilities; once this returns, they outlive the process.

        Args:
            steps: key, probability before top_p and top_k, and after.
        """
        rows = pl.DataFrame(list(steps), schema=empty(NextTokens).schema, orient="row")
        if not self._written:
            write_text(self.folder / "settings.json", self._settings)
        self._written += 1
        name = ChunkName(self._begun, self._job, self._written, "")
        self._seen.add(write_chunk(rows, NextTokens, self.folder, name, {}).name)
        self.known.update({key: (before, drawn) for key, before, drawn in rows.iter_rows()})

    def note_use(self, output: Path) -> None:
        """Remember that a study's table was made of what lies here, and when."""
        write_text(self.folder / "settings.json", self._settings)
        note_use(self.folder, output)
