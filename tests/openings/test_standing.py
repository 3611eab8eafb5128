"""What each response stands for in a weighed rate."""

from __future__ import annotations

import polars as pl
import pytest
from weighed_prompts import labels, of_prompt, openings, table

from refusal_parity.openings.standing import responses_weighed
from refusal_parity.openings.strata import strata
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


def _of(prompt: str, draws: list[tuple[str, bool]], given: list[tuple[str, str | None]]):  # type: ignore[no-untyped-def] # noqa: ANN202
    """Tables of one prompt: its probabilities, what was drawn of it, and all labels."""
    probabilities, propensity = of_prompt(draws, prompt)
    drawn = [
        {"model": "m", "prompt_id": prompt, "sample": at, "opening": leaf}
        for at, (leaf, _) in enumerate(draws)
    ]
    said = [
        {
            "model": "m", "prompt_id": prompt, "sample": at, "truncated": False, "filtered": False,
            "machine_label": "refusal" if refuses else "answer",
        }
        for at, (_, refuses) in enumerate(draws)
    ]  # fmt: skip
    leaf_labels = labels(given, prompt).with_columns(machine_label="label")
    return probabilities, propensity, table(DrawnOpenings, drawn), table(Labels, said), leaf_labels


def test_every_prompt_has_weights_of_its_own() -> None:
    """As it has alone; and one of which nothing was drawn has none."""
    one = _of("p", [("1", True), ("", False)], [("1", "refusal"), ("2-5", "refusal")])
    other = _of("q", [("", False), ("", True), ("2-5", True), ("8", True)], [("1", "answer")])
    third = _of("r", [("", True)], [("1", "refusal")])
    nothing = third[1].with_columns(drawn=pl.lit(0, pl.Int64))
    tables = [pl.concat(each) for each in zip(one, other, third, strict=True)]
    tables[1] = pl.concat([one[1], other[1], nothing.cast(dict(one[1].schema))])
    both = responses_weighed(openings(), *tables, longest=9)
    apart = [responses_weighed(openings(), *each, longest=9) for each in (one, other)]
    assert both.equals(pl.concat(apart))
    # A draw with an opening that has no probability is one of no leaf.
    assert apart[1].select("sample", "leaf", "machine_label").rows() == [
        (0, "", "answer"), (1, "", "refusal"), (2, "2-5", "refusal"), (3, "", "refusal"),
        (0, "1", "answer"),
    ]  # fmt: skip


def test_weights_follow_what_is_drawn_on_and_to_what_length() -> None:
    """Chance over what is hoped for: n draws of that chance, and those that are given it."""
    given = _of("p", [("1", True), ("", False)], [("1", "refusal"), ("2-5", "refusal")])
    for longest, continued in ((9, 0.5), (9, 4.0), (1, 4.0)):
        found = responses_weighed(openings(), *given, longest=longest, continued=continued)
        leaves = strata(openings(), *given[:2], longest=longest, continued=continued)
        chance = {row["opening"]: row for row in leaves.iter_rows(named=True)}
        for row in found.filter(pl.col("leaf") != "").iter_rows(named=True):
            leaf = chance[row["leaf"]]
            hoped = 2 * leaf["chance"] + leaf["expected"]
            assert row["weight"] == pytest.approx(leaf["chance"] / hoped)
