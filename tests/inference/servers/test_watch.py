"""What is said of a server that fails, on a clock of the test's own."""

from __future__ import annotations

import pytest

from refusal_parity.inference.servers.watch import ServerWatch


class Scene:
    """A watch whose time the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.watch = ServerWatch(self.said.append, patience_s=60, clock=lambda: self.now)

    def fails_until(self, end: float, *, unreachable: bool = True) -> float | None:
        """Fail every half second; the time at which the server is given up."""
        while self.now < end:
            self.watch.failed("refused", unreachable=unreachable)
            if self.watch.look() is not None:
                return self.now
            self.now += 0.5
        return None


def test_a_wrong_address_is_given_up_at_once() -> None:
    scene = Scene()
    assert scene.fails_until(100) == pytest.approx(4.5)
    assert len(scene.said) == 1


def test_a_server_that_goes_is_waited_for_and_told_of() -> None:
    scene = Scene()
    scene.watch.answered()
    assert scene.fails_until(20) is None
    assert scene.said == ["no answer for 4 s (refused); trying again, what was answered is kept"]
    scene.watch.answered()
    assert scene.said[1:] == ["the server answers again, after 20 s"]
    assert scene.fails_until(200) == pytest.approx(80.5)
    assert [line.split(" (")[0] for line in scene.said[2:]] == [
        "no answer for 4 s",
        "no answer for 34 s",
    ]


def test_a_busy_server_is_told_of_and_not_given_up_here() -> None:
    scene = Scene()
    assert scene.fails_until(300, unreachable=False) is None
    assert len(scene.said) == 10
    assert scene.fails_until(400) == pytest.approx(360.5)


def test_short_failures_and_slow_answers() -> None:
    scene = Scene()
    scene.watch.failed("busy", unreachable=False)
    scene.now = 2.0
    scene.watch.look()
    scene.watch.answered()
    assert scene.said == []
    scene.now = 40.0
    scene.watch.look()
    assert scene.said == ["waiting: the server has answered nothing for 38 s"]
