"""The tutorial's code, run on a real demo study, prints what the tutorial shows."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]

STEP = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


RESPONSES_OF_THE_PAGE = "ceb401f873bf80d8"
"""Hash of the responses that the page's numbers come from."""


def _shape(text: str) -> list[str]:
    """The words of a text, without its numbers."""
    return re.findall(r"[a-z_]+", text)


@pytest.fixture(scope="module")
def as_shown(demo: Workplace) -> bool:
    """Whether the responses are those of the page; another processor may draw others."""
    texts = hashlib.sha256()
    for model in ("demo-even", "demo-guarded"):
        path = demo.folder / "results/demo/models" / model / "responses.parquet"
        responses = read_table(Responses, path).sort("prompt_id", "sample")
        texts.update(responses["response"].str.join("\n").item().encode())
    return texts.hexdigest()[:16] == RESPONSES_OF_THE_PAGE


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "tutorial.md").read_text("utf-8")


def test_code_prints_the_tables_that_are_shown(
    demo: Workplace,
    page: str,
    as_shown: bool,  # noqa: FBT001 - a fixture
) -> None:
    steps = STEP.findall(page)
    assert len(steps) == page.count("```python")
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
    if as_shown:
        for now, (_, shown) in zip(printed, steps, strict=True):
            assert now == shown
        return
    # The first step prints responses, whose words may be others too.
    assert len(printed[0].splitlines()) == len(steps[0][1].splitlines())
    for now, (_, shown) in zip(printed[1:], steps[1:], strict=True):
        assert _shape(now) == _shape(shown)


def test_summary_reads_as_shown(
    demo: Workplace,
    page: str,
    as_shown: bool,  # noqa: FBT001 - a fixture
) -> None:
    summary = (demo.folder / "results/demo/summary.txt").read_text("utf-8")
    shown = re.search(r"```text\n(Report: .*?)```", page, re.DOTALL)
    assert shown is not None
    if as_shown:
        assert summary == shown[1]
    for line, like in zip(summary.splitlines(), shown[1].splitlines(), strict=True):
        assert line.split(": ")[0] == like.split(": ")[0]
