"""Keys stay out of a config, and out of what is said of one."""

from __future__ import annotations

from typing import Any

import pytest

from refusal_parity.config import load_config
from refusal_parity.errors import InputError

KEY = "sk-proj-4242abcdefghij"
RANDOM = "0123456789abcdef0123456789abcdef"


def _load(**changes: Any) -> None:
    model = {"engine": "openai", "base_url": "http://h/v1", "model": "m"} | changes
    load_config(
        {
            "study": "s",
            "prompts": {"templates": "t.csv", "names": "n.csv"},
            "models": {"served": model},
        },
        where="config.yaml",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"request": {"extra_body": {"api_key": "x"}}},
        {"request": {"extra_body": {"user": KEY}}},
        {"request": {"extra_body": {"user": RANDOM}}},
        {"request": {"extra_body": {"deep": [{"Authorization": "x"}]}}},
        {"request": {"extra_body": {"extra_headers": {"a": "b"}}}},
        {"request": {"extra_body": {"headers": {"a": "b"}}}},
        {"request": {"query": {"subscription-key": "x"}}},
        {"request": {"query": {"key": "x"}}},
        {"request": {"query": {"access_token": "x"}}},
        {"request": {"query": {"v": f"Bearer {KEY}"}}},
        {"request": {KEY: 1}},
        {"api_key_env": KEY},
        {"api_key_env": RANDOM},
        {"base_url": f"https://me:{KEY}@host/v1"},
        {"base_url": f"https://{KEY}@host/v1"},
        {"base_url": f"https://host/v1?k={RANDOM}"},
        {"base_url": f"https://host/{KEY}/v1"},
        {"base_url": f"ftp://{RANDOM}/v1"},
        {"base_url": RANDOM},
        {"api_key_env": f"_{RANDOM.upper()}"},
        {"api_key": RANDOM},
        {"engine": "opena1", "api_key_env": RANDOM},
        {"engine": RANDOM},
        {"concurrency": RANDOM},
        {RANDOM: 1},
        {"request": {"api_key": KEY}},
    ],
)
def test_a_key_is_refused_and_not_repeated(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"config\.yaml: .*models\.served") as raised:
        _load(**changes)
    assert KEY not in str(raised.value)
    assert RANDOM not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["HOME", "PATH", "LD_PRELOAD", "SSH_AUTH_SOCK", "MONKEY", "TOKENIZERS_PARALLELISM"]
)
def test_not_any_variable_may_be_sent(name: str) -> None:
    with pytest.raises(InputError, match="a variable that holds a key is named for it"):
        _load(api_key_env=name)


@pytest.mark.parametrize(
    "changes",
    [
        {"request": {"extra_body": {"max_completion_tokens": 9, "stop_token_ids": [1]}}},
        {"request": {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}},
        {"request": {"extra_body": {"prompt_cache_key": "study", "reasoning_effort": "low"}}},
        {"request": {"extra_body": {"provider": {"order": ["a-provider/with-a-long-name"]}}}},
        {"request": {"query": {"api-version": "2024-10-21"}}},
        {"api_key_env": "MY_COMPANY_OPENAI_PRODUCTION_API_KEY_2026"},
        {"api_key_env": "HF_TOKEN"},
        {"api_key_env": "myApiKey_apikey"},
        {"base_url": "https://gateway.example/v1/0123456789abcdef0123456789abcdef/study/openai"},
        {"base_url": "http://[::1]:8000/v1"},
    ],
)
def test_what_only_resembles_a_key_is_taken(changes: dict[str, Any]) -> None:
    _load(**changes)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"extra_body": {"messages": []}}, "messages is set by the workflow"),
        ({"extra_body": {"stream": True}}, "stream is set by the workflow"),
        ({"leave_out": ["messages"]}, "leave_out"),
        ({"presets": ["openai"]}, "presets"),
        ("aws", "presets"),
    ],
)
def test_a_request_that_cannot_be_sent(given: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        _load(request=given)
