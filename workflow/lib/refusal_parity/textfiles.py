"""Text files as people's programs write them."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def encodable(text: str) -> str:
    """The text with U+FFFD for lone halves of pairs, which encode a character together.

    JSON can hold such a half; no table and no file can.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_text(path: Path, *, remedy: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it begins with the mark of that.

    Args:
        path: the file.
        remedy: how to save it, for an error.

    Raises:
        InputError: it is not there, may not be read, or is in another encoding,
            naming the row of the first byte that does not fit.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Correct the path in the config."
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="Correct the path in the config, or the file's permissions.",
        ) from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"not UTF-8 text (byte {error.start})", where=f"{path}, row {row}", remedy=remedy
        ) from error
