from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.pace import duration, ended, speed, speeds, time_line
from refusal_parity.workload import Workload

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4, "4 s"),
        (89, "89 s"),
        (90, "2 min"),
        (5369, "89 min"),
        (5400, "1 h 30 min"),
        (240, "4 min"),
        (5000, "83 min"),
        (7170, "2 h 0 min"),
        (21_615, "6 h 0 min"),
    ],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == f"about {words}"


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (227.4, "227 a second"),
        (1, "1 a second"),
        (0.5, "30 a minute"),
        (1 / 60, "1 a minute"),
        (0.01, "36 an hour"),
    ],
)
def test_speeds_in_words(rate: float, words: str) -> None:
    assert speed(rate) == words


def _log(folder: Path, rule: str, model: str, *lines: str) -> None:
    path = folder / rule / f"{model}.log"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"20:46:11 {line}\n" for line in lines), "utf-8")


def test_the_speed_of_the_last_run_is_read_from_what_it_said(tmp_path: Path) -> None:
    first, last = ended(1_000, 10), ended(5_376, 24.4)
    _log(tmp_path, "generate_responses", "here", "starting the engine", first, last)
    _log(tmp_path, "ask_server", "vendor", ended(60, 120), "used: 9 tokens")
    _log(tmp_path, "generate_responses", "stopped", "12 of 600 responses, 3 a second")
    _log(tmp_path, "generate_responses", "short", ended(19, 3))
    _log(tmp_path, "generate_responses", "just", ended(20, 4))
    _log(tmp_path, "generate_responses", "nothing", ended(0, 0))
    _log(tmp_path, "generate_responses", "taken over", ended(25, 0.2))
    models = ["here", "vendor", "stopped", "short", "just", "nothing", "taken over", "never"]
    assert speeds(tmp_path, models) == {"here": 5_376 / 24, "vendor": 0.5, "just": 5.0}


def _load(model: str, there: int | None = None) -> Workload:
    return Workload(
        model=model, there=there, responses=1_200, most_tokens=9, sent_tokens=9, price=0.0
    )


def test_how_long_a_run_takes_is_said_as_far_as_it_is_known() -> None:
    loads = [_load("a"), _load("b")]
    assert "once the first responses have come" in time_line(loads, {"c": 3.0})
    assert time_line(loads, {"a": 2.0, "b": 20.0}) == (
        "  at the speed of the last run: a about 10 min, b about 60 s"
    )
    said = time_line(loads, {"a": 2.0})
    assert said.endswith("a about 10 min; of the others it is said once they answer")
    # What is there already takes no time.
    assert time_line([_load("a", there=600)], {"a": 2.0}).endswith("a about 5 min")
