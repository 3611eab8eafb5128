"""Text files as people's programs write them."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_SPACE: Final = 0x20
_DELETE: Final = 0x7F
_SIGN_OF_NUL: Final = 0x2400

SIGNS: Final = {
    **{chr(code): chr(_SIGN_OF_NUL + code) for code in range(_SPACE) if chr(code) not in "\t\n\r"},
    chr(_DELETE): "\N{SYMBOL FOR DELETE}",
    # Those beyond ASCII, separators of lines, and what turns the direction of writing.
    **{
        chr(code): f"[U+{code:04X}]"
        for code in (*range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F))
    },
    **{chr(code): f"[U+{code:04X}]" for code in range(0x2066, 0x206A)},
}
"""What stands for each control character, but for line breaks and tabs."""

_TO_SIGNS: Final = str.maketrans(SIGNS)


def encodable(text: str) -> str:
    """The text with U+FFFD for lone halves of pairs, which encode a character together.

    JSON can hold such a half; no table and no file can.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def printable(text: str) -> str:
    """The text with signs for its control characters, so that no terminal obeys them.

    Line breaks and tabs stay.
    """
    return text.translate(_TO_SIGNS)


def refuse_devices(path: Path) -> None:
    """Raise an InputError where a path leads to what may never end: a device or a pipe."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(
            "is no file but a device or a pipe",
            where=str(path),
            remedy="Correct the path in the config.",
        )


def parsed_json(text: str) -> Any:
    """What a text in JSON holds.

    Raises:
        ValueError: it is none, has too many levels, or a number of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_text(path: Path, *, remedy: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it begins with the mark of that.

    Args:
        path: the file.
        remedy: how to save it, for an error.

    Raises:
        InputError: it is not there, may not be read, or is in another encoding,
            naming the row of the first byte that does not fit.
    """
    refuse_devices(path)
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
