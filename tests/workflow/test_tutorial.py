"""The tutorial's code, run on a real demo study, prints what the tutorial shows."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]

STEP = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


def _shape(text: str) -> list[str]:
    """The words of a text: on another processor sampled numbers may be others."""
    return re.findall(r"[a-z_]+", text)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "tutorial.md").read_text("utf-8")


def test_code_prints_the_tables_that_are_shown(demo: Workplace, page: str) -> None:
    steps = STEP.findall(page)
    assert len(steps) == page.count("```python")
    # Answers to one prompt are drawn: their words may be others elsewhere.
    mark = "print('=' * 9)\n"
    program = mark.join(code for code, _ in steps)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=demo.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split("=" * 9 + "\n")
    for now, (_, shown) in zip(printed[1:], steps[1:], strict=True):
        assert _shape(now) == _shape(shown)
    assert len(printed[0].splitlines()) == len(steps[0][1].splitlines())


def test_summary_reads_as_shown(demo: Workplace, page: str) -> None:
    summary = (demo.folder / "results/demo/summary.txt").read_text("utf-8").splitlines()
    shown = re.search(r"```text\n(Report: .*?)```", page, re.DOTALL)
    assert shown is not None
    begins = [re.match(r"[\w ]+: [a-z/-]+", line) for line in shown[1].splitlines()]
    for line, begin in zip(summary, begins, strict=True):
        assert begin is not None
        assert line.startswith(begin[0])
