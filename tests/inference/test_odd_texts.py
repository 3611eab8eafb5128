"""Texts that some program damaged on their way."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.inference.odd_texts import damaged, like_failures, run_on, with_prompts


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
        ("[{'role': 'assistant', 'content': 'The bus.'}]", True),
        ('[{"type": "text", "text": "The bus."}]', True),
        ("[TextBlock(citations=None, text='The bus.', type='text')]", True),
        ("litellm.ModelResponse(id='chatcmpl-1', created=1)", True),
        ("RequestOutput(request_id=0, prompt='The')", True),
        ("response:\nGenerateContentResponse(\n    done=True", True),
        ("candidates=[Candidate(content=Content(", True),
        ("model='m' created_at='2025' message=Message(role='assistant')", True),
        ("[{'generated_text': 'The bus.'}]", True),
        ('{"id": "chatcmpl-1", "object": "chat.completion"}', True),
        ("<coroutine object ask at 0x7f00>", True),
        ("<openai.types.chat.ChatCompletion object at 0x7f>", True),
        ("['The bus.']", True),
        ("b'The bus.'", True),
        ('{"capital": "Bern", "id": 3}', False),
        ('{"type": "bus"}', False),
        ("[1] The bus.", False),
        ("Response (short): the bus.", False),
        ("<b>The bus</b> at 0x7f", False),
        ("'The bus.'", False),
    ],
)
def test_failures_written_as_responses_are_told_of(text: str, *, told: bool) -> None:
    rows = pl.DataFrame({"response": [text, "La la."], "status": ["ok", "ok"]})
    said = like_failures(rows)
    assert (said is not None) is told
    if said is not None:
        assert said.startswith("WARNING 1 response reads like what a program writes (")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The bus.<|im_end|>\n<|im_start|>user\nAnd now?", True),
        ("The bus.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd?", True),
        ("The bus.</s>[INST] And? [/INST]", True),
        ("user\nWho?<start_of_turn>model\nThe bus.", True),
        ("The bus.", False),
        ("<s>The train</s> the bus.", False),
        ("One writes <|im_start|> before it.", False),
    ],
)
def test_the_next_turn_is_told_of(text: str, *, told: bool) -> None:
    said = run_on(pl.DataFrame({"response": [text, "La la."], "status": ["ok", "ok"]}))
    assert (said is not None) is told
    assert said is None or said.startswith("WARNING 1 response holds tokens of another turn (")


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        (["Who is Ana? A singer.", "Who is Bo? A singer."], 2),
        (["user\nWho is Ana?\nassistant\nNo.", "[INST] Who is Bo? [/INST] No."], 2),
        (["Who is Ana? A singer.", "A singer."], 1),
        (["Who is Ana?", "Who is Bo?"], 0),
        (["A singer.", "Bo? A singer."], 0),
    ],
)
def test_prompts_in_most_responses_are_told_of(texts: list[str], count: int) -> None:
    prompts = pl.DataFrame({"prompt_id": ["a", "b"], "prompt": ["Who is Ana?", "Who is Bo?"]})
    rows = prompts.select("prompt_id", response=pl.Series(texts), status=pl.lit("ok"))
    said = with_prompts(rows, prompts)
    assert (said is not None) is bool(count)
    assert said is None or said.startswith(f"WARNING {count} response")
    assert with_prompts(rows.with_columns(status=pl.lit("empty")), prompts) is None
