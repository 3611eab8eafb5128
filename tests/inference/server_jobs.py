"""Jobs that ask `failing_server`; without openai, what imports them is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.expansion import expand

pytest.importorskip("openai")

from refusal_parity.inference.job import InferenceJob

if TYPE_CHECKING:
    from failing_server import Server


def prompts_of(*ways: str) -> pl.DataFrame:
    """A prompt for each way, which the server takes by its first word."""
    templates = pl.DataFrame(
        {"template_id": ways, "family": "f", "template": [f"{way} [NAME]" for way in ways]}
    )
    names = pl.DataFrame(
        {"name_id": ["a"], "name": ["Ana"], "group": ["x"], "gender": "w", "commonness": "c"}
    )
    return expand(templates, names, {"plain": None})


def job_of(server: Server, *, samples: int = 1, **changes: Any) -> InferenceJob[OpenAIModel]:
    """A job that asks the server, under settings that a test may change."""
    settings = {
        "base_url": f"http://127.0.0.1:{server.server_port}/v1",
        "model": "told",
        "api_key_env": "TEST_KEY",
        "timeout_s": 30,
        "retries": 3,
        "prompt_price": 1.0,
        "response_price": 5.0,
    }
    model = OpenAIModel(engine="openai", **settings | changes)
    return InferenceJob(key="m", model=model, samples=samples, sampling=SamplingConfig())
