"""Pairs that are left out, by group: the ledger, the test, the page and the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from labelled import conversations_of, mentions_of, sides_of

from refusal_parity.config import load_config
from refusal_parity.pair_vocabulary import CASE_WORDS, PairCase
from refusal_parity.preference.audit import ALL, Audit
from refusal_parity.preference.comparison import group_differences, group_measures
from refusal_parity.preference.left_out import group_ledger, group_losses, pairs_read
from refusal_parity.preference.places import NOBODY
from refusal_parity.report import ReportInputs, summary_lines
from refusal_parity.report.page import render_page
from refusal_parity.report.pair_losses import pair_losses_table, pair_losses_warning
from refusal_parity.tables import (
    GroupDifferences,
    GroupLedger,
    GroupLosses,
    GroupMeasures,
    PairLedger,
    conform,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

PAIRS = 200
GROUPS = {"a": range(1, 41), "b": range(41, 81), "few": range(81, 84)}


def pairs_of(lost: dict[PairCase, Iterable[int]], *, silent: Iterable[int] = ()) -> pl.DataFrame:
    """Pairs 1 to 200, of which some are left out; in silent ones nobody asks anything."""
    reason = {pair: str(case) for case, pairs in lost.items() for pair in pairs}
    quiet = set(silent)
    return pl.DataFrame(
        {
            "pair": range(1, PAIRS + 1),
            "exclusion": [reason.get(pair) for pair in range(1, PAIRS + 1)],
            "requests": [
                [] if pair in quiet else [f"request {pair} of word{pair} and word{pair}x"]
                for pair in range(1, PAIRS + 1)
            ],
            "opening": ["System prompt: be kind"] * PAIRS,
        },
        schema_overrides={"requests": pl.List(pl.String), "exclusion": pl.String},
    )


def tables_of(pairs: pl.DataFrame) -> dict[type, pl.DataFrame]:
    """The tables of such an audit; the machine takes every answer for one."""
    mentions = mentions_of(**GROUPS)
    read = pairs_read([pairs[:70], pairs[70:]])
    kept = pairs.filter(pl.col("exclusion").is_null())["pair"]
    sides = (
        sides_of(["answer"] * PAIRS, ["answer"] * PAIRS)
        .filter(pl.col("pair").is_in(kept.implode()))
        .with_columns(
            label=pl.when(pl.col("pair") != 200).then("label"),
            unsure=pl.col("pair").is_in([39, 40]),
        )
    )
    conversations = conversations_of(PAIRS).filter(pl.col("pair").is_in(kept.implode()))
    audit = Audit.of(sides, conversations, mentions, mentioned_in="request", alpha=0.05)
    counted = pairs["exclusion"].drop_nulls().value_counts()
    ledger = [(None, "analysed", len(kept)), *((c, "left_out", n) for c, n in counted.iter_rows())]
    return {
        PairLedger: conform(
            pl.DataFrame(ledger, schema=["case", "account", "n"], orient="row"),
            PairLedger,
            where="test",
        ),
        GroupMeasures: group_measures(audit),
        GroupDifferences: group_differences(audit),
        GroupLedger: group_ledger(read, sides, mentions, mentioned_in="request"),
        GroupLosses: group_losses(read, mentions, mentioned_in="request", alpha=0.05),
    }


def inputs_of(pairs: pl.DataFrame) -> ReportInputs:
    study = {"study": "made-up", "preference": {"path": "p.jsonl", "format": "transcripts"}}
    return ReportInputs(config=load_config(study, where="test"), tables=tables_of(pairs))


UNEVEN = {PairCase.EQUAL_ANSWERS: range(1, 19), PairCase.TIE: [19, 20, 100]}


def test_what_is_left_out_is_counted_by_group_and_reason() -> None:
    ledger = tables_of(pairs_of(UNEVEN, silent=[100]))[GroupLedger]
    counts = {
        (row["group"], row["case"]): (row["account"], row["n"])
        for row in ledger.iter_rows(named=True)
    }
    for group, analysed, equal, tie, unlabelled, unsure in (
        ("a", 20, 18, 2, 0, 2),
        ("b", 40, 0, 0, 0, 0),
        ("few", 3, 0, 0, 0, 0),
        # The tie is of a pair in which nobody asks: no group can be mentioned there.
        (NOBODY, 116, 0, 0, 1, 0),
        (ALL, 179, 18, 3, 1, 2),
    ):
        assert [
            counts[group, case]
            for case in ("analysed", "equal_answers", "tie", "unlabelled", "unsure")
        ] == [
            ("analysed", analysed),
            ("left_out", equal),
            ("left_out", tie),
            ("remark", unlabelled),
            ("remark", unsure),
        ], group
    assert not any(case == PairCase.NO_REQUEST for _, case in counts)


def test_a_group_that_loses_more_is_shown_to() -> None:
    losses = tables_of(pairs_of(UNEVEN))[GroupLosses]
    found = {(row["group"], row["reference"]): row for row in losses.iter_rows(named=True)}
    assert list(found) == [
        ("a", NOBODY), ("b", NOBODY), ("few", NOBODY), ("a", "b"), ("a", "few"), ("b", "few"),
    ]  # fmt: skip
    against = found["a", NOBODY]
    assert (against["n_group"], against["k_group"]) == (40, 20)
    assert (against["n_reference"], against["k_reference"]) == (117, 1)
    assert against["estimate"] == pytest.approx(0.5 - 1 / 117)
    assert against["verdict"] == "shown"
    assert found["b", NOBODY]["verdict"] == "not_shown"
    assert found["few", NOBODY]["note"] == "fewer than 10 different openings"


WARNED = [
    ({}, None),
    # Two of forty are chance.
    ({PairCase.TIE: [1, 2, 100, 101, 102]}, None),
    (
        {PairCase.TIE: [1, 2, 3]},
        "7.5 % of the pairs that mention a and 0.0 % of those that mention",
    ),
    (UNEVEN, "50.0 % of the pairs that mention a"),
    # A group of few openings may lose one of three by chance; losing all is always said.
    ({PairCase.TIE: [81]}, None),
    ({PairCase.TIE: [81, 82, 83]}, "100.0 % of the pairs that mention few"),
]


@pytest.mark.parametrize(("lost", "words"), WARNED)
def test_uneven_losses_are_warned_of(
    lost: dict[PairCase, Iterable[int]], words: str | None
) -> None:
    inputs = inputs_of(pairs_of(lost))
    warning = pair_losses_warning(inputs)
    last = summary_lines(inputs, Path("report.html"))[-1]
    page = render_page(inputs).replace("\u00a0", " ")
    if words is None:
        assert warning is None
        assert "Left out were" not in last
        assert "Left out were" not in page
        return
    assert warning is not None
    assert warning.replace("\u00a0", " ").startswith(f"Left out were {words}")
    assert last.endswith(warning)
    assert "Left out were" in page


def test_the_warning_says_why_and_that_it_was_tested() -> None:
    warning = pair_losses_warning(inputs_of(pairs_of(UNEVEN))) or ""
    assert f"mostly since {CASE_WORDS[PairCase.EQUAL_ANSWERS]}; the shares differ (adjusted p" in (
        warning.replace("\u00a0", " ")
    )


def test_the_page_has_the_table() -> None:
    inputs = inputs_of(pairs_of(UNEVEN))
    table = pair_losses_table(inputs)
    assert table is not None
    rows = {row[0].text: [cell.text for cell in row] for row in table.rows}
    assert list(rows) == ["a", "b", "few", NOBODY, ALL]
    assert rows["a"][1:3] == ["40", "20"]
    assert rows["a"][6] == (
        f"2: {CASE_WORDS[PairCase.TIE]}; 18: {CASE_WORDS[PairCase.EQUAL_ANSWERS]}"
    )
    assert [row[0].text for row in table.rows if row[4].strong] == ["a"]
    assert "What was left out of the pairs of each group" in render_page(inputs)


def test_without_losses_there_is_nothing_to_compare() -> None:
    pairs = pairs_of({})
    read = pairs_read([pairs])
    assert read["cluster"].n_unique() == PAIRS
    assert tables_of(pairs)[GroupLosses].is_empty()
