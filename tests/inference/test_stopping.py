from __future__ import annotations

import os
import signal

import pytest

from refusal_parity.inference.stopping import Sigterm, Stopped


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")]
)
def test_the_first_signal_stops_and_the_second_disturbs_nothing(
    number: signal.Signals, words: str
) -> None:
    before = signal.getsignal(number)
    with Sigterm() as sigterm:
        with pytest.raises(Stopped):
            os.kill(os.getpid(), number)
        with sigterm.held():
            os.kill(os.getpid(), signal.SIGTERM)
        assert (sigterm.asked, sigterm.by) == (True, words)
    assert signal.getsignal(number) is before


def test_what_is_held_ends_first() -> None:
    with Sigterm() as sigterm:
        with sigterm.held():
            os.kill(os.getpid(), signal.SIGINT)
            done = True
        with pytest.raises(Stopped):
            sigterm.check()
    assert done
