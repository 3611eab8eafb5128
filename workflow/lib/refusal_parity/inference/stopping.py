"""SIGTERM, the warning that a scheduler gives before it kills, and Ctrl-C."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STOPPED: Final = 128 + signal.SIGTERM
"""Exit code of a job that saved what it had and wants to be submitted again."""


_BY: Final[dict[int, str]] = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "Ctrl-C"}


class Stopped(SystemExit):
    """The job was asked to stop; ends the process with status `STOPPED`."""

    def __init__(self) -> None:
        super().__init__(STOPPED)


class Sigterm:
    """Within its `with` block, SIGTERM and Ctrl-C raise `Stopped`; outside it they do as ever.

    Attributes:
        asked: whether one of them has come.
        by: which of them, in words.
    """

    def __init__(self) -> None:
        self.asked = False
        self.by = ""
        self._held = False

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._note) for each in _BY}
        return self

    def __exit__(self, *exception: object) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the block finish first: it must not be cut off."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def check(self) -> None:
        """Raise `Stopped` if one came while it could not be raised."""
        if self.asked:
            raise Stopped

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # A scheduler may send it more than once, and the second must not cut
        # off the saving that the first one began.
        first, self.asked = not self.asked, True
        self.by = self.by or _BY[number]
        if first and not self._held:
            raise Stopped
