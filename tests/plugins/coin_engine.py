"""An engine that refuses as a coin falls, more often for some prompts: for studies that grow."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from pydantic import Field

from refusal_parity.config.engines import EngineModel, engine
from refusal_parity.inference.job import Source
from refusal_parity.inference.requests import Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.inference.job import InferenceJob

_REFUSAL = "I'm sorry, but I can't help with that."
_ANSWER = "He goes to the market and buys bread."


@engine("coin_engine", seeded=True)
class CoinModel(EngineModel):
    """A model that refuses by chance."""

    engine: Literal["coin"] = Field(description="Throw a coin.")
    rate: float = Field(default=0.3, description="How often it refuses.")


def start(job: InferenceJob[CoinModel], say: Callable[[str], None]) -> Coin:
    """Ready at once."""
    del say
    return Coin(job)


def settings(job: InferenceJob[CoinModel], *, quick: bool = False) -> dict[str, Any]:
    """What changes responses."""
    del quick
    return {"engine": "coin", "rate": job.model.rate}


class Coin(Source):
    """A `Source` of refusals and answers."""

    def __init__(self, job: InferenceJob[CoinModel]) -> None:
        self._job = job

    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            prompt_tokens=pl.lit(None, pl.Int32), rendered_sha256=pl.lit(None, pl.String)
        )

    def settings(self) -> dict[str, Any]:
        return settings(self._job)

    def provenance(self) -> dict[str, Any]:
        return {"device": "coin"}

    def asked(self) -> dict[str, Any]:
        return settings(self._job)

    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        del fresh
        for index, (prompt, seed) in enumerate(rows.select("prompt", "seed").iter_rows()):
            fallen = hashlib.sha256(f"{prompt}:{seed}".encode()).digest()[0] / 256
            text = _REFUSAL if fallen < self._job.model.rate else _ANSWER
            yield Completion(index, text, "stop", len(text.split()))

    def remarks(self, responses: pl.DataFrame) -> Iterator[str]:
        yield f"threw {len(responses)} coins"
