"""Where refusals are common, and open too variously: nothing is weighed, and it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.openings.learnt import learnt_from
from refusal_parity.openings.pilot import Pilot, trees
from refusal_parity.openings.worth import LOSS, RARE, Worth, tokens_of, worth
from refusal_parity.tables import Responses, filled

SAMPLES = 3


class Speaker:
    """Of a model whose tokens are their own words."""

    key = "mine"

    def written(self, tokens: Any) -> str:
        return " ".join(map(str, tokens))


def pilot(rate: float, various: float, *, each: int = 20, seed: int = 0) -> Pilot:
    """Responses to 40 templates; so many of the refusals open as nothing else does."""
    random = np.random.default_rng(seed)
    rows = []
    for at in range(40):
        for sample in range(each):
            refuses = bool(random.random() < rate)
            tokens = [int(random.integers(100, 10**9)), at] if not refuses else [7, 8]
            if refuses and random.random() < various:
                tokens = [int(random.integers(100, 10**9)), at]
            rows.append(
                {
                    "prompt_id": f"p{at}", "sample": sample, "unit": f"t{at}", "fold": at % 5 + 1,
                    "tokens": tokens, "refuses": refuses,
                }
            )  # fmt: skip
    return Pilot(pl.DataFrame(rows))


def worth_of(seen: Pilot, **changes: Any) -> Worth:
    asked = {"samples": SAMPLES, "tokens": 8.0, "continued": True} | changes
    found = worth(seen, trees(seen, Speaker()), **asked)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rate", "various", "drawn"),
    [
        (0.2, 0.0, False),
        (0.2, 0.5, False),
        (0.2, 0.95, True),
        (0.6, 0.95, True),
        # Of rare refusals nothing is given up, whatever weighing leaves.
        (0.03, 0.95, False),
    ],
)
def test_common_refusals_that_open_variously_are_drawn(
    rate: float, various: float, *, drawn: bool
) -> None:
    found = worth_of(pilot(rate, various))
    assert found.rate == pytest.approx(rate, abs=0.05)
    assert found.outside == pytest.approx(various, abs=0.15)
    # One beginning is asked about, of half a response's tokens, and half a response is drawn on;
    # of so few refusals none is learnt to be one.
    assert found.draws == pytest.approx(1.0 if rate > RARE else 0.5)
    said = found.why_drawn()
    assert bool(said) == drawn
    if said:
        assert "(1 more a prompt) would say more: responses are drawn alone" in said


def test_the_gain_is_that_of_the_variances() -> None:
    """Where all responses open alike or not at all: by hand."""
    various = worth_of(pilot(0.3, 1.0), continued=False, tokens=1e9)
    # No tree, and nothing asked: what is left is what drawing leaves.
    assert (various.outside, various.draws) == (1.0, 0.0)
    assert various.gain == pytest.approx(1.0)
    assert worth_of(pilot(0.3, 1.0)).gain == pytest.approx(SAMPLES / (SAMPLES + 0.5))
    settled = worth_of(pilot(0.3, 0.0))
    assert settled.gain == float("inf")
    # One response a prompt: the variance is that of all responses.
    half = worth_of(pilot(0.3, 0.5, each=1, seed=4), continued=False)
    rows = pilot(0.3, 0.5, each=1, seed=4).rows
    share = rows["refuses"].mean()
    outside = half.outside * share  # type: ignore[operator]
    left = outside * (1 - outside) / SAMPLES
    expected = share * (1 - share) / (SAMPLES + half.draws) / left  # type: ignore[operator]
    assert half.gain == pytest.approx(expected)


def test_the_bounds_of_what_is_given_up() -> None:
    common, rare = RARE + 0.001, RARE
    lost = 1 / (1 + LOSS) - 0.001
    assert Worth(common, 0.9, 1.0, lost).why_drawn()
    assert not Worth(rare, 0.9, 1.0, lost).why_drawn()
    assert not Worth(common, 0.9, 1.0, lost + 0.002).why_drawn()


def test_what_does_not_refuse_has_no_worth() -> None:
    seen = pilot(0.0, 0.0)
    assert worth(seen, trees(seen, Speaker()), samples=3, tokens=8, continued=True) is None


def test_the_reason_stands_in_the_table() -> None:
    seen = pilot(0.2, 0.95)
    said = worth_of(seen).why_drawn()
    openings = trees(seen, Speaker()).clear()
    row = learnt_from(seen, openings, None, model="mine", study=None, there="mine", drawn=said)
    assert row["note"].to_list() == [said]


@pytest.mark.parametrize(
    ("counts", "mean"), [([4, None, 8], 6.0), ([None], 1.0), ([], 1.0), ([0, 0], 1.0)]
)
def test_tokens_of_a_response(counts: list[int | None], mean: float) -> None:
    rows = pl.DataFrame(
        {"response_tokens": counts, "sample": range(len(counts))},
        schema_overrides={"response_tokens": pl.Int32},
    ).with_columns(
        model=pl.lit("m"), prompt_id=pl.lit("p"), status=pl.lit("ok"),
        truncated=pl.lit(value=False), filtered=pl.lit(value=False),
    )  # fmt: skip
    assert tokens_of(filled(rows, Responses, where="test")) == mean
