"""What `workflow/rules/upstream.smk` mends is broken without it, and whole with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import runpy
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import snakemake_executor_plugin_slurm as plugin
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def accounting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An sacct that says of its one job what SLURM 22.05 said after an scancel."""
    sacct = tmp_path / "sacct"
    sacct.write_text("#!/bin/sh\necho '7|CANCELLED by 1000'\n", "utf-8")
    sacct.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def _look() -> tuple[list[str], list[str]]:
    """Let the plugin look after job 7; the jobs that it waits for and those that failed."""
    executor = object.__new__(plugin.Executor)
    settings = plugin.ExecutorSettings(status_command="sacct")
    executor.workflow = SimpleNamespace(executor_settings=settings)
    executor.logger = logging.getLogger("plugin")
    executor.status_rate_limiter = contextlib.nullcontext()
    executor.next_seconds_between_status_checks = 40
    failed: list[str] = []
    executor.report_job_error = lambda job, **_: failed.append(job.external_jobid)
    executor.__post_init__(test_mode=True)
    job = SubmittedJobInfo(SimpleNamespace(), external_jobid="7", aux={})

    async def look() -> list[str]:
        return [waits.external_jobid async for waits in executor.check_active_jobs([job])]

    return asyncio.run(look()), failed


@pytest.mark.usefixtures("accounting")
def test_cancelled_job_is_waited_for_no_longer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _look() == (["7"], []), (
        "the plugin understands `CANCELLED by` now: remove understand_cancelled_by"
    )
    # Put back after the test.
    monkeypatch.setattr(plugin, "query_job_status", plugin.query_job_status)
    mended = runpy.run_path(str(root / "workflow" / "rules" / "upstream.smk"))
    mended["understand_cancelled_by"]()
    assert _look() == ([], ["7"])
