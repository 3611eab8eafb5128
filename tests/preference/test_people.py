"""Answers of pairs that people label: how they are drawn, and what becomes of the labels."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import polars as pl
import pytest
from labelled import ByWord, conversations_of, mentions_of, people_of, sides_of

from refusal_parity.audit.files import hand_out, samples_handed_out
from refusal_parity.audit.human_labels import human_labels, read_votes
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig
from refusal_parity.pair_vocabulary import Side
from refusal_parity.preference.noise import (
    BOTH,
    rated_sides,
    side_agreement,
    side_confusion,
    side_votes,
    with_groups,
)
from refusal_parity.preference.people import predicted_sides, rarest_group, sides_as_gold
from refusal_parity.tables import Pairs, conform

if TYPE_CHECKING:
    from pathlib import Path

SORRY = "Sorry, no."


def pairs_of(number: int, *, left_out: tuple[int, ...] = ()) -> pl.DataFrame:
    """Pairs 1, 2 and so on: every third chosen and every fourth rejected answer refuses."""
    rows = [
        {
            "pair": pair, "exclusion": "tie" if pair in left_out else None, "cases": None,
            "turns": 1, "opening": f"Human: Question {pair}?", "requests": [f"Question {pair}?"],
            "earlier_answers": [], "chosen": SORRY if pair % 3 == 0 else f"Yes, {pair}.",
            "rejected": SORRY if pair % 4 == 0 else f"No, {pair}.",
        }
        for pair in range(1, number + 1)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), Pairs, where="test")


def drawn(pairs: pl.DataFrame, human: HumanConfig, before: tuple[pl.DataFrame, ...] = ()):  # type: ignore[no-untyped-def] # noqa: ANN201
    groups = rarest_group(
        mentions_of(sikh=range(1, 13), woman=range(7, 61)), mentioned_in="request"
    )
    parts = (pairs.slice(at, 25) for at in range(0, len(pairs), 25))
    return draw_sample(predicted_sides(parts, ByWord(), groups), human, before)  # type: ignore[arg-type]


def test_both_answers_of_a_pair_are_drawn_with_true_probabilities() -> None:
    sample = drawn(pairs_of(240, left_out=(5,)), HumanConfig(probability=80, informative=0))
    assert len(sample) == 80
    by_pair = sample.group_by("prompt_id").agg(pl.col("model").sort())
    assert by_pair["model"].to_list() == [["chosen", "rejected"]] * 40
    assert "5" not in set(sample["prompt_id"])
    # Of the strata of either side as many are drawn, of as many.
    shares = sample.group_by(pl.col("stratum").str.split_exact(" / ", 2)).agg(
        pl.col("inclusion_probability").unique(), drawn=pl.len()
    )
    for stratum, probability, number in shares.iter_rows():
        side, group, how = stratum.values()
        assert side in {"chosen", "rejected"}
        # A pair that mentions two groups is of the one that fewer mention.
        members = {"sikh": range(1, 13), "woman": range(13, 61), "nobody": range(61, 241)}[group]
        fits = {
            "both refuse": lambda p: p % 12 == 0,
            "neither refuses": lambda p: p % 3 != 0 and p % 4 != 0,
            "the chosen one refuses": lambda p: p % 3 == 0 and p % 4 != 0,
            "the rejected one refuses": lambda p: p % 3 != 0 and p % 4 == 0,
        }[how]
        size = sum(1 for pair in members if fits(pair) and pair != 5)
        assert probability == [pytest.approx(number / size)]


def test_a_pair_is_known_by_its_texts_and_how_often_they_came() -> None:
    """The third is the first again, in another part; the second is no answer to compare."""
    pairs = pairs_of(4, left_out=(2,)).with_columns(
        *(pl.col(each).gather([0, 1, 0, 3]) for each in ("opening", "chosen", "rejected"))
    )
    found = predicted_sides([pairs[:2], pairs[2:]], ByWord(), {3: "sikh"})  # type: ignore[arg-type]
    keys = {
        (row["prompt_id"], row["model"]): row["response_id"].split("/")
        for row in found.iter_rows(named=True)
    }
    assert {side for _, side in keys.values()} == {"chosen", "rejected"}
    assert all(key[1] == side for key, (_, side) in keys.items())
    units = {pair: unit for (pair, _), (unit, _) in keys.items()}
    assert set(units) == {"1", "3", "4"}
    assert units["3"] == f"{units['1']}-2"
    assert len(units["1"]) == len(units["4"]) == 24
    assert units["1"] != units["4"]
    assert dict(found.select("prompt_id", "template_id").rows()) == {
        "1": "nobody", "3": "sikh", "4": "nobody",
    }  # fmt: skip


def test_of_groups_mentioned_as_often_the_first_by_name_is_the_pairs() -> None:
    mentions = mentions_of(woman=range(1, 13), sikh=range(3, 15), jewish=range(10, 30))
    found = rarest_group(mentions, mentioned_in="request")
    assert [found[pair] for pair in (2, 3, 12, 14, 15)] == [
        "woman", "sikh", "sikh", "sikh", "jewish",
    ]  # fmt: skip
    assert set(found) == set(range(1, 30))


def test_people_read_the_whole_conversation_and_no_side() -> None:
    sample = drawn(pairs_of(60), HumanConfig(probability=20, informative=6))
    assert set(sample.filter(prompt_id="7")["prompt"]) <= {"Human: Question 7?"}
    assert sample["task"].is_unique().all()
    # The order says nothing of the side either.
    probability = sample.filter(set="probability")["model"].to_list()
    assert probability != sorted(probability)
    assert sample.filter(set="informative")["inclusion_probability"].null_count() == 6


def test_what_was_drawn_stays_drawn_when_pairs_are_added() -> None:
    human = HumanConfig(probability=60, informative=0, floor=1)
    first = drawn(pairs_of(240), human)
    # The same pairs behind others: their lines moved, and they are known by their texts.
    moved = pairs_of(300).slice(240).vstack(pairs_of(240)).with_columns(pair=pl.int_range(1, 301))
    groups = rarest_group(
        mentions_of(sikh=range(61, 73), woman=range(67, 121)), mentioned_in="request"
    )
    rows = predicted_sides([moved.cast({"pair": pl.Int64})], ByWord(), groups)  # type: ignore[arg-type]
    again = draw_sample(rows, human, [first])
    assert len(set(first["task"]) & set(again["task"])) >= 0.8 * len(first)


def test_sheets_come_back_as_labels_by_pair(tmp_path: Path) -> None:
    sample = drawn(pairs_of(60), HumanConfig(probability=20, informative=4))
    said: list[str] = []
    hand_out(sample, tmp_path / "noted", tmp_path / "sheets", say=said.append)
    assert len(samples_handed_out(tmp_path / "noted")) == 1
    files = []
    for who, wrong in (("a", 0), ("b", 1)):
        text = (tmp_path / "sheets/probability.csv").read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        for at, row in enumerate(rows):
            label = "refusal" if "Sorry" in row["response"] else "answer"
            row["label"] = "failure" if at < wrong else label
        files.append(tmp_path / f"{who}.csv")
        with files[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    ballot = read_votes(files, sample)
    human = human_labels(ballot.votes, sample)
    assert len(human) == len(sample.filter(set="probability"))
    assert human["label"].null_count() == 1
    for row in human.drop_nulls("label").iter_rows(named=True):
        every = 3 if row["model"] == Side.CHOSEN else 4
        refuses = int(row["prompt_id"]) % every == 0
        assert row["label"] == ("refusal" if refuses else "answer")
    gold = sides_as_gold(human, [pairs_of(60)], conversations_of(60))
    assert len(gold) == len(human) - 1
    # An answer's fold is that of its conversation's cluster: 0 for the first pair.
    row = gold.row(0, named=True)
    assert row["prompt"] == f"Question {int(row['group_id']) + 1}?"
    assert (row["label"] == "refusal") == (row["response"] == SORRY)


def test_errors_by_group_of_all_that_a_conversation_mentions() -> None:
    """Of each four pairs the machine misses one refusal, where Sikhs and women are mentioned."""
    number = 40
    kind = [(pair - 1) % 4 for pair in range(1, number + 1)]
    said, chosen = ("refusal", "answer", "refusal", "answer"), ("refusal",) * 3 + ("answer",)
    sides = sides_of([said[each] for each in kind], ["answer"] * number)
    human = people_of(
        [
            (pair, side, chosen[kind[pair - 1]] if side == Side.CHOSEN else "answer", 0.5, "s")
            for pair in range(1, number + 1)
            for side in map(str, Side)
        ]
    )
    rated = rated_sides(sides, human, conversations_of(number))
    of_kinds = {
        group: [pair for pair in range(1, number + 1) if kind[pair - 1] in kinds]
        for group, kinds in {"sikh": (0, 1), "woman": (1, 2)}.items()
    }
    # Of two groups with nine mentions each nothing is said by itself.
    few = {"korean": range(1, 10), "polish": range(1, 10)}
    by_group = with_groups(rated, mentions_of(**of_kinds, **few), mentioned_in="request")
    votes = side_votes(
        pl.DataFrame(
            {"task": ["t"], "annotator": ["a"], "label": ["refusal"], "adjudicated": [False]}
        ),
        pl.DataFrame(
            {"task": ["t"], "model": ["chosen"], "prompt_id": ["2"], "sample": [0]},
            schema_overrides={"sample": pl.Int32},
        ),
        rated,
    )
    assert votes.select("prompt_id", "name_id").row(0) == ("2", "1")
    table = side_agreement(rated, by_group, votes, alpha=0.05).filter(
        pl.col("rater") == "classifier", pl.col("model") == BOTH
    )
    missed = table.filter(pl.col("coefficient").cast(pl.String) == "missed_refusal_rate")
    found = {row["group"]: (row["wrong"], row["n_of"]) for row in missed.iter_rows(named=True)}
    assert found == {
        "all": (10, 30), "nobody": (0, 0), "sikh": (10, 20), "woman": (10, 20),
        "other groups": (2, 7),
    }  # fmt: skip
    agreed = table.filter(
        pl.col("coefficient").cast(pl.String) == "agreement", pl.col("over") == "refusal_or_not"
    )
    assert dict(agreed.select("group", "n").iter_rows()) == {
        "all": 80, "nobody": 16, "sikh": 40, "woman": 40, "other groups": 18,
    }  # fmt: skip
    confusion = side_confusion(rated).select("model", "truth", "given", "n").rows()
    assert sorted(confusion) == [
        (BOTH, "answer", "answer", 50),
        (BOTH, "refusal", "answer", 10),
        (BOTH, "refusal", "refusal", 20),
    ]
