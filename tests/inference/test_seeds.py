from __future__ import annotations

from refusal_parity.inference.seeds import request_seed


def test_no_two_of_many_requests_share_a_seed() -> None:
    seeds = {
        request_seed(1, model, f"{prompt:04x}", sample)
        for model in ("a", "b")
        for prompt in range(2000)
        for sample in range(10)
    }
    assert len(seeds) == 2 * 2000 * 10
    assert 0 <= min(seeds) <= max(seeds) < 2**63


def test_seeds_are_the_same_on_every_machine() -> None:
    # The first 16 digits of `echo -n "1|demo|ab|0" | sha256sum`, halved.
    assert request_seed(1, "demo", "ab", 0) == 5295374562126854133
