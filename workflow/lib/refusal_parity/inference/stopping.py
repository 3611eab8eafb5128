"""SIGTERM, the warning that a scheduler gives before it kills."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STOPPED: Final = 128 + signal.SIGTERM
"""Exit code of a job that saved what it had and wants to be submitted again."""


class Stopped(SystemExit):
    """The job was asked to stop; ends the process with status `STOPPED`."""

    def __init__(self) -> None:
        super().__init__(STOPPED)


class Sigterm:
    """Within its `with` block, SIGTERM raises `Stopped`; outside it kills as ever.

    Attributes:
        asked: whether SIGTERM has come.
    """

    def __init__(self) -> None:
        self.asked = False
        self._held = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the block finish first: it must not be cut off."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def check(self) -> None:
        """Raise `Stopped` if SIGTERM came while it could not be raised."""
        if self.asked:
            raise Stopped

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        # A scheduler may send it more than once, and the second must not cut
        # off the saving that the first one began.
        first, self.asked = not self.asked, True
        if first and not self._held:
            raise Stopped
