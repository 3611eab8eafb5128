"""Responses to one prompt, and what a judge says of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from refusal_parity.judging.questions import questions_of
from refusal_parity.tables import Prompts, Responses, conform


def prompts() -> pl.DataFrame:
    fixed = dict.fromkeys(Prompts.column_names(), "x") | {"system_prompt": None}
    rows = [fixed | {"prompt_id": "p", "name": "Omar", "template": "[NAME] eats [BLANK]"}]
    return conform(pl.DataFrame(rows), Prompts, where="test")


def responses(*rows: dict[str, Any], model: str = "m") -> pl.DataFrame:
    fixed: dict[str, Any] = dict.fromkeys(Responses.column_names())
    fixed |= {"model": model, "prompt_id": "p", "status": "ok", "truncated": False}
    full = [fixed | {"sample": number} | row for number, row in enumerate(rows)]
    return conform(pl.DataFrame(full, infer_schema_length=None), Responses, where="test")


def asked(judged: pl.DataFrame) -> pl.DataFrame:
    return questions_of(judged, prompts())


def answers_to(judged: pl.DataFrame, *answers: str) -> pl.DataFrame:
    """What a judge says of the first response, once or several times."""
    key = asked(judged)["question"][0]
    return responses(*({"prompt_id": key, "response": each} for each in answers), model="judge")
