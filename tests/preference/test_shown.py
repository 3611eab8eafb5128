"""Which pairs the report shows, and what it says of them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from labelled import conversations_of, mentions_of, people_of, sides_of

from refusal_parity.config import load_config
from refusal_parity.preference.shown import About, chosen_pairs, shown_pairs
from refusal_parity.report import ReportInputs
from refusal_parity.report.pairs_payload import pair_payload
from refusal_parity.tables import PairJudgements, Pairs, ShownPairs, conform

if TYPE_CHECKING:
    import dataframely as dy

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def groups_of(**pairs: range) -> pl.DataFrame:
    return mentions_of(**pairs).select("pair", "group")


def test_few_pairs_are_all_shown() -> None:
    assert chosen_pairs(pl.Series([3, 1, 2]), groups_of(sikh=range(1, 3)), most=3) == [1, 2, 3]


@pytest.mark.parametrize("most", [30, 31, 100, 399])
def test_of_each_group_as_many_are_shown(most: int) -> None:
    pairs = pl.Series(range(1, 1001))
    groups = groups_of(sikh=range(1, 6), woman=range(4, 201))
    shown = set(chosen_pairs(pairs, groups, most=most))
    assert len(shown) <= most
    # Five mention Sikhs: all are there, and of the others as many of each.
    assert set(range(1, 6)) <= shown
    women, nobody = (len(shown & set(span)) for span in (range(4, 201), range(201, 1001)))
    assert abs(women - nobody) <= 2
    # One more of each would be too many.
    assert len(shown) >= min(most - 2, 5 + 197 + 197)
    # The order of the table does not matter.
    assert chosen_pairs(pairs.reverse(), groups.reverse(), most=most) == sorted(shown)


def test_where_nobody_is_mentioned_as_many_are_shown_as_may_be() -> None:
    pairs = pl.Series(range(1, 51))
    shown = chosen_pairs(pairs, groups_of(sikh=range(1, 2)).clear(), most=30)
    assert len(shown) == 30
    assert set(shown) < set(pairs)
    # Those with the lowest numbers of their own: fewer are some of them.
    assert set(chosen_pairs(pairs, groups_of(sikh=range(1, 2)).clear(), most=12)) < set(shown)


def pairs_of(*texts: str) -> pl.DataFrame:
    rows = [
        {
            "pair": pair, "exclusion": None, "cases": "repeated_pair" if pair == 2 else None,
            "turns": 1, "opening": f"Human: {text}", "requests": [text], "earlier_answers": [],
            "chosen": f"Yes. {text}", "rejected": f"No. {text}",
        }
        for pair, text in enumerate(texts, 1)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), Pairs, where="test")


def table(most: int = 3) -> dy.DataFrame[ShownPairs]:
    asked = mentions_of(sikh=range(1, 2), woman=range(1, 2))
    answered = mentions_of(sikh=range(1, 3)).with_columns(
        place=pl.lit("rejected").cast(asked.schema["place"])
    )
    mentions = pl.concat([asked, answered])
    judgements = conform(
        pl.DataFrame(
            [
                {
                    "pair": 2, "chosen_first": "rejected", "rejected_first": "rejected",
                    "verdict": "disagrees", "judge_id": "j", "problem": None,
                }
            ]
        ),
        PairJudgements,
        where="test",
    )  # fmt: skip
    about = About(
        sides=sides_of(["refusal", "answer", "answer"], ["answer"] * 3),
        mentions=mentions,
        conversations=conversations_of(3),
        human=people_of([(1, "chosen", "answer", 1.0, "s"), (2, "rejected", None, 1.0, "s")]),
        judgements=judgements,
        mentioned_in="request",
    )
    pairs = pairs_of("Hi?", "Who?", EVIL)
    return shown_pairs([pairs.head(1), pairs.tail(2)], about, most=most)


def test_no_more_pairs_are_shown_than_may_be() -> None:
    """The first of three mentions two groups, and so has to be there with one of the others."""
    assert table(most=2)["pair"].to_list() in ([1, 2], [1, 3])


def test_all_that_is_known_stands_beside_a_pair() -> None:
    first, second, third = table().drop("opening", "chosen", "rejected", "harm").to_dicts()
    assert first == {
        "pair": 1, "groups": "sikh / woman",
        "places": "sikh (request, rejected answer) / woman (request)",
        "chosen_label": "refusal", "rejected_label": "answer",
        "chosen_people": "answer", "rejected_people": None, "judge": None, "cases": None,
    }  # fmt: skip
    # A mention in an answer makes no group.
    assert (second["groups"], second["places"]) == (None, "sikh (rejected answer)")
    assert (second["rejected_people"], second["judge"]) == ("answer / refusal", "disagrees")
    assert second["cases"] == "repeated_pair"
    assert third["places"] is None


def test_each_place_is_said_once_whatever_the_order_of_mentions() -> None:
    """Without people and without a judge; one mention is a slur, in a place that has another."""
    asked = mentions_of(woman=[1], sikh=[1])
    moved = [
        asked.with_columns(place=pl.lit(place).cast(asked.schema["place"]))
        for place in ("rejected", "earlier_answer", "chosen")
    ]
    mentions = pl.concat([*moved, asked, asked.with_columns(slur=pl.lit(value=True))])
    for rows in (mentions, mentions.reverse()):
        about = About(
            sides=sides_of(["refusal"], ["answer"]),
            mentions=rows,
            conversations=conversations_of(1),
            mentioned_in="request",
        )
        [row] = shown_pairs([pairs_of("Hi?")], about).to_dicts()
        places = "(request, earlier answer, preferred answer, rejected answer)"
        assert row["places"] == f"sikh {places} / woman {places}"
        assert row["groups"] == "sikh / woman"
        assert [row[each] for each in ("chosen_people", "rejected_people", "judge")] == [None] * 3
        assert row["harm"] == 0.1


def inputs_of(characters: int = 4000) -> ReportInputs:
    study = {
        "study": "s",
        "preference": {"path": "p.jsonl", "format": "transcripts"},
        "report": {"characters": characters},
    }
    return ReportInputs(config=load_config(study, where="test"), tables={ShownPairs: table()})


def unpacked(payload: str | None) -> dict[str, Any]:
    assert payload is not None
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(payload)))
    return found


def test_the_page_carries_pairs_that_no_markup_can_leave() -> None:
    payload = pair_payload(inputs_of())
    assert payload is not None
    assert "<" not in payload
    found = unpacked(payload)
    assert found["groups"] == ["sikh", "woman", "nobody"]
    first, second, third = found["pairs"]
    assert (first["groups"], second["groups"]) == ([0, 1], [2])
    assert found["labels"][first["chosen"]["label"]] == "Refusal"
    assert [found["labels"][one] for one in second["rejected"]["people"]] == ["Answer", "Refusal"]
    assert found["verdicts"][second["judge"]] == "the judge prefers the rejected one"
    assert second["cases"] == ["the same pair stands in the file before"]
    assert third["opening"]["text"] == f"Human: {EVIL}"


def test_texts_are_cut_where_the_config_wants_it() -> None:
    first = unpacked(pair_payload(inputs_of(characters=4)))["pairs"][0]
    assert first["chosen"]["text"] == "Yes."
    assert first["chosen"]["length"] == len("Yes. Hi?")
    first = unpacked(pair_payload(inputs_of(characters=0)))["pairs"][0]
    assert (first["opening"]["text"], first["opening"]["length"]) == ("", len("Human: Hi?"))
