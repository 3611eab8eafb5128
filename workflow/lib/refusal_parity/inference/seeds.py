"""A seed for each single request."""

from __future__ import annotations

import hashlib


def request_seed(study_seed: int, model: str, prompt_id: str, sample: int) -> int:
    """63-bit seed from a hash of the response's key.

    Two samples of a prompt, two prompts and two models never share a seed, and
    a row's seed does not depend on which other rows there are.
    """
    key = f"{study_seed}|{model}|{prompt_id}|{sample}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1
