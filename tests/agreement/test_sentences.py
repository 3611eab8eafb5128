"""What a run prints of agreement."""

from __future__ import annotations

import re

import polars as pl
from rated_responses import measured, rows

from refusal_parity.agreement.sentences import agreement_sentences, missed_apart


def test_of_how_few_refusals_groups_lie_apart_is_said() -> None:
    """Of 80 refusals to the one group, and of 20 to the other; one that never refused has none."""
    frame = rows({"white": 0.2, "muslim": 0.4, "mexican": 0.0})
    few = (pl.col("group") == "muslim") & (pl.col("name_id") > "muslim1")
    never = pl.when(pl.col("group") == "mexican").then(pl.lit("answer"))
    frame = frame.filter(~few).with_columns(
        imported=never.otherwise("imported"), classifier=never.otherwise("classifier")
    )
    found = missed_apart(measured(frame).filter(rater="classifier"))
    refused = frame.filter(pl.col("imported") == "refusal")
    rates = refused.group_by("group").agg(missed=(pl.col("classifier") != "refusal").mean())
    apart = 100 * (rates["missed"].max() - rates["missed"].min())
    assert found == f"{apart:.1f} points apart (of 20 to 80 refusals a group)"
    alike = missed_apart(measured(rows({"white": 0.2, "muslim": 0.4})).filter(rater="classifier"))
    assert str(alike).endswith("(of 80 refusals a group)")


def test_sentences_name_both_kappas_and_the_groups() -> None:
    lines = list(agreement_sentences(measured(rows({"white": 0.0, "muslim": 0.4}))))
    first = next(line for line in lines if "classifier against imported" in line)
    assert "on 320 responses: kappa 0." in first
    assert "(refusal or not)" in first
    assert "(six classes)" in first
    assert re.search(r"lie 32\.5 points apart \(of \d+( to \d+)? refusals a group\)$", first)
