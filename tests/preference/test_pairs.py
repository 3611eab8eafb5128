"""Pairs as they are accounted for: who said what, what came before, and the line of the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import PairColumns
from refusal_parity.pair_vocabulary import CASE_WORDS, INCOMPARABLE, PairCase
from refusal_parity.preference.pairs import Ledger, read_accounted, read_pairs

if TYPE_CHECKING:
    from pathlib import Path

OPENING = [("system", "Be kind."), ("user", "Who?"), ("assistant", "I."), ("user", "And you?")]


def line(chosen: str | None, rejected: str | None, *, asked: str = "And you?") -> dict[str, Any]:
    """A pair as lists of messages."""
    before = [*OPENING[:-1], ("user", asked)]
    return {
        side: [{"role": role, "content": text} for role, text in (*before, ("assistant", answer))]
        for side, answer in (("chosen", chosen), ("rejected", rejected))
    }


def written(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_a_conversation_says_who_speaks(tmp_path: Path) -> None:
    ledger = Ledger()
    [frame] = read_pairs(
        written(tmp_path, [line("Yes.", "No.")]),
        layout="messages",
        columns=PairColumns(),
        ledger=ledger,
    )
    [row] = frame.to_dicts()
    assert row["opening"] == (
        "System prompt: Be kind.\n\nHuman: Who?\n\nAssistant: I.\n\nHuman: And you?"
    )
    assert (row["turns"], row["requests"]) == (4, ["Who?", "And you?"])
    assert row["earlier_answers"] == ["I."]
    assert (row["chosen"], row["rejected"]) == ("Yes.", "No.")


REPEATED, REVERSED, EQUAL = (
    PairCase.REPEATED_PAIR, PairCase.REVERSED_PAIR, PairCase.EQUAL_ANSWERS,
)  # fmt: skip


def test_pairs_that_were_there_before_are_remarked(tmp_path: Path) -> None:
    lines = [
        (line("Yes.", "No."), []),
        (line("Yes.", "No.", asked="So?"), []),
        (line("Yes.", "No."), [REPEATED]),
        (line("No.", "Yes."), [REVERSED]),
        (line("No.", "Yes."), [REPEATED, REVERSED]),
        # The other way round it is the same pair, and no reversed one.
        (line("Yes.", "Yes."), [EQUAL]),
        (line("Yes.", "Yes."), [EQUAL, REPEATED]),
    ]
    path = written(tmp_path, [row for row, _ in lines])
    pairs = list(read_accounted(path, layout="messages", columns=PairColumns()))
    assert [pair.number for pair in pairs] == list(range(1, 8))
    for pair, (_, cases) in zip(pairs, lines, strict=True):
        assert set(pair.cases) == set(cases)
        assert pair.cases == [case for case in PairCase if case in pair.cases]
        assert pair.exclusion == (EQUAL if EQUAL in cases else None)
    [frame] = read_pairs(path, layout="messages", columns=PairColumns(), ledger=Ledger())
    assert frame["cases"].to_list() == [", ".join(pair.cases) or None for pair in pairs]
    assert frame["cases"][4] == "repeated_pair, reversed_pair"


def test_an_answer_may_lack_on_either_side(tmp_path: Path) -> None:
    path = written(tmp_path, [line("Yes.", None), line(None, "No.")])
    pairs = read_accounted(path, layout="messages", columns=PairColumns())
    lacking = [PairCase.REJECTED_WITHOUT_ANSWER, PairCase.CHOSEN_WITHOUT_ANSWER]
    assert [pair.exclusion for pair in pairs] == lacking


def test_the_first_reason_of_several_counts(tmp_path: Path) -> None:
    """Neither side of the first two pairs has an answer, and the first one's openings differ."""
    both = line(None, "No.") | {"rejected": line("x", " ", asked="So?")["rejected"]}
    path = written(tmp_path, [both, line(None, None), line("Yes.", "No.")])
    ledger = Ledger()
    parts = list(read_pairs(path, layout="messages", columns=PairColumns(), ledger=ledger))
    assert [part.height for part in parts] == [3]
    reason = str(PairCase.CHOSEN_WITHOUT_ANSWER)
    assert parts[0]["exclusion"].to_list() == [reason, reason, None]
    assert (ledger.analysed, ledger.left_out.total(), ledger.read) == (1, 2, 3)
    assert not ledger.remarks


@pytest.mark.parametrize(
    ("before", "is_request"),
    [
        ([("system", "Be kind.")], False),
        ([("assistant", "Hello.")], False),
        ([("user", " ")], False),
        ([("user", " "), ("assistant", "Yes?"), ("user", "Who?")], True),
    ],
)
def test_a_request_is_what_a_person_says(
    tmp_path: Path, before: list[tuple[str, str]], *, is_request: bool
) -> None:
    row = {
        side: [{"role": role, "content": text} for role, text in (*before, ("assistant", side))]
        for side in ("chosen", "rejected")
    }
    [pair] = read_accounted(written(tmp_path, [row]), layout="messages", columns=PairColumns())
    assert pair.exclusion == (None if is_request else PairCase.NO_REQUEST)


@pytest.mark.parametrize(
    ("left_out", "analysed", "said"),
    [
        ({}, 1, "1 pair; left out: none"),
        ({INCOMPARABLE[1]: 1_000}, 1_234, "2,234 pairs; left out: 1,000 ({1})"),
        ({INCOMPARABLE[2]: 2, INCOMPARABLE[0]: 3}, 0, "5 pairs; left out: 3 ({0}), 2 ({2})"),
    ],
)
def test_the_line_of_the_log(left_out: dict[PairCase, int], analysed: int, said: str) -> None:
    ledger = Ledger(analysed=analysed)
    ledger.left_out.update(left_out)
    assert ledger.sentence() == said.format(*(CASE_WORDS[case] for case in INCOMPARABLE))
    counts = {row["case"]: row["n"] for row in ledger.table().to_dicts() if row["n"]}
    assert counts == left_out | ({None: analysed} if analysed else {})
    assert ledger.table().filter(pl.col("case").is_null())["n"].to_list() == [analysed]
    # Each case stands there once, as what it is.
    accounts = dict(ledger.table().select("case", "account").rows())
    assert len(accounts) == ledger.table().height == len(PairCase) + 1
    left = {case for case, account in accounts.items() if account == "left_out"}
    assert left == set(INCOMPARABLE)
