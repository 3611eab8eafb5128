"""SLURM's own commands, run with a limit on the time they take."""

from __future__ import annotations

import os
import subprocess
from typing import Final

PATIENCE_S: Final = 60


class CommandError(Exception):
    """A command is missing, failed or did not answer; its text says which and why."""


def ask(*command: str, patience_s: float = PATIENCE_S) -> str:
    """Standard output of a command.

    Times are asked for as seconds since 1970, whatever the cluster's zone.

    Raises:
        CommandError: it is missing, fails or takes too long.
    """
    try:
        result = subprocess.run(  # noqa: S603 - no shell
            command,
            env=os.environ | {"SLURM_TIME_FORMAT": "%s"},
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
        )
    except FileNotFoundError:
        raise CommandError(f"{command[0]} is not installed here") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"{command[0]} did not answer within {patience_s:g} s") from None
    if result.returncode != 0:
        reason = " ".join((result.stderr or result.stdout).split()) or "no reason given"
        raise CommandError(f"{command[0]} fails: {reason}")
    return result.stdout
