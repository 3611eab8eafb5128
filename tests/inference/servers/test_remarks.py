"""What a job's log says of the responses that came."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from refusal_parity.inference.servers.remarks import remarks
from refusal_parity.tables import Responses, conform

FAILED = {"status": "error", "error": "the answer has no choices"}
SILENT = {"status": "ok", "response": "Of course.", "finish_reason": "stop"}
COUNTED = SILENT | {"prompt_tokens": 9, "response_tokens": 4}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        # Of a server that answered nothing it is not known what it says of tokens.
        ([FAILED, FAILED], ["2 of 2 requests failed, most often with 'the answer has no choices'"]),
        ([SILENT], ["the server does not say how many tokens were used"]),
        ([COUNTED, COUNTED], ["used: 18 tokens sent and 8 received"]),
        ([COUNTED, FAILED], ["used: 9 tokens sent and 4 received", "1 of 2 requests failed"]),
    ],
    ids=["failed", "silent", "counted", "both"],
)
def test_what_was_used_is_told_of_what_came(rows: list[dict[str, Any]], said: list[str]) -> None:
    blank: dict[str, Any] = dict.fromkeys(Responses.column_names())
    given = [
        blank | {"model": "m", "prompt_id": "p", "sample": at, "truncated": False} | row
        for at, row in enumerate(rows)
    ]
    schema = {key: column.dtype for key, column in Responses.columns().items()}
    frame = pl.DataFrame(given, schema=schema | {"status": pl.String, "imported_label": pl.String})
    lines = list(remarks(conform(frame, Responses, where="responses"), priced=False))
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == said
