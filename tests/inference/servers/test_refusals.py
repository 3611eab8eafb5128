"""Which words of an error say that a filter refused a request."""

from __future__ import annotations

import pytest

from refusal_parity.inference.servers.refusals import filter_of_words

STOPPED = "{'error': {'code': 'content_filter', 'message': 'content management policy'}}"


@pytest.mark.parametrize(
    ("words", "is_filter"),
    [
        ("content_filter", True),
        ("PROHIBITED_CONTENT", True),
        ("The prompt was flagged", True),
        (f"Error code: 400 - {STOPPED}", True),
        (f"HTTP 422: {STOPPED}", True),
        ("Error code: 403 - Content violates usage guidelines", True),
        # The account, the service or the network failed, whatever words it has for that.
        ("Error code: 401 - terminated due to violation of our policies", False),
        ("Error code: 429 - see the content policy", False),
        (f"status code 503: {STOPPED}", False),
        ("The content filter service is temporarily unavailable", False),
        ("ReadTimeout: content filter", False),
        ("Error code: 400 - Unknown guardrail: my-guardrail-violation-x", False),
        ("Error code: 403 - Your account violates our usage guidelines", False),
    ],
)
def test_words_of_an_error(words: str, *, is_filter: bool) -> None:
    assert (filter_of_words(words) is not None) is is_filter
