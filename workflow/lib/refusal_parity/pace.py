"""How fast responses come, in words; and how long a run takes, by what earlier ones took."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from refusal_parity.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from refusal_parity.workload import Workload

_RULES: Final = ("generate_responses", "ask_server")
_ENDED: Final = re.compile(r"([\d,]+) responses? in (\d+) s\b")
_FEWEST: Final = 20
"""Fewer responses than this tell no speed: the first wait for a start."""


def ended(responses: int, seconds: float) -> str:
    """What a job says at its end; `speeds` reads it."""
    return f"{counted(responses, 'response')} in {seconds:.0f} s"


def speeds(logs: Path, models: Iterable[str]) -> dict[str, float]:
    """Responses a second of each model's last run, as far as its log tells.

    Args:
        logs: the study's folder of logs.
        models: keys of models.
    """
    found = {}
    for model in models:
        for path in (logs / rule / f"{model}.log" for rule in _RULES):
            told = _ENDED.findall(path.read_text("utf-8")) if path.is_file() else []
            if told:
                responses, seconds = (int(number.replace(",", "")) for number in told[-1])
                if responses >= _FEWEST and seconds:
                    found[model] = responses / seconds
    return found


def time_line(loads: Sequence[Workload], known: Mapping[str, float]) -> str:
    """How long the models take for what they are asked, as a sentence for the terminal.

    Args:
        loads: what each model is asked.
        known: responses a second, as from `speeds`.
    """
    told = [load for load in loads if load.model in known]
    if not told:
        return "  how long this takes is said once the first responses have come"
    each = ", ".join(
        f"{load.model} {duration((load.responses - (load.there or 0)) / known[load.model])}"
        for load in told
    )
    rest = "" if len(told) == len(loads) else "; of the others it is said once they answer"
    return f"  at the speed of the last run: {each}{rest}"


def speed(rate: float) -> str:
    """Responses a second, in a unit that leaves something before the point."""
    for unit, seconds in (("second", 1), ("minute", 60)):
        if rate * seconds >= 1:
            return f"{rate * seconds:,.0f} a {unit}"
    return f"{rate * 3600:,.0f} an hour"


def duration(seconds: float) -> str:
    """About how long that is, as people say it."""
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - people count that far in seconds
        return f"about {seconds:.0f} s"
    if minutes < 90:  # noqa: PLR2004
        return f"about {minutes} min"
    return f"about {minutes // 60:,} h {minutes % 60} min"
