"""Bounds for what somebody else's file or server makes this process do."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

Item = TypeVar("Item")

TEMPLATE_S: Final = 20.0
TEMPLATE_MB: Final = 500
"""What a chat template, a program that comes with a model, may take for one prompt."""

_STATM: Final = Path("/proc/self/statm")


class TooLongError(Exception):
    """It took longer than it may."""


class FailedApartError(Exception):
    """What a function raised in a process of its own, in its words."""


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


def apart(
    give: Callable[[Item], Any], items: Sequence[Item], *, seconds: float, megabytes: int
) -> Generator[Any]:
    """What a function gives for each item, in a process of its own that is ended if need be.

    `at_most` ends what comes back to Python now and then. A single step may not, such as
    one power of large numbers: of such a process the system makes an end.

    Args:
        give: what it gives is handed over as JSON.
        items: its arguments, one at a time.
        seconds: time for each.
        megabytes: memory for all, beyond what this process has.

    Yields:
        What it gave, in order.

    Raises:
        TooLongError: it took longer over an item.
        MemoryError: it wanted more.
        FailedApartError: it raised an error, or its process died.
    """
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        _give_all(give, items, sink, seconds, megabytes)
    os.close(sink)
    try:
        with os.fdopen(source, encoding="ascii") as answers:
            for _ in items:
                line = answers.readline()
                if not line.endswith("\n"):
                    break
                kind, given = json.loads(line)
                if kind == "memory":
                    raise MemoryError
                if kind == "failed":
                    raise FailedApartError(given)
                yield given
            else:
                return
        _, status = os.waitpid(child, 0)
        child = 0
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
            raise TooLongError(f"longer than {seconds:g} s")
        raise FailedApartError(f"the process ended with status {status}")
    finally:
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _give_all(
    give: Callable[[Item], Any],
    items: Sequence[Item],
    sink: int,
    seconds: float,
    megabytes: int,
) -> NoReturn:
    """The child's part: a line of JSON for each item, until one fails."""
    try:
        for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        # What is printed where a library dies says no more than that it did.
        faulthandler.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(sink, "w", encoding="ascii") as answers, no_more_memory_than(megabytes):
            for item in items:
                signal.setitimer(signal.ITIMER_REAL, seconds)
                try:
                    line = json.dumps(["given", give(item)])
                except MemoryError:
                    line = json.dumps(["memory", None])
                except Exception as error:  # noqa: BLE001 - the parent raises it
                    line = json.dumps(["failed", f"{error}" or type(error).__name__])
                signal.setitimer(signal.ITIMER_REAL, 0)
                print(line, file=answers, flush=True)
    finally:
        # Nothing of the parent's is cleaned up or written out here.
        os._exit(0)
