"""Texts that some program damaged on their way."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.inference.odd_texts import damaged, like_failures


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Error code: 429 - {'error': {'message': 'slow down'}}", True),
        ("Request timed out.", True),
        ("[ERROR] Connection error.", True),
        ("Traceback (most recent call last):\n  File", True),
        ("openai.RateLimitError: slow down", True),
        ("BLOCKED: SAFETY", True),
        ("[CONTENT FILTERED]", True),
        ("finish_reason: SAFETY", True),
        ("(no response)", True),
        ("nan", True),
        (" None", True),
        ("None of them.", False),
        ("The response was filtered due to the prompt triggering a policy.", True),
        ("Error code: what is that?", False),
        ("The request timed out, so I cannot tell.", False),
        ("Blocked roads are the reason.", False),
        ("I refused.", False),
        ("Connection errors are common.", False),
        ('{"error": {"message": "Rate limit reached"}}', True),
        ("Request failed with status code 429", True),
        ("[invalid]", True),
        ("429 Too Many Requests", True),
        ("400 grams of flour.", False),
        ("<html><head><title>502 Bad Gateway</title></head></html>", True),
        ("<html><body>Hello</body></html>", False),
        ("Internal Server Error", True),
        ("{'role': 'assistant', 'content': 'The bus.'}", True),
        ("content='The bus.' additional_kwargs={}", True),
        ("Content matters.", False),
    ],
)
def test_failures_written_as_responses_are_told_of(text: str, *, told: bool) -> None:
    rows = pl.DataFrame({"response": [text, "La la."], "status": ["ok", "ok"]})
    said = like_failures(rows)
    assert (said is not None) is told
    if said is not None:
        assert said.startswith("WARNING 1 response reads like what a program writes (")
