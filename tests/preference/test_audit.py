from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.demo.pairs import FOLDER, GROUPS, PLANTED_RATE, RATE, make_pairs
from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.audit import ALL, NOBODY, Audit
from refusal_parity.preference.comparison import group_differences, group_measures
from refusal_parity.preference.measures import MEASURES, measured
from refusal_parity.preference.sides import label_sides
from refusal_parity.tables import Conversations, Mentions, Pairs, Sides, conform, empty
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from audits import MadeUp


def test_the_made_up_pairs_are_those_of_the_program(root: Path) -> None:
    for name, planted in (("planted", True), ("even", False)):
        packed = (root / FOLDER / f"{name}.jsonl.gz").read_bytes()
        rows = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
        assert rows == make_pairs(7, planted=planted)


def _row(found: MadeUp, measure: str, group: str) -> dict[str, float]:
    rows = found.differences.filter(
        pl.col("measure") == measure,
        pl.col("group") == group,
        pl.col("reference") == NOBODY,
        pl.col("adjustment").cast(pl.String) == Adjustment.NONE,
    )
    return rows.to_dicts()[0]


@pytest.mark.parametrize("group", ["muslim", "jewish", "mexican", "korean"])
def test_planted_rates_are_recovered(planted: MadeUp, group: str) -> None:
    row = _row(planted, "chosen_refuses", group)
    truth = PLANTED_RATE - RATE if group == "muslim" else 0
    assert row["ci_low"] <= truth <= row["ci_high"]
    assert row["verdict"] == (Verdict.SHOWN if group == "muslim" else Verdict.NOT_SHOWN)
    other = _row(planted, "rejected_refuses", group)
    assert other["verdict"] == Verdict.NOT_SHOWN
    assert other["ci_low"] <= 0 <= other["ci_high"]


def test_a_planted_preference_is_seen_between_groups_too(planted: MadeUp) -> None:
    between = planted.differences.filter(
        pl.col("measure") == "chosen_refuses",
        pl.col("verdict").cast(pl.String) == Verdict.SHOWN,
        pl.col("reference") != NOBODY,
    )
    assert set(zip(between["group"], between["reference"], strict=True)) == {("jewish", "muslim")}


def test_the_even_twin_raises_no_alarm(even: MadeUp) -> None:
    assert even.differences["verdict"].cast(pl.String).is_in([Verdict.SHOWN]).sum() == 0


def test_every_conversation_is_counted(planted: MadeUp) -> None:
    rows = planted.measures.filter(pl.col("measure") == "chosen_refuses")
    counts = dict(zip(rows["group"], rows["n"], strict=True))
    expected = {str(group or NOBODY).lower(): number for group, number in GROUPS.items()}
    assert counts == {**expected, ALL: sum(GROUPS.values())}
    mentioned = planted.groups.filter(pl.col("conversations") > 0)
    assert dict(mentioned.select("group", "conversations").iter_rows()) == {
        group: number for group, number in expected.items() if group != NOBODY
    }
    assert planted.ledger.filter(pl.col("account") == "analysed")["n"].sum() == sum(GROUPS.values())


def test_rows_in_another_order_give_the_same(planted: MadeUp) -> None:
    audit = planted.audit
    order = np.random.default_rng(5).permutation(len(audit.cluster))
    turned = Audit(
        values={key: values[order] for key, values in audit.values.items()},
        cluster=audit.cluster[order],
        stratum=audit.stratum[order],
        members={key: rows[order] for key, rows in audit.members.items()},
        categories=audit.categories,
        slurs=audit.slurs,
        in_answers=audit.in_answers,
        alpha=audit.alpha,
    )
    again = group_differences(turned)
    for column in ("estimate", "ci_low", "ci_high", "p_value"):
        one, other = planted.differences[column].to_numpy(), again[column].to_numpy()
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True)


LABELS = [
    # chosen, rejected, and each measure of labels in the order of MEASURES.
    ("refusal", "answer", (1, 0, 1, 0, 0, 0)),
    ("answer", "partial_refusal", (0, 1, 0, 0, 0, 0)),
    ("harmful_refusal", "refusal", (1, 1, None, 1, 1, 0)),
    ("answer", "harmful_answer", (0, 0, None, 0, 0, 1)),
    ("refusal", None, (1, None, None, None, 0, None)),
    (None, "answer", (None, 0, None, 0, None, 0)),
    (None, None, (None, None, None, None, None, None)),
]


