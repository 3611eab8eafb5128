"""What the user wants drawn anew, told by the process that plans to those that draw."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ALL: Final = "*"
_VARIABLE: Final = "REFUSAL_PARITY_ANEW"


def want_anew(what: Iterable[str]) -> None:
    """Let every process that this one starts draw some responses anew.

    What they have drawn since this moment is kept, when a job is tried again.

    Args:
        what: names of rules and paths of files, or `ALL`.
    """
    names = list(what)
    os.environ.pop(_VARIABLE, None)
    if names:
        wanted = {"since": datetime.now(tz=UTC).isoformat(), "what": names}
        os.environ[_VARIABLE] = json.dumps(wanted)


def wanted_anew(rule: str, output: Path) -> datetime | None:
    """Since when responses must have been drawn to count; null for any that there are."""
    wanted = json.loads(os.environ.get(_VARIABLE, "{}"))
    if not {ALL, rule, str(output)} & set(wanted.get("what", [])):
        return None
    return datetime.fromisoformat(wanted["since"])
