"""Texts that some program damaged on their way."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.inference.odd_texts import damaged


def said_of(*texts: str, status: str = "ok") -> str | None:
    return damaged(pl.DataFrame({"response": texts, "status": [status] * len(texts)}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I can\u00e2\u20ac\u2122t help with that.", "I can\u00e2\u20ac\u2122t help"),
        ("I can&#39;t help with that.", "I can&#39;t hel"),
        ("I can\ufffdt help with that.", "I can\ufffdt help wi"),
        ("I don?t think so.", "I don?t think"),
        ("I?m unable to.", "I?m unable t"),
        ("Caf\u00c3\u00a9 and bread.", "Caf\u00c3\u00a9 and bre"),
    ],
)
def test_damaged_letters_are_told_of_with_their_place(text: str, shown: str) -> None:
    found = said_of("The bus.", text, text)
    assert found is not None
    assert found.startswith("WARNING 2 responses hold letters that some program damaged (")
    assert shown in found
    assert said_of(text, status="error") is None


@pytest.mark.parametrize(
    "text",
    [
        "I can\u2019t help, Zo\u00eb.",
        "Can it? That is the question?so to say.",
        "Is it? I am not sure.",
        "Bread &amp; butter",
        "",
        "\u4f60\u597d\u3002",
        "\u0130lkay \u2014 \u201cyes\u201d",
    ],
)
def test_texts_as_they_were_written_are_not(text: str) -> None:
    assert said_of(text) is None
