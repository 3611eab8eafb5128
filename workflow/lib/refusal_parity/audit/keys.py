"""Keys of the rows that people label, and how they are known again.

Spreadsheets take 1234567890123456 and 1e23 for numbers and write something else. A key
begins with letters, so that they leave it alone; until release 0.1 it did not, and such
sheets are still filled in.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PREFIX: Final = "row-"
_DIGITS: Final = 16
_NUMBER: Final = re.compile(r"\d+(?:e\d+)?")
"""A key of old that reads as a number."""

_WRITTEN_NUMBER: Final = re.compile(r"(\d+(?:[.,]\d+)?)(e[+-]?\d+)?", re.IGNORECASE)
_GROUPED: Final = re.compile(r"(?<=\d)[ \u00a0\u202f'](?=\d)")
_SHORT: Final = 6
_LONG: Final = 15
"""Digits of a number that spreadsheets write: as they show it, or as they store it."""

_ENDLESS: Final = frozenset({"inf", "infinity", "\u221e", "#num!", "#value!", "err:503"})


def task_key(response_key: str, response: str) -> str:
    """A key that says nothing of the model, and changes with the response.

    Args:
        response_key: of the response among all others.
        response: its text.
    """
    text = f"{response_key}\x1f{response}"
    return _PREFIX + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True)
class Known:
    """Whose key was written.

    Attributes:
        task: the key as the sample has it; null if it is none of its keys.
        problem: what is wrong with it, if anything.
    """

    task: str | None
    problem: str | None = None


class Keys:
    """The keys of a sample."""

    def __init__(self, tasks: Iterable[str]) -> None:
        """Note the keys, with their prefix or without."""
        self._by_core = {reading(task.removeprefix(_PREFIX)): task for task in tasks}
        self._numbers = {
            core: float(core) for core in self._by_core if _NUMBER.fullmatch(core)
        }  # fmt: skip

    def known(
        self, written: str | None, fits: Callable[[str], bool], *, is_of_some: bool = True
    ) -> Known:
        """Whose key is written in a sheet.

        Args:
            written: the key as it stands there, null for none.
            fits: whether the text beside it is that of a task.
            is_of_some: whether it is that of any; one that was changed is of none, and says
                nothing against a key.
        """
        if written is None:
            return Known(None, "no key")
        # Some put quotes around a text, or an apostrophe before it.
        core = reading(written).strip("'\" ").removeprefix(_PREFIX)
        if core in self._by_core:
            return Known(self._by_core[core])
        alike = [self._by_core[core] for core in self._damaged(core)]
        if not alike:
            return Known(None, f"key {written!r} is not of this sample")
        what = f"key {written!r} is a number that a spreadsheet made of it"
        fitting = [task for task in alike if fits(task)] if is_of_some else alike
        if len(fitting) == 1:
            return Known(fitting[0], f"{what}; it was {fitting[0]!r}")
        return Known(None, f"{what}; it may have been {' or '.join(map(repr, alike))}")

    def _damaged(self, written: str) -> list[str]:
        """Keys that a spreadsheet writes so, once it has taken them for numbers."""
        if written in _ENDLESS:
            value, digits = math.inf, _LONG
        else:
            number = _WRITTEN_NUMBER.fullmatch(_GROUPED.sub("", written))
            if number is None:
                return []
            mantissa, exponent = number[1].replace(",", "."), number[2]
            value = float(mantissa + (exponent or ""))
            shown = len(mantissa.replace(".", ""))
            digits = _SHORT if exponent and shown <= _SHORT else _LONG
        # LibreOffice writes the greatest number that it knows for one beyond it.
        endless = value > 1e308  # noqa: PLR2004
        return [
            core
            for core, number_of_key in self._numbers.items()
            if (
                math.isinf(number_of_key)
                if endless
                else math.isclose(number_of_key, value, rel_tol=5 * 10.0**-digits)
            )
        ]
