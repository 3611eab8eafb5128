from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.spreadsheets import guarded, unguarded


def _apply(rule: pl.Expr, text: str) -> str:
    return str(pl.DataFrame({"text": [text]}).select(rule).item())


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t1", "\r1", "  =1", "\uff1d1", "|x", "%x", "'=1", "''-1"]
)
def test_formulas_are_guarded(text: str) -> None:
    assert _apply(guarded(pl.col("text")), text) == f"'{text}"
    assert _apply(unguarded(pl.col("text")), f"'{text}") == text


@pytest.mark.parametrize("text", ["I cannot.", "'quoted'", "'", "", "a=b", "$1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert _apply(guarded(pl.col("text")), text) == text
    assert _apply(unguarded(pl.col("text")), text) == text
