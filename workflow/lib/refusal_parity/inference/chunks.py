"""Responses saved while a job runs, so that a killed job goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.files import write_text
from refusal_parity.tables import Responses, empty, read_metadata, read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KEY: Final = ("prompt_id", "sample")

_SETTINGS: Final = "settings.json"


class ChunkStore:
    """The chunks of one model under one fingerprint: a folder of Parquet files.

    A chunk is a table of `Responses` whose file name carries the checksum of
    its bytes, so that a chunk is either whole or known to be broken. Chunks of
    other settings lie in folders of other names and are never touched.

    Attributes:
        folder: where the chunks lie: `<parent>/<fingerprint>`.
    """

    def __init__(
        self,
        parent: Path,
        settings: Mapping[str, Any],
        *,
        device: str,
        say: Callable[[str], None],
    ) -> None:
        """Open the chunks that belong to these settings; a new folder if there are none.

        Args:
            parent: folder of all chunks of one model.
            settings: everything that changes responses, as JSON can hold it.
            device: on what this process draws.
            say: called with a line about what is found.

        Raises:
            InputError: the folder cannot be written.
        """
        text = json.dumps(settings, sort_keys=True, indent=1)
        self.folder = parent / hashlib.sha256(text.encode()).hexdigest()[:16]
        self._device = device
        self._say = say
        if not self.folder.is_dir():
            _tell_of_others(parent, json.loads(text), say)
        write_text(self.folder / _SETTINGS, text)
        # Half-written by a job that was killed.
        for remnant in self.folder.glob(".*"):
            remnant.unlink()
        numbers = [int(path.name[6:].split(".")[0]) for path in self._paths()]
        self._next = max(numbers, default=0) + 1

    def save(self, rows: pl.DataFrame) -> None:
        """Write one chunk of `Responses`; once this returns, they outlive the process."""
        part = self.folder / ".part"
        write_table(rows, Responses, part, metadata={"device": self._device})
        part.rename(self.folder / f"chunk-{self._next:04}.{_checksum(part)}.parquet")
        self._next += 1

    def read(self) -> pl.DataFrame:
        """All saved rows; a broken chunk is named, removed and thereby redone."""
        frames = [empty(Responses)]
        for path in self._paths():
            if _checksum(path) != path.name.split(".")[1]:
                self._say(f"{path} is truncated or corrupt: its responses are drawn again")
                path.unlink()
                continue
            frames.append(read_table(Responses, path))
        return pl.concat(frames).unique(KEY, keep="first", maintain_order=True)

    def devices(self) -> list[str]:
        """On what the saved rows were drawn: a job may go on elsewhere than it began."""
        return sorted({read_metadata(path)["device"] for path in self._paths()})

    def remove(self) -> None:
        """Remove these chunks, and the parent folder if no others are in it."""
        shutil.rmtree(self.folder)
        if not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("chunk-*.parquet"))


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _tell_of_others(parent: Path, settings: dict[str, Any], say: Callable[[str], None]) -> None:
    """Say which settings differ from those of the chunks that are there."""
    for other in sorted(parent.glob(f"*/{_SETTINGS}")):
        try:
            before = json.loads(other.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = {}
        changed = ", ".join(differences(before, settings)) or "its settings file is broken"
        say(
            f"{other.parent} holds responses drawn with other settings ({changed}): "
            "they are kept there and not used; starting anew"
        )


def differences(before: Any, now: Any, key: str = "") -> list[str]:
    """Paths of the entries in which two settings differ."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [] if before == now else [key]
    return [
        found
        for part in sorted(before.keys() | now.keys())
        for found in differences(before.get(part), now.get(part), f"{key}.{part}".lstrip("."))
    ]
