from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from refusal_parity.inference.servers.retrying import wait_before


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "600"}, 600),
    ],
)
def test_the_server_says_how_long(headers: dict[str, str], expected: float) -> None:
    assert wait_before(0, headers) == expected


def test_a_date_is_a_time_too() -> None:
    in_a_minute = {"retry-after": formatdate(time.time() + 60, usegmt=True)}
    assert 57 < wait_before(0, in_a_minute) <= 60


@pytest.mark.parametrize("given", ["", "soon", "-3", "0", "86400", "nan"])
def test_what_cannot_be_waited_for_is_not(given: str) -> None:
    assert 0.375 <= wait_before(0, {"retry-after": given}) <= 0.5


def test_waits_grow_to_half_a_minute() -> None:
    for tries, longest in enumerate([0.5, 1, 2, 4, 8, 16, 30, 30]):
        assert 0.75 * longest <= wait_before(tries) <= longest
    assert wait_before(10_000) <= 30
