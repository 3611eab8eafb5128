"""Whether a server is there: what is said when it is not, and when to give it up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_WORD_S: Final = 3.0
_NEXT_WORD_S: Final = 30.0
_NEVER_THERE_S: Final = 4.0


class ServerWatch:
    """Keeps an eye on a server while it is asked.

    A server out of reach costs no try of a request: requests wait until it is back. It is
    given up after four seconds if it never answered, since then the address is wrong, and
    after `patience_s` if it did.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch a server that was not asked anything yet.

        Args:
            say: called with a line when the server fails and when it is back.
            patience_s: how long it may be out of reach once it has answered.
            clock: the time in seconds.
        """
        self._say = say
        self._patience_s = patience_s
        self._clock = clock
        self._there = False
        self._failing_since: float | None = None
        self._gone_since: float | None = None
        self._spoke: float | None = None
        self._heard = clock()
        self._words = ""

    @property
    def is_there(self) -> bool:
        """Whether anything ever came from the server."""
        return self._there

    def answered(self) -> None:
        """Note an answer, of whatever kind but a passing failure."""
        self._there = True
        self._heard = self._clock()
        if self._spoke is not None and self._failing_since is not None:
            self._say(f"the server answers again, after {self._seconds(self._failing_since)} s")
        self._failing_since = self._gone_since = self._spoke = None

    def failed(self, words: str, *, unreachable: bool) -> None:
        """Note that a request failed, and whether nothing was there at all."""
        self._words = words
        self._heard = now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        if not unreachable:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = now
        self._there = self._there or not unreachable

    def look(self) -> str | None:
        """Say what has to be said; returns why to give the server up, null to go on."""
        now = self._clock()
        since = self._failing_since
        silent = since is None and now - self._heard > _NEXT_WORD_S
        due = self._spoke is None or now - self._spoke > _NEXT_WORD_S
        if since is not None and now - since > _FIRST_WORD_S and due:
            self._spoke = now
            self._say(
                f"no answer for {self._seconds(since)} s ({self._words}); trying again, what was "
                "answered is kept"
            )
        elif silent and due:
            self._spoke = now
            self._say(
                f"waiting: the server has answered nothing for {self._seconds(self._heard)} s"
            )
        if self._gone_since is None:
            return None
        patience_s = self._patience_s if self._there else _NEVER_THERE_S
        if now - self._gone_since <= patience_s:
            return None
        return f"the server cannot be reached ({self._words})"

    def _seconds(self, since: float) -> str:
        return f"{self._clock() - since:.0f}"
