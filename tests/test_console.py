from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BODY = """
import os, sys
from refusal_parity.console import job
from refusal_parity.errors import InputError
with job("model-a", sys.argv[1]) as say:
    print("to the log")
    os.system("echo from a child >&2")
    say("half done")
    {last}
"""


def _run(root: Path, log: Path, last: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BODY.format(last=last), str(log)],
        env={"PYTHONPATH": str(root / "workflow" / "lib"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("last", "status", "terminal", "logged"),
    [
        ("pass", 0, "[model-a] half done\n", "from a child"),
        (
            "raise InputError('no rows', where='a.csv', remedy='Add one.')",
            1,
            "[model-a] half done\n[model-a] ERROR a.csv: no rows. Add one.\n",
            "ERROR a.csv: no rows. Add one.",
        ),
        (
            "raise KeyboardInterrupt",
            130,
            "[model-a] half done\n[model-a] stopped by Ctrl-C; run again to go on\n",
            "stopped by Ctrl-C",
        ),
        ("1 / 0", 1, "ERROR ZeroDivisionError: division by zero (more in ", "Traceback"),
    ],
)
def test_terminal_gets_progress_and_reason_the_log_all(
    root: Path, tmp_path: Path, last: str, status: int, terminal: str, logged: str
) -> None:
    log = tmp_path / "logs" / "job.log"
    result = _run(root, log, last)
    text = log.read_text("utf-8")
    assert result.returncode == status
    assert terminal in result.stderr
    assert "Traceback" not in result.stderr
    assert "to the log" not in result.stdout + result.stderr
    assert logged in text
    assert "to the log" in text


def test_nothing_that_is_quoted_is_obeyed_or_reads_as_a_line_of_the_log(
    root: Path, tmp_path: Path
) -> None:
    quoted = r"'\x1b[2J\x1b]0;t\x07bad\r\n[model-a] fine\x9b \u202e'"
    result = _run(root, tmp_path / "log", f"raise InputError({quoted}, where='s', remedy='')")
    fault = _run(root, tmp_path / "fault", r"raise ValueError('\x1b[2J\n12:00:00 fine\r')")
    for text in (
        *(result.stderr, fault.stderr),
        *((tmp_path / name).read_text("utf-8") for name in ("log", "fault")),
    ):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "\u241b[2J" in result.stderr
    assert not re.search(r"^\[model-a\] fine", result.stderr, re.MULTILINE)
    for text in (fault.stderr, (tmp_path / "fault").read_text("utf-8")):
        assert not re.search("^12:00:00 fine", text, re.MULTILINE)
