"""The responses of one model under one setting, whichever study asked for them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from refusal_parity.files import write_text
from refusal_parity.inference.store.claims import EXPIRY_S, Claims
from refusal_parity.tables import StoredResponses, empty
from refusal_parity.uses import former_use, note_use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

STORE: Final = ".responses"
"""The store's folder in the folder of results."""

_SETTINGS: Final = "settings.json"
_PROVENANCE: Final = "provenance.json"


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Hash of everything that changes responses beside what is sent, and its seed."""
    return hashlib.sha256(_text(settings).encode()).hexdigest()[:16]


def response_ids(plan: pl.DataFrame, settings: Mapping[str, Any]) -> pl.Series:
    """Keys of planned responses: the same in every study, whatever models and arms are called.

    Args:
        plan: columns sent, number and seed.
        settings: of the model.
    """
    drawn_by = fingerprint(settings)
    keys = plan.select("sent", "number", "seed").iter_rows()
    digests = (hashlib.sha256(f"{drawn_by}|{s}|{n}|{seed}".encode()) for s, n, seed in keys)
    return pl.Series("response_id", [one.hexdigest()[:32] for one in digests], dtype=pl.String)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Which stored responses are good enough to be taken over.

    Attributes:
        since: only those of jobs that began then or later: the user wants them anew.
        within: only those that a server answered today, or this long ago at most; null
            for all.
    """

    since: datetime | None = None
    within: timedelta | None = None

    def fresh(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows that are young enough."""
        if self.within is None:
            return rows
        now = datetime.now(tz=UTC)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return rows.filter(
            pl.col("answered_at").is_null()
            | (pl.col("answered_at") >= min(today, now - self.within))
        )


class ResponseStore:
    """A folder of chunks, each written once by one job and never changed.

    Attributes:
        folder: `<store>/<fingerprint>`.
        fingerprint: hash of the settings.
        claims: who is drawing what.
        drawn_on: devices or servers that gave the rows found or saved.
        expired: how many rows were found and too old.
    """

    def __init__(
        self,
        store: Path,
        settings: Mapping[str, Any],
        *,
        device: str = "",
        taking: Taking | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Stand before the responses that belong to these settings; nothing is made yet.

        Args:
            store: folder of the whole store.
            settings: everything that changes responses, as JSON can hold it.
            device: on what this process draws, or which server it asks.
            taking: which rows may be taken over; all by default.
            say: called with a line about what is found.
        """
        self.fingerprint = fingerprint(settings)
        self.folder = store / self.fingerprint
        self.device = device
        self.drawn_on: set[str] = set()
        self.expired = 0
        self._settings = settings
        self._taking = taking or Taking()
        self._say = say
        self._begun = datetime.now(tz=UTC)
        self._job = uuid4().hex[:12]
        self._own: list[Path] = []
        self._seen: set[str] = set()
        self.claims = Claims(self.folder / "claims", self._job)

    def find(self, wanted: pl.Series, *, new_only: bool = False) -> pl.DataFrame:
        """Stored responses with these keys, each once; a broken file is named and set aside.

        Args:
            wanted: keys of responses.
            new_only: look only into files that came since the last call.

        Returns:
            A table of `StoredResponses`, in no order.
        """
        if not new_only:
            self._seen.clear()
        keys = wanted.to_frame("response_id")
        frames = [empty(StoredResponses)]
        while True:
            try:
                for path in chunks_in(self.folder):
                    if path.name not in self._seen and self._is_wanted(path):
                        frames.append(self._rows(path, keys))
                    self._seen.add(path.name)
                break
            except FileNotFoundError:
                # Put together with others by its job a moment ago.
                continue
        found = pl.concat(frames).unique("response_id", keep="first", maintain_order=True)
        fresh = self._taking.fresh(found)
        self.expired += len(found) - len(fresh)
        return fresh

    def _is_wanted(self, path: Path) -> bool:
        since = self._taking.since
        try:
            return since is None or ChunkName.of(path).begun >= moment(since)
        except BrokenChunkError:
            # To be named and set aside.
            return True

    def _rows(self, path: Path, keys: pl.DataFrame) -> pl.DataFrame:
        try:
            rows, metadata = read_chunk(path)
        except BrokenChunkError:
            path.rename(path.with_suffix(".damaged"))
            self._say(f"{path} is truncated or corrupt: its responses are drawn again")
            return empty(StoredResponses)
        rows = rows.join(keys, on="response_id", how="semi")
        if len(rows):
            self.drawn_on |= set(metadata["drawn_on"])
        return rows.select(StoredResponses.column_names()).cast(empty(StoredResponses).schema)

    def is_empty(self) -> bool:
        """Whether no response was ever drawn under these settings."""
        return not chunks_in(self.folder)

    def save(self, rows: pl.DataFrame) -> None:
        """Keep responses; once this returns, they outlive the process."""
        if not self._own:
            write_text(self.folder / _SETTINGS, _text(self._settings))
            self._sweep()
        self.drawn_on.add(self.device)
        self._write(rows, len(self._own) + 1, {self.device})

    def _write(self, rows: pl.DataFrame, number: int, drawn_on: set[str]) -> None:
        name = ChunkName(moment(self._begun), self._job, number, "")
        path = write_chunk(rows, StoredResponses, self.folder, name, {"drawn_on": sorted(drawn_on)})
        self._own.append(path)
        self._seen.add(path.name)

    def close(self) -> None:
        """Put this job's own chunks into one file: studies would be slow with thousands."""
        if len(self._own) < 2:  # noqa: PLR2004 - one is one already
            return
        parts = self._own
        rows = pl.concat([read_chunk(path)[0] for path in parts])
        self._write(rows.unique("response_id", maintain_order=True), 0, {self.device})
        for path in parts[:-1]:
            path.unlink()
        self._own = parts[-1:]

    def _sweep(self) -> None:
        """Remove what jobs that were killed left half-written, and say so."""
        now = time.time()
        for remnant in self.folder.glob(".*"):
            if remnant.is_file() and now - remnant.stat().st_mtime > 10 * EXPIRY_S:
                remnant.unlink(missing_ok=True)
                self._say(f"{remnant} was half-written by a job that was killed, and is removed")

    def note_use(self, output: Path) -> None:
        """Remember that a study's table was made of these responses, and when."""
        write_text(self.folder / _SETTINGS, _text(self._settings))
        note_use(self.folder, output)

    def former_use(self, output: Path) -> tuple[Path, list[str]] | None:
        """Folder of the other settings under which a table was made last, and what differs."""
        folder = former_use(self.folder, output)
        if folder is None:
            return None
        before = settings_in(folder)
        changed = differences(before, json.loads(_text(self._settings)))
        return folder, changed or ["its settings file is broken"]

    def note_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Keep what the engine says of itself, for tables that are made without it."""
        write_text(self.folder / _PROVENANCE, _text(provenance))

    def provenance(self) -> dict[str, Any] | None:
        """What the engine said of itself; null where none has drawn yet."""
        return _read(self.folder / _PROVENANCE)


def settings_in(folder: Path) -> dict[str, Any]:
    """Settings of the responses in a folder of the store; empty where these are lost."""
    return _read(folder / _SETTINGS) or {}


def differences(before: Any, now: Any, key: str = "") -> list[str]:
    """Paths of the entries in which two settings differ."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [] if before == now else [key]
    return [
        found
        for part in sorted(before.keys() | now.keys())
        for found in differences(before.get(part), now.get(part), f"{key}.{part}".lstrip("."))
    ]


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True, indent=1)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
