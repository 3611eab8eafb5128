"""Texts whose bytes some program read in another encoding than their own, or wrote for programs."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.csvfiles import row_of
from refusal_parity.errors import InputError
from refusal_parity.textfiles import encodable

if TYPE_CHECKING:
    from pathlib import Path

_DAMAGED: Final = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\ufffd]"
"""Control characters but tabs and ends of lines, and what programs put for bytes that they
cannot read."""

_BYTES_OF_WINDOWS: Final = {
    ord(character): byte
    for byte in range(0x80, 0xA0)
    for character in bytes([byte]).decode("cp1252", "ignore")
}
"""Characters of Windows' encoding that Latin-1 has not, by the byte that each stands for."""

_CONTROL: Final = re.compile(r"[\x80-\x9f]")
"""What such bytes are in Latin-1, and those five everywhere that Windows has no character for."""

_RUN: Final = re.compile(r"[^\x00-\x7f]+")

_EUROPEAN: Final = frozenset(
    map(chr, (*range(0xA0, 0x180), *range(0x1E00, 0x1F00), *range(0x2010, 0x2028), 0x20AC))
) | frozenset("\u01a1\u01af\u01b0\u0218\u0219\u021a\u021b\u0259\u02bb")
"""Letters of Latin alphabets, and what stands between words."""

_END_OF_CAPITALS: Final = re.compile(
    r"(?:(?<=[A-Z])[\xc2-\xc5\xc9]|(?<![A-Za-z])[\xc4\xc5\xc9])"
    r"[\xa0\xbb\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u203a\u2122](?![A-Za-z\x80-\uffff])"
)
"""A word in capitals whose last has an accent, and what may follow a word."""

_SMALLEST_OF_THREE_BYTES: Final = "\u0800"
_LETTERS: Final = re.compile(r"[A-Za-z]{2}")

_ENTITY: Final = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]+\d*);")


def once_encoded(text: str) -> str | None:
    """What a text says whose bytes in UTF-8 were read as another encoding; null if none were.

    Windows' encoding (cp1252), Latin-1 or the Macintosh's. Hardly any text that means itself
    is UTF-8 when it is written in one of them: what is, a capital before a quotation mark for
    one, would say no more than letters that stand alone and are not European. Where it was
    read so twice, this is what was written first. The library ftfy repairs long texts as well,
    and leaves a sixth of names as they are: of their few letters it is not sure enough.
    """
    if text.isascii():
        return None
    # A last letter's blank without a break may have been taken for an edge of the cell.
    whole = f"{text}\xa0" if "\xc2" <= text[-1] <= "\xdf" else text
    for meant in (_read_by_windows(whole), _read_by_macintosh(text)):
        if meant is not None:
            return once_encoded(meant) or meant
    return None


def _read_by_windows(text: str) -> str | None:
    try:
        meant = text.translate(_BYTES_OF_WINDOWS).encode("latin-1").decode()
    except UnicodeError:
        return None
    runs = zip(_RUN.finditer(text), _RUN.findall(meant), strict=True)
    is_meant = _CONTROL.search(text) or any(
        _is_european(says) and not _END_OF_CAPITALS.match(text, run.start()) for run, says in runs
    )
    return meant if is_meant else None


def _read_by_macintosh(text: str) -> str | None:
    """Roots and other signs of formulas are letters there: those of a word must stand beside."""
    try:
        meant = text.encode("mac_roman").decode()
    except UnicodeError:
        return None
    runs = zip(_RUN.finditer(text), _RUN.findall(meant), strict=True)
    is_meant = any(
        _is_european(says)
        and (
            says >= _SMALLEST_OF_THREE_BYTES or len(says) > 1 or _LETTERS.search(_beside(text, run))
        )
        for run, says in runs
    )
    return meant if is_meant else None


def _beside(text: str, run: re.Match[str]) -> str:
    return text[max(run.start() - 2, 0) : run.start()] + text[run.end() : run.end() + 2]


def _is_european(says: str) -> bool:
    """Whether adjoining characters are many, or one that European languages have."""
    return len(says) > 1 or says in _EUROPEAN


def refuse_damaged(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise an InputError at a text that some program read in another encoding than its own."""
    for text, row in frame.select(column, ROW).drop_nulls().iter_rows():
        if (meant := once_encoded(text)) is not None:
            raise InputError(
                f"{column} {text!r} is UTF-8 that was read as another encoding: it seems to say "
                f"{meant!r}",
                where=f"{path}, {row}",
                remedy="Write the text anew, and save the file in UTF-8.",
            )
    damaged = frame.filter(pl.col(column).str.contains(_DAMAGED))
    if len(damaged):
        text = damaged[column][0]
        found = next(character for character in text if re.match(_DAMAGED, character))
        raise InputError(
            f"{column} {text!r} holds U+{ord(found):04X}, which stands where a character was lost",
            where=row_of(path, damaged),
            remedy="Write the text anew, and save the file in UTF-8.",
        )


def written_for(text: str) -> tuple[str, str] | None:
    """What a text was written for, if not to be read, and what it says; null if it was not.

    `Jos&eacute;` is written for HTML, `Jos%C3%A9` for an address.
    """
    for what, (pattern, read) in _ESCAPES.items():
        meant = pattern.sub(read, text)
        # A whole address is meant as it is.
        if meant != text and not (what == _ADDRESS and "://" in text):
            return what, meant
    return None


def _from_source(found: re.Match[str]) -> str:
    if r"\x" not in found[0]:
        return encodable(found[0].encode().decode("unicode_escape"))
    content = bytes.fromhex(found[0].replace(r"\x", ""))
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _from_bytes(found: re.Match[str]) -> str:
    """Of `%C3%A9` or `=C3=A9`; as it stands where that is no text."""
    try:
        return bytes.fromhex(re.sub("[%=]", "", found[0])).decode()
    except UnicodeDecodeError:
        return found[0]


_ADDRESS: Final = "an address"
_ESCAPES: Final = {
    "HTML": (_ENTITY, lambda found: html.unescape(found[0])),
    "a program": (
        re.compile(r"(?:\\u[0-9a-fA-F]{4})+|(?:\\x[0-9a-fA-F]{2})+|\\[nrt](?![a-z])"),
        _from_source,
    ),
    _ADDRESS: (re.compile(r"(?:%[89a-fA-F][0-9a-fA-F]){2,}"), _from_bytes),
    "e-mail": (re.compile(r"(?:=[89A-F][0-9A-F]){2,}"), _from_bytes),
    "Excel": (re.compile(r"_x([0-9A-F]{4})_"), lambda found: encodable(chr(int(found[1], 16)))),
    "a spreadsheet": (re.compile(r'\A="(.*)"\Z'), lambda found: found[1]),
}
"""How programs write characters that they may not write as they are, and how to read that."""


def refuse_written_for_others(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise an InputError at a text that is not written to be read, as with HTML's entities."""
    for text, row in frame.select(column, ROW).drop_nulls().iter_rows():
        if (found := written_for(text)) is not None:
            raise InputError(
                f"{column} {text!r} is written for {found[0]}: it seems to say {found[1]!r}",
                where=f"{path}, {row}",
                remedy="Write the text itself, which is sent as it stands.",
            )
