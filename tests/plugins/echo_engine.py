"""An engine of somebody else's: it answers with what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from pydantic import Field

from refusal_parity.config.engines import EngineModel, engine
from refusal_parity.inference.job import Source
from refusal_parity.inference.requests import Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.inference.job import InferenceJob


@engine("echo_engine", seeded=True, running=("greeting",))
class EchoModel(EngineModel):
    """A model that repeats."""

    engine: Literal["echo"] = Field(description="Repeat the prompt.")
    times: int = Field(default=1, description="How often.")
    greeting: str = Field(default="hello", description="What the log says first.")


def start(job: InferenceJob[EchoModel], say: Callable[[str], None]) -> Echo:
    """Ready at once."""
    say(job.model.greeting)
    return Echo(job)


def settings(job: InferenceJob[EchoModel], *, quick: bool = False) -> dict[str, Any]:
    """What changes responses."""
    del quick
    return {"engine": "echo", "times": job.model.times}


class Echo(Source):
    """A `Source` of repetitions."""

    def __init__(self, job: InferenceJob[EchoModel]) -> None:
        self._job = job

    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            prompt_tokens=pl.lit(None, pl.Int32), rendered_sha256=pl.lit(None, pl.String)
        )

    def settings(self) -> dict[str, Any]:
        return settings(self._job)

    def provenance(self) -> dict[str, Any]:
        return {"device": "echo"}

    def asked(self) -> dict[str, Any]:
        return settings(self._job)

    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        del fresh
        for index, prompt in enumerate(rows["prompt"]):
            text = " ".join([prompt] * self._job.model.times)
            yield Completion(index, text, "stop", len(text.split()))

    def remarks(self, responses: pl.DataFrame) -> Iterator[str]:
        yield f"repeated {len(responses)} prompts"
