"""A results folder whose jobs share one store of responses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
from server_jobs import job_of

from refusal_parity.expansion import expand
from refusal_parity.inference.running import run_job
from refusal_parity.tables import (
    Responses,
    read_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from failing_server import Server


NAMES = ("Ana", "Bo", "Cy", "Di")


def prompts_with(
    names: tuple[str, ...], templates: tuple[str, ...], **arms: str | None
) -> pl.DataFrame:
    return expand(
        pl.DataFrame(
            {
                "template_id": [f"t-{text}" for text in templates],
                "family": "f",
                "template": [f"{text} [NAME]" for text in templates],
            }
        ),
        pl.DataFrame(
            {
                "name_id": [f"n-{name}" for name in names],
                "name": names,
                "group": "x",
                "gender": "w",
                "commonness": "c",
            }
        ),
        arms or {"plain": None},
    )


class Place:
    """A results folder with one store, and a server that counts."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.said: list[str] = []

    def run(
        self, prompts: pl.DataFrame, study: str = "s", key: str = "m", **changes: Any
    ) -> tuple[int, pl.DataFrame]:
        """Run a job; how many requests it took, and its table."""
        job = replace(job_of(self.server), key=key, store=self.folder / ".responses", **changes)
        before = self.server.asked.total()
        self.said.clear()
        output = self.folder / study / key / "responses.parquet"
        run_job(job, prompts, output, say=self.said.append)
        return self.server.asked.total() - before, read_table(Responses, output)


def is_whole(table: pl.DataFrame) -> bool:
    return len(table) > 0 and set(table["status"]) == {"ok"}
