"""What each response stands for in a weighed rate."""

from __future__ import annotations

import polars as pl
import pytest
from weighed_prompts import labels, of_prompt, openings, table

from refusal_parity.openings.standing import responses_weighed
from refusal_parity.openings.weighing import weigh
from refusal_parity.tables import DrawnOpenings, Labels


def test_what_each_response_stands_for_adds_up_to_the_weighed_rate() -> None:
    """Of the machine's labels; one that is in doubt counts as what it says, none as nothing."""
    draws = [("1", True), ("", True), ("1", False), ("", False)]
    said = ["refusal", "refusal", "answer", "answer"]
    given = [("1", "refusal"), ("1", "answer"), ("2-5", "refusal")]
    measured = (openings(), *of_prompt(draws))
    drawn = table(
        DrawnOpenings,
        [
            {"model": "m", "prompt_id": "p", "sample": at, "opening": leaf}
            for at, (leaf, _) in enumerate(draws)
        ],
    )
    machine = table(
        Labels,
        [
            {
                "model": "m", "prompt_id": "p", "sample": at, "machine_label": each,
                "truncated": False, "filtered": False,
            }
            for at, each in enumerate(said)
        ],
    )  # fmt: skip
    leaf_labels = labels(given).with_columns(machine_label="label")
    found = responses_weighed(*measured, drawn, machine, leaf_labels, longest=9)
    refuses = found["machine_label"].cast(pl.String) == "refusal"
    tree = float(measured[2]["tree_rate"][0])
    rate = tree + float((found["weight"] * (refuses.cast(pl.Float64) - found["share"])).sum())
    whole = weigh(*measured, leaf_labels, longest=9)
    assert rate == pytest.approx(float(whole["weighed_rate"][0]), abs=1e-12)
    assert found.select("opening", "sample", "leaf").rows() == [
        ("", 0, "1"), ("", 1, ""), ("", 2, "1"), ("", 3, ""),
        ("1", 0, "1"), ("1", 1, "1"), ("2-5", 2, "2-5"),
    ]  # fmt: skip
    # Without one draw's label of the machine the others stand for more.
    fewer = responses_weighed(*measured, drawn, machine[:3], leaf_labels, longest=9)
    silent = machine.with_columns(machine_label=pl.when(pl.col("sample") < 3).then("machine_label"))
    assert responses_weighed(*measured, drawn, silent, leaf_labels, longest=9).equals(fewer)
    outside = fewer.filter(leaf="")["weight"].to_list()
    assert outside == pytest.approx([1 / 3])
    assert (fewer.filter(leaf="1")["weight"] > found.filter(leaf="1")["weight"][0]).all()
