"""Notes in a folder of a store: which files were made of what lies there, and when."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from refusal_parity.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

USES: Final = "uses"


def note_use(folder: Path, output: Path) -> None:
    """Remember that a file was made of what lies in a folder of a store, and when."""
    write_text(folder / USES / _key(output), str(output.absolute()))


def former_use(folder: Path, output: Path) -> Path | None:
    """The other folder of the same store that a file was made of last; null for none."""
    if (folder / USES / _key(output)).exists():
        return None
    notes = folder.parent.glob(f"*/{USES}/{_key(output)}")
    last = max(notes, key=lambda path: path.stat().st_mtime, default=None)
    return last.parents[1] if last else None


def _key(output: Path) -> str:
    return hashlib.sha256(str(output.absolute()).encode()).hexdigest()[:16]
