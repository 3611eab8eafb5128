"""What is kept of completions, whatever is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.inference import drawing
from refusal_parity.inference.drawing import Work, draw
from refusal_parity.inference.requests import Completion
from refusal_parity.inference.response_rows import as_rows
from refusal_parity.inference.store.responses import ResponseStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _plan(rows: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "model": "m",
            "prompt_id": [f"p{number:03}" for number in range(rows)],
            "sample": 0,
            "seed": range(rows),
            "response_id": [f"{number:032x}" for number in range(rows)],
            "prompt_tokens": 5,
            "rendered_sha256": None,
        }
    )


def _completion(index: int, **changes: Any) -> Completion:
    fields = {"text": f"r{index}", "finish_reason": "stop", "response_tokens": 2} | changes
    return Completion(index=index, **fields)


@pytest.mark.parametrize(
    "odd",
    [
        {"response_tokens": 10**12},
        {"prompt_tokens": -(10**12)},
        {"text": "a \ud83d"},
        {"thinking": "a \ud83d"},
        {"text": 5},
        {"finish_reason": {"why": "stop"}},
        {"cost": -1.0},
        {"refusal_reason": ["hate"]},
        {"error": "\udc00", "text": None},
    ],
)
def test_a_row_that_no_table_can_hold_takes_no_other_along(odd: dict[str, Any]) -> None:
    given = [_completion(0), _completion(1, **odd), _completion(2)]
    rows = as_rows(_plan(3), given)
    assert rows["status"].to_list() == ["ok", "error", "ok"]
    assert rows["response"].to_list() == ["r0", None, "r2"]
    assert rows["error"][1].startswith("the response cannot be kept")


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\ufeff\u2060 ", "\x00"])
def test_a_response_that_shows_nothing_is_empty(text: str) -> None:
    rows = as_rows(_plan(2), [_completion(0, text=text), _completion(1)])
    assert rows["status"].to_list() == ["empty", "ok"]
    assert rows["response"][0] == ""


def test_progress_counts_responses_and_failures_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_REPORT_EVERY_S", -1.0)
    said: list[str] = []

    def generate(rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        assert fresh
        for index in range(len(rows)):
            yield None
            failed = {"text": None, "error": "gone"} if index % 2 else {}
            yield _completion(index, **failed)

    store = ResponseStore(tmp_path / "c", {}, device="d", say=said.append)
    work = Work(generate=generate, prepared=lambda rows: rows)
    rows = draw(_plan(60), work, store, say=said.append)
    assert rows["status"].cast(pl.String).value_counts(sort=True)["count"].to_list() == [30, 30]
    lines = [line for line in said if "a second" in line]
    assert len(lines) == 60
    assert lines[1].startswith("1 of 60 responses, 1 request failed, ")
    assert lines[-1].startswith("30 of 60 responses, 30 requests failed, ")
    # No time is told from the first few.
    assert [" left" in line for line in lines] == [False] * 38 + [True] * 22
    assert said[-1] == "30 responses in 0 s, 30 requests failed"


def test_what_was_answered_is_saved_while_nothing_comes(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "c", {}, device="d")
    saved: list[int] = []

    def generate(rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        assert fresh
        assert len(rows) == 2
        yield _completion(0)
        for _ in range(3):
            yield None
            saved.append(len(store.find(_plan(2)["response_id"])))

    work = Work(generate=generate, prepared=lambda rows: rows, chunk_s=-1.0)
    draw(_plan(2), work, store, say=lambda _: None)
    assert saved == [1, 1, 1]
