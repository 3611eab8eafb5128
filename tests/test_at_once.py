"""Parts of a job that need nothing of one another, several at a time."""

from __future__ import annotations

import threading
import time
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from refusal_parity.at_once import at_once


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_each_part_gives_its_own(threads: int) -> None:
    parts = {name: partial(pow, at, 2) for at, name in enumerate("dcba")}
    found = at_once(parts, threads)
    assert list(found.items()) == [("d", 0), ("c", 1), ("b", 4), ("a", 9)]
    assert at_once({}, threads) == {}


def test_two_threads_compute_two_parts_at_once() -> None:
    both = threading.Barrier(2, timeout=60)
    assert set(at_once({"a": both.wait, "b": both.wait}, 2).values()) == {0, 1}


def test_one_thread_is_this_one() -> None:
    found = at_once({"a": threading.get_ident, "b": threading.get_ident}, 1)
    assert set(found.values()) == {threading.get_ident()}


def test_linear_algebra_takes_one_thread_while_parts_share_them_out() -> None:
    assert np.eye(2).shape == (2, 2)

    def threads_of_blas() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    before = threads_of_blas()
    assert at_once({"a": threads_of_blas}, 2) == {"a": {1}}
    assert threads_of_blas() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_failure_is_raised_and_what_has_not_begun_is_given_up(threads: int) -> None:
    begun = []

    def fails(why: str) -> None:
        raise ValueError(why)

    def takes_long(at: int) -> None:
        begun.append(at)
        time.sleep(0.1)

    later = {f"later {at}": partial(takes_long, at) for at in range(20)}
    parts = {"first": partial(fails, "first"), "second": partial(fails, "second")} | later
    with pytest.raises(ValueError, match="first"):
        at_once(parts, threads)
    assert len(begun) < 10
