"""What a job warned of, kept for the report: a log is not always read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

WARNING: Final = "WARNING "
"""What a line begins with that a reader of the results should know of."""


class Warned:
    """Says lines as it is told, and keeps the warnings among them.

    Attributes:
        warnings: their words, in the order in which they were said.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.warnings: list[str] = []

    def __call__(self, line: str) -> None:
        """Say a line."""
        if line.startswith(WARNING):
            self.warnings.append(line.removeprefix(WARNING))
        self._say(line)
