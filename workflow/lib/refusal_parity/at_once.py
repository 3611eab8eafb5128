"""Parts of a job that need nothing of one another, several at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")


def at_once(parts: Mapping[str, Callable[[], _T]], threads: int) -> dict[str, _T]:
    """What each part gives, in the order of the parts.

    Arrays are computed without Python's lock, so that two threads take little more than half
    the time of one.

    Args:
        parts: by name; they begin in this order, so that long ones come first.
        threads: how many parts at a time; of one, in this thread.

    Raises:
        Exception: that of the first part that failed; parts that had not begun are given up.
    """
    if threads <= 1:
        return {name: part() for name, part in parts.items()}
    # Linear algebra by one thread each: parts are what is shared out.
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        begun = {name: pool.submit(part) for name, part in parts.items()}
        try:
            return {name: each.result() for name, each in begun.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