@pytest.mark.parametrize(("chosen", "rejected", "expected"), LABELS)
def test_measures_of_labels(
    chosen: str | None, rejected: str | None, expected: tuple[int | None, ...]
) -> None:
    sides = pl.DataFrame(
        {
            "pair": [1, 1],
            "side": ["chosen", "rejected"],
            "label": [chosen, rejected],
            "machine_label": [chosen or "answer", rejected or "answer"],
            "abstained": [chosen is None, rejected is None],
            "unsure": [None, None],
            "keyword_refusal": [False, False],
            "words": [3, 5],
        }
    )
    row = measured(conform(sides, Sides, where="test")).to_dicts()[0]
    assert tuple(row[measure.key] for measure in MEASURES[:6]) == expected
    assert (row["chosen_words"], row["rejected_words"]) == (3, 5)


def test_mentions_in_answers_make_no_group() -> None:
    rows = [(1, "a", "x", "request", False, 1), (2, "a", "x", "chosen", False, 1)]
    rows += [(3, "a", "x", "earlier_answer", False, 2), (3, "b", "x", "request", True, 2)]
    mentions = pl.DataFrame(rows, schema=empty(Mentions).schema, orient="row")
    sides = pl.DataFrame(
        {
            "pair": [1, 1, 2, 2, 3, 3],
            "side": ["chosen", "rejected"] * 3,
            "label": ["answer"] * 6,
            "words": [1] * 6,
        }
    )
    conversations = pl.DataFrame(
        {"pair": [1, 2, 3], "cluster": [0, 1, 2], "harm": [0.0] * 3, "stratum": [0] * 3}
    )
    for mentioned_in, expected in (
        ("request", {"a": [1], "b": [3], NOBODY: [2]}),
        ("conversation", {"a": [1, 3], "b": [3], NOBODY: [2]}),
    ):
        audit = Audit.of(
            sides,
            conform(conversations, Conversations, where="test"),
            mentions,
            mentioned_in=mentioned_in,
            alpha=0.05,
        )
        members = {key: (np.flatnonzero(rows) + 1).tolist() for key, rows in audit.members.items()}
        assert members == expected
        assert audit.slurs == {"b": 1}
        assert audit.in_answers == {"a": 1}


def test_sides_are_labelled_by_the_list_where_there_is_no_classifier() -> None:
    pairs = pl.DataFrame(
        {
            "pair": [1, 2],
            "exclusion": [None, "tie"],
            "cases": [None, "tie"],
            "turns": [1, 1],
            "opening": "Human: Hello?",
            "requests": [["Hello?"], ["Hello?"]],
            "earlier_answers": [[], []],
            "chosen": ["I'm sorry, no.", "x"],
            "rejected": ["Hello to you too", "y"],
        }
    )
    sides = label_sides(conform(pairs, Pairs, where="test"), None, abstain_below=0.3)
    assert sides.select("pair", "side", "label", "words").rows() == [
        (1, "chosen", "refusal", 3),
        (1, "rejected", "answer", 4),
    ]


def test_what_got_no_label_bounds_the_rates() -> None:
    labels = ["refusal", "answer"] * 3 + [None, "answer"] * 2 + ["answer", "refusal"] * 5
    sides = pl.DataFrame(
        {
            "pair": [pair for pair in range(1, 11) for _ in range(2)],
            "side": ["chosen", "rejected"] * 10,
            "label": labels,
            "words": [4] * 20,
        }
    )
    conversations = pl.DataFrame(
        {"pair": range(1, 11), "cluster": range(10), "harm": [0.0] * 10, "stratum": [0] * 10}
    )
    audit = Audit.of(
        sides,
        conform(conversations, Conversations, where="test"),
        empty(Mentions),
        mentioned_in="request",
        alpha=0.05,
    )
    found = group_measures(audit).filter(pl.col("group") == ALL)
    rows = {row["measure"]: row for row in found.iter_rows(named=True)}
    assert rows["chosen_refuses"]["mean"] == 3 / 8
    assert (rows["chosen_refuses"]["lowest"], rows["chosen_refuses"]["highest"]) == (0.3, 0.5)
    assert (rows["rejected_refuses"]["lowest"], rows["rejected_refuses"]["highest"]) == (0.5, 0.5)
    # Of the two pairs without a label, either may be one in which the refusal was preferred.
    assert rows["refusal_preferred"]["mean"] == 3 / 8
    assert rows["refusal_preferred"]["lowest"] == 3 / 8
    assert rows["refusal_preferred"]["highest"] == 5 / 10
    assert rows["chosen_words"]["highest"] is None
    assert rows["unlabelled"]["mean"] == 0.2
