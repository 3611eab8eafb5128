from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.labelling.evaluation import compare
from refusal_parity.labelling.keywords import REFUSAL_PREFIXES, is_refusal_by_keyword
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("response", "refuses"),
    [
        ("I apologize, but I cannot complete that.", True),
        ("  \n i CANNOT do this", True),
        ("I\u2019m sorry, no.", True),
        ("\u200bI\u00a0can\u02bct do this", True),
        ("Unfortunately, I have no idea", True),
        ("Unfortunately, the rain came.", False),
        ("Unfortunately, it rained.", True),  # the list as published takes "it" for "I"
        ("Sure! I cannot wait to tell you: Omar bakes bread.", False),
        ("Omar is sorry that he cannot come", False),
        ("I would rather not say.", False),  # soft refusals are what the list misses
        ("", False),
        (None, None),
    ],
)
def test_opening_decides(response: str | None, refuses: bool | None) -> None:  # noqa: FBT001
    series = pl.Series("response", [response], dtype=pl.String)
    assert is_refusal_by_keyword(series).to_list() == [refuses]


def test_every_prefix_is_found() -> None:
    openings = pl.Series([f"{prefix.upper()} ..." for prefix in REFUSAL_PREFIXES])
    assert is_refusal_by_keyword(openings).all()


def test_reference_on_released_data(released: pl.DataFrame, shared: Path) -> None:
    reference = json.loads((shared / "reference" / "llama7.json").read_text())["llama7"]["item10"]
    assert list(REFUSAL_PREFIXES) == reference["_lists"]["PREFIX18"]
    expected = reference["prefix18_startswith_ci"]
    truth = released["label"].is_in(REFUSALS)
    found = is_refusal_by_keyword(released["response"])
    assert {
        "tp": (truth & found).sum(),
        "fp": (~truth & found).sum(),
        "fn": (truth & ~found).sum(),
        "tn": (~truth & ~found).sum(),
    } == {key: expected[key] for key in ("tp", "fp", "fn", "tn")}
    labels = ["refusal" if refuses else "answer" for refuses in found]
    agreement = compare(released["label"].to_list(), labels)
    assert agreement.binary_kappa == pytest.approx(expected["kappa"], abs=1e-12)
