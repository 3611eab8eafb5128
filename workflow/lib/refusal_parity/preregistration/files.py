"""Pre-registrations on disk: one file a time, none ever written over."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml
from pydantic import ValidationError

from refusal_parity.errors import InputError
from refusal_parity.files import write_text
from refusal_parity.preregistration.record import Preregistration
from refusal_parity.textfiles import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATTERN: Final = "preregistration-*.yaml"
"""Their names, in the study's folder."""

_MOST_BYTES: Final = 20_000_000
_HEAD: Final = """\
# Pre-registration of a study, written by `snakemake preregister`. Deposit a copy where its date
# cannot be changed, such as a registry or a public repository: this file alone proves nothing.
# The report compares the study with it. Do not edit it: register again instead.
"""
_REMEDY: Final = "Put the file back as it was written, from the copy that you deposited."


class Registered(NamedTuple):
    """A pre-registration, with the name and hash of its file."""

    file: str
    sha256: str
    said: Preregistration


def write_preregistration(record: Preregistration, folder: Path) -> tuple[Path, bool]:
    """Write a pre-registration under the day's date; a second one of a day gets a number.

    Args:
        record: what it says.
        folder: of the study's results.

    Returns:
        Its file, and whether it was written: where the last one says the same, nothing is.

    Raises:
        InputError: the folder cannot be written, or the last one is broken.
    """
    before = read_preregistrations(preregistration_files(folder))
    if before and _said(before[-1].said) == _said(record):
        return folder / before[-1].file, False
    day = record.written_at.partition("T")[0]
    path, again = folder / f"preregistration-{day}.yaml", 1
    while path.exists():
        again += 1
        path = folder / f"preregistration-{day}-{again}.yaml"
    body = yaml.safe_dump(
        record.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=88
    )
    write_text(path, _HEAD + body)
    return path, True


def preregistration_files(folder: Path) -> list[Path]:
    """The files of a study, in order of their names."""
    return sorted(folder.glob(PATTERN))


def _said(record: Preregistration) -> Preregistration:
    return record.model_copy(update={"written_at": ""})


def read_preregistrations(paths: Sequence[Path]) -> list[Registered]:
    """Read them, the first written first.

    Raises:
        InputError: one of them is none.
    """
    return sorted(map(_read, paths), key=lambda each: (each.said.written_at, each.file))


def _read(path: Path) -> Registered:
    if path.stat().st_size > _MOST_BYTES:
        raise InputError("too long for a pre-registration", where=str(path), remedy=_REMEDY)
    text = read_text(path, remedy=_REMEDY)
    try:
        said = Preregistration.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError, RecursionError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(
            f"not a pre-registration as `snakemake preregister` writes them ({first})",
            where=str(path),
            remedy=_REMEDY,
        ) from error
    return Registered(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), said)
