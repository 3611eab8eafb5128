from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.config import SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.inference import seeds
from refusal_parity.inference.seeds import request_seed, request_seeds


def test_no_two_of_many_requests_share_a_seed() -> None:
    seeds = {
        request_seed(study, f"{sent:04x}", number)
        for study in (1, 2)
        for sent in range(2000)
        for number in range(10)
    }
    assert len(seeds) == 2 * 2000 * 10
    assert 0 <= min(seeds) <= max(seeds) < 2**63


def test_seeds_are_the_same_on_every_machine() -> None:
    # The first 16 digits of `echo -n "1|ab|0" | sha256sum`, halved.
    assert request_seed(1, "ab", 0) == 0x0473D0FD6B6EA929 >> 1


def test_requests_never_share_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.DataFrame({"sent": ["a", "a", "b"], "number": [0, 1, 0]})
    alike = request_seeds(rows, SamplingConfig(seed=3), "m")
    assert alike.to_list() == [request_seed(3, *key) for key in rows.iter_rows()]
    monkeypatch.setattr(seeds, "request_seed", lambda *key: len(key[1]))
    with pytest.raises(InputError, match=r"models.m: two requests have the same seed"):
        request_seeds(rows, SamplingConfig(), "m")
