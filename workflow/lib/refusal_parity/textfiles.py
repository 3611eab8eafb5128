"""Text files as people's programs write them."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

# Controls of ASCII and beyond, separators of lines, and what turns the direction of writing.
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_SPACE: Final = 0x20
_DELETE: Final = 0x7F
_SIGN_OF_NUL: Final = 0x2400
_SIGN_OF_DELETE: Final = "\u2421"


def encodable(text: str) -> str:
    """The text with U+FFFD for lone halves of pairs, which encode a character together.

    JSON can hold such a half; no table and no file can.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def printable(text: str) -> str:
    """The text with signs for its control characters, so that no terminal obeys them.

    Line breaks and tabs stay. Marks that turn the direction of what follows are shown by
    their numbers, as are the control characters beyond ASCII.
    """
    return _CONTROLS.sub(lambda found: _sign(found[0]), text)


def _sign(character: str) -> str:
    code = ord(character)
    if code < _SPACE:
        return chr(_SIGN_OF_NUL + code)
    return _SIGN_OF_DELETE if code == _DELETE else f"[U+{code:04X}]"


def on_one_line(text: str) -> str:
    """The `printable` text with signs for its line breaks and tabs too."""
    return "".join(_sign(each) if each in "\t\n\r" else each for each in printable(text))


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
