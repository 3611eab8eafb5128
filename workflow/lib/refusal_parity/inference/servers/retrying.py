"""How long to wait before a request is tried again."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_S: Final = 0.5
_LONGEST_S: Final = 30.0
_LONGEST_ASKED_S: Final = 600.0


def wait_before(tries: int, headers: Mapping[str, str] | None = None) -> float:
    """Seconds until the next try: as the server says, else ever longer.

    Doubles from half a second to half a minute, less up to a quarter by chance, so that
    requests that failed together do not come back together. A server may ask for ten
    minutes at most; one that asks for more is tried as if it had said nothing.

    Args:
        tries: tries again that were made before.
        headers: of the answer that failed.
    """
    asked = _asked_for(headers or {})
    if asked is not None and 0 < asked <= _LONGEST_ASKED_S:
        return asked
    chance = random.uniform(0.75, 1)  # noqa: S311 - no secret
    return float(min(_FIRST_S * 2 ** min(tries, 16), _LONGEST_S) * chance)


def _asked_for(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After`, in either of its forms, or `retry-after-ms` say."""
    try:
        return float(headers["retry-after-ms"]) / 1000
    except (KeyError, ValueError):
        pass
    given = headers.get("retry-after", "")
    try:
        return float(given)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(given).timestamp() - time.time()
    except (ValueError, TypeError):
        return None
