from __future__ import annotations

from typing import Any

import pytest

from refusal_parity.config import OpenAIModel, RequestConfig, SamplingConfig
from refusal_parity.inference.servers.request_body import config_line, request_body

SAMPLING = SamplingConfig(temperature=0.5, top_p=0.9, max_tokens=64)


def _request(given: Any) -> RequestConfig:
    model = {"engine": "openai", "base_url": "http://h/v1", "model": "m", "request": given}
    return OpenAIModel.model_validate(model).request.resolved()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"temperature": 0.5, "top_p": 0.9, "max_tokens": 64, "seed": 8}),
        ("openai-reasoning", {"max_completion_tokens": 64, "seed": 8}),
        (
            {"presets": ["azure", "openai-reasoning"], "leave_out": ["seed"]},
            {"max_completion_tokens": 64},
        ),
        (
            {"rename": {"max_tokens": "max_new_tokens"}, "leave_out": ["top_p", "temperature"]},
            {"max_new_tokens": 64, "seed": 8},
        ),
        (
            {"presets": ["openai-reasoning"], "extra_body": {"max_completion_tokens": 4000}},
            {"max_completion_tokens": 4000, "seed": 8},
        ),
    ],
)
def test_what_is_sent(given: Any, expected: dict[str, Any]) -> None:
    assert request_body(_request(given), SAMPLING, seed=8) == expected


def test_a_schema_is_sent_unless_left_out() -> None:
    schema = {"type": "object"}
    sent = request_body(_request({}), SAMPLING, seed=8, schema=schema)
    assert sent["response_format"]["json_schema"]["schema"] == schema
    without = _request({"leave_out": ["response_format"]})
    assert "response_format" not in request_body(without, SAMPLING, seed=8, schema=schema)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("azure", {"api-version": "2024-10-21"}),
        (
            {"presets": ["azure"], "query": {"api-version": "2025-04-01-preview"}},
            {"api-version": "2025-04-01-preview"},
        ),
        ({"query": {"version": 3}}, {"version": "3"}),
    ],
)
def test_what_stands_behind_the_address(given: Any, expected: dict[str, str]) -> None:
    assert _request(given).query == expected


@pytest.mark.parametrize(
    ("parameter", "said", "given", "line"),
    [
        ("max_tokens", "Use 'max_completion_tokens' instead", {}, "{rename: {max_tokens: max_c"),
        ("seed", "extra_forbidden: seed", {}, "`request: {leave_out: [seed]}`"),
        ("seed", "no", {"leave_out": ["top_p"]}, "`request: {leave_out: [seed, top_p]}`"),
        ("max_tokens", "max_tokens is too large: 9999", {}, "lower sampling.max_tokens"),
        ("min_p", "unknown", {"extra_body": {"min_p": 1}}, "take min_p out of request.extra_body"),
        (
            "max_new_tokens",
            "unknown",
            {"rename": {"max_tokens": "max_new_tokens"}},
            "`request: {leave_out: [max_tokens]}`",
        ),
    ],
)
def test_the_line_that_helps(parameter: str, said: str, given: Any, line: str) -> None:
    assert line in config_line(parameter, said, _request(given))
