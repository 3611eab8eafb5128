"""Jobs that ask a server, each in a process of its own that tests may kill.

Reads a line of JSON for each job; forks; answers with the job's process id and, when it
has ended, with its status. Importing takes longer than the jobs of a test.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.console import job
from refusal_parity.inference.asking import ServerJob, ask_server
from refusal_parity.tables import Prompts, read_table


def run(settings: dict[str, str]) -> None:
    """Ask the server of a test."""
    with job("job", settings["log"]) as say:
        ask_server(
            ServerJob(
                key="m",
                model=OpenAIModel.model_validate(settings["model"]),
                samples=int(settings["samples"]),
                sampling=SamplingConfig(),
                chunk_s=0.1,
            ),
            read_table(Prompts, Path(settings["prompts"])),
            Path(settings["output"]),
            say=say,
            again=bool(settings["again"]),
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
