"""What a job says: all to its log, progress and the reason of a failure to the terminal too."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError
from refusal_parity.textfiles import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RETURN: Final = "\N{SYMBOL FOR CARRIAGE RETURN}"


_INTERRUPTED: Final = 130
"""Exit code of a process that Ctrl-C ended, as shells have it."""


@contextmanager
def job(title: str, log: str | os.PathLike[str]) -> Iterator[Callable[[str], None]]:
    """Run a job's body with its output in a log.

    Standard output and standard error go to the log, those of libraries and
    child processes too. A failure ends the process with status 1, after one
    line on the terminal; the stack trace of one that the user did not cause
    stands in the log.

    Args:
        title: what the job is called on the terminal.
        log: the log's path.

    Yields:
        A function that writes a line of progress to the log and the terminal.
    """
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.dup(2), "w", buffering=1) as terminal, path.open("w", buffering=1) as file:
        sys.stdout.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        logging.captureWarnings(capture=True)

        def say(line: str) -> None:
            line = _within_log(line)
            now = datetime.now(tz=UTC).strftime("%H:%M:%S")
            # The terminal first: the log's disk may be full.
            terminal.write(f"[{title}] {line}\n")
            file.write(f"{now} {line}\n")

        try:
            yield say
        except InputError as error:
            say(f"ERROR {error}")
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            # What an engine's processes say of it would hide this.
            say("stopped by Ctrl-C; run again to go on")
            raise SystemExit(_INTERRUPTED) from None
        except Exception as error:  # noqa: BLE001 - the last one to see it
            sys.stderr.flush()
            file.write(_within_log(traceback.format_exc().rstrip()) + "\n")
            say(f"ERROR {type(error).__name__}: {error} (more in {path})")
            raise SystemExit(1) from None


def _within_log(text: str) -> str:
    """The text as it can stand in a log.

    Servers and files are quoted in it: nothing of theirs is obeyed by a terminal or reads
    as a line of the log.
    """
    return "\n    ".join(printable(text).replace("\r", _RETURN).split("\n"))
