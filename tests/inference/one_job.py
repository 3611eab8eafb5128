"""Inference jobs, each in a process of its own that tests may kill.

Reads a line of JSON for each job; forks; answers with the job's process id and, when it
has ended, with its status. Importing, that of the engine above all, takes longer than the
jobs of a test, and forking spares it: the modules named on the command line are imported
before the first fork.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from refusal_parity.config import ModelConfig, SamplingConfig
from refusal_parity.console import job
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Prompts, read_table


def run(settings: dict[str, Any]) -> None:
    """Run a job as a test wants it."""
    with job("job", settings["log"]) as say:
        run_job(
            InferenceJob(
                key="m",
                model=TypeAdapter(ModelConfig).validate_python(settings["model"]),
                folder=Path(settings.get("folder", "")),
                samples=int(settings["samples"]),
                sampling=SamplingConfig.model_validate(settings.get("sampling", {})),
                chunk_s=float(settings["chunk_s"]),
                store=Path(settings["store"]) if "store" in settings else None,
                again=settings.get("again", False),
            ),
            read_table(Prompts, Path(settings["prompts"])),
            Path(settings["output"]),
            say=say,
        )


def main() -> None:
    for module in sys.argv[1:]:
        importlib.import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                run(json.loads(line))
            except SystemExit as error:
                os._exit(int(error.code or 0))
            os._exit(0)
        print(child, flush=True)  # noqa: T201 - the answer
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
