"""A seed for each single request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from refusal_parity.config import SamplingConfig


def request_seed(study_seed: int, sent: str, number: int) -> int:
    """63-bit seed from a hash of the study's seed, what is sent, and the sample's number.

    A row's seed does not depend on which other rows there are, nor on what the study calls
    its models, names and arms.
    """
    key = f"{study_seed}|{sent}|{number}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1


def request_seeds(rows: pl.DataFrame, sampling: SamplingConfig, model: str) -> pl.Series:
    """Seeds of a job's requests, no two alike.

    Args:
        rows: `sent` and `number` of each request.
        sampling: holds the study's seed.
        model: the model's key in the config.

    Raises:
        InputError: two are alike, of which the chance is 5 in a million for
            ten million requests.
    """
    keys = rows.select("sent", "number").iter_rows()
    seeds = pl.Series([request_seed(sampling.seed, *key) for key in keys], dtype=pl.Int64)
    if seeds.n_unique() < len(seeds):
        raise InputError(
            "two requests have the same seed",
            where=f"models.{model}",
            remedy="Set sampling.seed to another number.",
        )
    return seeds
