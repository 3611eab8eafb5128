"""Inference jobs, each in a process of its own that tests may kill.

Reads a line of JSON for each job; forks; answers with the job's process id and,
when it has ended, with its status. Importing the engine takes longer than the
jobs of a test, and forking spares it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

# Imported before the fork.
from vllm import LLM  # noqa: F401

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.console import job
from refusal_parity.inference.responses import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Prompts, read_table


def run(settings: dict[str, str]) -> None:
    """Run a job of a local model."""
    folder = Path(settings["model"])
    with job("job", settings["log"]) as say:
        run_job(
            InferenceJob(
                key="demo",
                model=VllmModel(
                    engine="vllm", source=FolderSource(path=str(folder)), prompt_mode="chat"
                ),
                folder=folder,
                samples=3,
                sampling=SamplingConfig(max_tokens=128, temperature=float(settings["temperature"])),
                chunk_s=float(settings["chunk_s"]),
            ),
            read_table(Prompts, Path(settings["prompts"])),
            Path(settings["output"]),
            say=say,
        )


def main() -> None:
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
