"""The one error that people are meant to read."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 2_000


class InputError(Exception):
    """Something the user gave cannot be used.

    Its text is a sentence of three parts: where (file, row, key), what is
    wrong there, and what to do. Jobs print it without a stack trace. What is quoted of
    files may be of any length, and is cut.
    """

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        what = what if len(what) <= _LONGEST else f"{what[:_LONGEST]}…"
        super().__init__(f"{where}: {what}. {remedy}")
        self.what = what
        self.where = where
        self.remedy = remedy
