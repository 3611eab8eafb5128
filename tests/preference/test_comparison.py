"""Which groups are compared over which pairs, and how p-values are corrected."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from labelled import conversations_of, mentions_of, people_of, sides_of
from statsmodels.stats.multitest import multipletests

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.audit import ALL, NOBODY, Audit
from refusal_parity.preference.comparison import (
    group_differences,
    group_measures,
    groups_mentioned,
)
from refusal_parity.preference.differences import difference, own_interval
from refusal_parity.preference.lexicon import Entry, Lexicon

PAIRS = 160
GROUPS = {"a": range(1, 41), "b": range(31, 81), "c": range(81, 121)}
ALPHA = 0.2


@pytest.fixture(scope="module")
def audit() -> Audit:
    """Groups a and b share ten conversations; c is of another category; two harms."""
    random = np.random.default_rng(2)
    rate = np.full(PAIRS, 0.15)
    rate[:40], rate[80:120] = 0.5, 0.35
    chosen = np.where(random.random(PAIRS) < rate, "refusal", "answer").tolist()
    rejected = np.where(random.random(PAIRS) < 0.3, "refusal", "answer").tolist()
    mentions = mentions_of(**GROUPS).with_columns(
        category=pl.when(pl.col("group") == "c").then(pl.lit("d")).otherwise("category"),
        slur=(pl.col("group") == "a") & (pl.col("pair") < 4),
    )
    in_answers = mentions_of(b=range(90, 95)).with_columns(
        place=pl.lit("chosen").cast(mentions.schema["place"])
    )
    conversations = conversations_of(PAIRS).with_columns(
        stratum=(pl.col("pair") % 2).cast(pl.Int64), cluster=pl.col("pair") // 2
    )
    people = people_of(
        [(pair, "chosen", chosen[pair - 1], 1.0, "s") for pair in range(1, PAIRS + 1)]
    )
    return Audit.of(
        sides_of(chosen, rejected),
        conversations.cast(dict(conversations_of(1).schema)),
        pl.concat([mentions, in_answers.select(mentions.columns)]),
        mentioned_in="request",
        alpha=ALPHA,
        human=people,
    )


def test_groups_are_counted(audit: Audit) -> None:
    entries = [
        Entry("a", "c", slur, "x", None, checked, right)
        for slur, checked, right in ((False, 5, 4), (True, 2, 1))
    ]
    others = [Entry(key, "c", False, key, None, 9, 9) for key in ("b", "unknown")]  # noqa: FBT003
    lexicon = Lexicon((*others, *entries), "x", re.compile("x"))
    found = groups_mentioned(audit, lexicon)
    columns = ("group", "conversations", "with_slurs", "in_answers", "checked", "right")
    assert found.select(columns).rows() == [
        ("b", 50, 0, 5, 9, 9), ("a", 40, 3, 0, 7, 5), ("unknown", 0, 0, 0, 9, 9),
    ]  # fmt: skip


def test_groups_of_one_category_are_compared_without_what_they_share(audit: Audit) -> None:
    found = group_differences(audit).filter(measure="chosen_refuses")
    pairs = found.filter(adjustment=str(Adjustment.NONE)).select("group", "reference").rows()
    assert pairs == [("a", NOBODY), ("b", NOBODY), ("c", NOBODY), ("a", "b")]
    a, b = np.arange(30), np.arange(40, 80)
    values = audit.values["chosen_refuses"]
    for adjustment in Adjustment:
        [row] = found.filter(group="a", reference="b", adjustment=str(adjustment)).iter_rows(
            named=True
        )
        assert (row["n_group"], row["n_reference"]) == (30, 40)
        clusters = [len(np.unique(audit.cluster[rows])) for rows in (a, b)]
        assert [row["clusters_group"], row["clusters_reference"]] == clusters != [30, 40]
        assert row["mean_group"] == pytest.approx(values[a].mean())
        one, other = (
            audit.observed(audit.measures[0], np.isin(np.arange(PAIRS), rows), adjustment)
            for rows in (a, b)
        )
        theirs = difference(one, other, binary=True, alpha=ALPHA)
        numbers = ("mean_reference", "estimate", "ci_low", "ci_high", "p_value")
        assert [row[each] for each in numbers] == pytest.approx(
            [theirs.mean_other, theirs.estimate, theirs.ci_low, theirs.ci_high, theirs.p_value]
        )


@pytest.mark.parametrize("kind", ["", "corrected_"])
def test_holm_is_within_a_measure_an_adjustment_and_what_is_compared_with(
    audit: Audit, kind: str
) -> None:
    table = group_differences(audit)
    apart = pl.col("reference") == NOBODY
    parts = table.drop_nulls(f"{kind}p_value").group_by("measure", "adjustment", apart)
    sizes = set()
    for _, rows in parts:
        sizes.add(len(rows))
        _, expected, *_ = multipletests(rows[f"{kind}p_value"].to_numpy(), method="holm")
        assert rows[f"{kind}p_adjusted"].to_numpy() == pytest.approx(expected)
    assert {1, 3} <= sizes
    assert table.filter(pl.col(f"{kind}p_value").is_null())[f"{kind}p_adjusted"].is_null().all()
    families = table.select(
        "family",
        expected=pl.format(
            "{}, {}, adjusted for {}",
            "measure",
            pl.when(apart).then(pl.lit("nobody")).otherwise(pl.lit("groups")),
            "adjustment",
        ),
    )
    assert families["family"].to_list() == families["expected"].to_list()
    verdicts = {
        (None if p is None else p < ALPHA): str(verdict)
        for p, verdict in table.select("p_adjusted", "verdict").iter_rows()
    }
    assert verdicts == {True: "shown", False: "not_shown", None: "not_estimable"}


def test_a_p_value_at_the_level_itself_shows_nothing(audit: Audit) -> None:
    """P-values hang on no level, so that one of them can be made the level."""
    found = group_differences(audit).filter(pl.col("p_adjusted") < 1)["p_adjusted"].to_list()
    at = sorted(found)[len(found) // 2]
    table = group_differences(replace(audit, alpha=at))
    verdicts = table.filter(pl.col("p_adjusted") == at)["verdict"].cast(pl.String)
    assert set(verdicts) == {"not_shown"}
    assert set(table.filter(pl.col("p_adjusted") < at)["verdict"].cast(pl.String)) == {"shown"}


def test_each_groups_own_numbers(audit: Audit) -> None:
    found = group_measures(audit).filter(measure="chosen_refuses")
    assert found["group"].to_list() == ["a", "b", "c", NOBODY, ALL]
    rows = {row["group"]: row for row in found.iter_rows(named=True)}
    values = audit.values["chosen_refuses"]
    for group, kept in {"a": np.arange(40), ALL: np.arange(PAIRS)}.items():
        row = rows[group]
        assert (row["n"], row["mean"]) == (len(kept), pytest.approx(values[kept].mean()))
        assert row["clusters"] == len(np.unique(audit.cluster[kept]))
        own = own_interval(
            audit.observed(audit.measures[0], np.isin(np.arange(PAIRS), kept), Adjustment.NONE),
            binary=True,
            alpha=ALPHA,
        )
        assert own is not None
        assert row["ci_low"] == pytest.approx(own.low[0, 0])
        # People labelled every preferred answer as the machine did.
        assert (row["labelled"], row["corrected"]) == (len(kept), pytest.approx(row["mean"]))
        assert row["corrected_low"] < row["corrected"] < row["corrected_high"]
