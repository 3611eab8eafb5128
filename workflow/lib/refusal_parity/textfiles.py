"""Text files as people's programs write them."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.unfolding import most_bytes, refuse_unfolding

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


GZIP: Final = b"\x1f\x8b"
"""How files that gzip compressed begin."""

_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = (
    (b"PK\x03\x04", "a workbook or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old workbook or document"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "a database"),
    (b"ARROW1", "an Arrow file"),
    *((mark, "a compressed file") for mark in (b"BZh91AY&SY", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")),
    (b"7z\xbc\xaf", "an archive"),
    (b"{\\rtf", "a document"),
    (b"$FL2", "a file of SPSS"),
    (b"<stata_dta>", "a file of Stata"),
    (b"version https://git-lfs", "a pointer of Git LFS, in place of the file itself"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)
"""How files begin that are named as if they were a table in text, and what they are."""


def refuse_devices(path: Path) -> None:
    """Raise an InputError where a path leads to a folder, or to what may never end."""
    if path.exists() and not path.is_file():
        raise InputError(
            "is a folder" if path.is_dir() else "is no file but a device or a pipe",
            where=str(path),
            remedy="Correct the path in the config.",
        )


class Doubled(dict[str, Any]):
    """An object of JSON in which a key stands twice, as readers of JSON let pass in silence.

    Attributes:
        keys_twice: those keys.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        """Keep the last value of each key, as readers of JSON do."""
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.keys_twice = frozenset(key for key, count in counts.items() if count > 1)


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, `Doubled` where a key stands twice; for readers' `object_pairs_hook`."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(pairs)


def parsed_json(text: str) -> Any:
    """What a text in JSON holds; objects with a key twice are `Doubled`.

    Raises:
        ValueError: it is none, has too many levels, or a number of thousands of digits.
    """
    try:
        return json.loads(text, object_pairs_hook=each_key_once)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_text(path: Path, *, remedy: str) -> str:
    """The text of a file in UTF-8, UTF-16 or UTF-32, compressed by gzip or not.

    Args:
        path: the file.
        remedy: how to save it, for an error.

    Raises:
        InputError: it is not there, may not be read, is no text, or is in another encoding,
            naming the line of the first byte that does not fit.
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
    if content.startswith(GZIP):
        content = _unfolded(content, path)
    for beginning, what in _NO_TEXT:
        if content[:40].lower().startswith(beginning.lower()):
            raise InputError(
                f"is {what}",
                where=str(path),
                remedy="Give it the ending of what it is, or get the table itself.",
            )
    try:
        return content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"not UTF-8 text (byte {error.start})", where=f"{path}, line {line}", remedy=remedy
        ) from error


def _unfolded(content: bytes, path: Path) -> bytes:
    most = most_bytes(path)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unfolded = file.read(most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"the compressed file is damaged ({error})", where=str(path), remedy="Get it anew."
        ) from error
    refuse_unfolding(path, len(unfolded))
    return unfolded


def _encoding(content: bytes) -> str:
    """By the mark at the start; in UTF-16 without one, the header's letters are beside zeros."""
    for mark, encoding in _ENCODINGS:
        if content.startswith(mark):
            return encoding
    match [byte == 0 for byte in content[:4]]:
        case [False, True, False, True]:
            return "utf-16-le"
        case [True, False, True, False]:
            return "utf-16-be"
    return "utf-8-sig"
