"""Bounds for what somebody else's file or server makes this process do."""

from __future__ import annotations

import resource
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATM: Final = Path("/proc/self/statm")


class TooLongError(Exception):
    """It took longer than it may."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let the body take so long at most.

    Jobs do their work in the main thread of their process; elsewhere there is no limit.

    Raises:
        TooLongError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise TooLongError(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def no_more_memory_than(megabytes: int) -> Iterator[None]:
    """Let the body take so much more memory than the process has already.

    Only Linux says how much that is; elsewhere there is no limit.

    Raises:
        MemoryError: it wanted more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(_STATM.read_text("ascii").split()[0])
        limit = pages * resource.getpagesize() + megabytes * 1024**2
        if resource.RLIM_INFINITY in (soft, hard) or limit < min(soft, hard):
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
