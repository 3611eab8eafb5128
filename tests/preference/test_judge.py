"""A judge of pairs: what it is asked, what is read of its answers, and what is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from labelled import conversations_of, mentions_of, sides_of

from refusal_parity.config import OpenAIModel, load_config
from refusal_parity.errors import InputError
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.judging.questions import judge_sampling
from refusal_parity.preference.audit import Audit
from refusal_parity.preference.comparison import group_differences, group_measures
from refusal_parity.preference.judge import (
    CHARACTERS,
    INSTRUCTION,
    PAIR_SCHEMA,
    judged_pairs,
    judging_line,
    pair_judge_id,
    pair_questions,
    read_better,
    read_pair_judgements,
)
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.tables import PairJudgements, Pairs, Responses, conform, empty, read_table

if TYPE_CHECKING:
    from pathlib import Path


def pair(number: int, opening: str, chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "pair": number, "exclusion": None, "cases": None, "turns": 1, "opening": opening,
        "requests": [opening], "earlier_answers": [], "chosen": chosen, "rejected": rejected,
    }  # fmt: skip


def test_each_pair_is_asked_about_in_both_orders_without_its_groups(root: Path) -> None:
    rows = [
        pair(1, "Human: Why do Muslims fast?", "Ask a Muslim.", "x" * 5_000),
        pair(2, "a" * 5_000, "b", "c"),
    ]
    questions = pair_questions(
        [conform(pl.DataFrame(rows), Pairs, where="test")],
        {1},
        read_lexicon(root / "data/mentions.csv"),
    )
    assert questions["prompt_id"].to_list() == ["1/chosen", "1/rejected"]
    assert set(questions["system_prompt"]) == {INSTRUCTION}
    one, other = map(json.loads, questions["prompt"])
    assert one["conversation"] == "Human: Why do [GROUP] fast?"
    assert one["first"] == "Ask a [GROUP]."
    assert len(one["second"]) == CHARACTERS
    assert (other["first"], other["second"]) == (one["second"], one["first"])


def test_a_judge_reads_letters_of_every_script(root: Path) -> None:
    """As they stand, and not by number; where nothing was asked, there is nothing to judge."""
    rows = [pair(1, "Human: \u00bfQu\u00e9?", "\u4f60\u597d", "\u00d6l")]
    questions = pair_questions(
        [conform(pl.DataFrame(rows), Pairs, where="test")],
        {1},
        read_lexicon(root / "data/mentions.csv"),
    )
    for text in ("\u00bfQu\u00e9?", "\u4f60\u597d", "\u00d6l"):
        assert questions["prompt"].str.contains(text, literal=True).all()
    assert read_pair_judgements(empty(Responses), "id").is_empty()


def test_the_end_of_a_long_conversation_is_read(root: Path) -> None:
    rows = [pair(1, "a" * 5_000 + "the end", "b", "c")]
    questions = pair_questions(
        [conform(pl.DataFrame(rows), Pairs, where="test")],
        {1},
        read_lexicon(root / "data/mentions.csv"),
    )
    assert json.loads(questions["prompt"][0])["conversation"].endswith("athe end")


def test_all_that_mention_a_group_are_asked_about_and_some_others() -> None:
    mentions = mentions_of(sikh=range(1, 4))
    pairs = pl.Series(range(2, 101))
    assert judged_pairs(pairs, mentions, mentioned_in="request", others=None) == set(pairs)
    some = judged_pairs(pairs, mentions, mentioned_in="request", others=10)
    assert {2, 3} <= some
    assert len(some) == 12
    # By chance, and not those that the file begins with.
    assert some != set(range(2, 14))
    more = judged_pairs(pairs, mentions, mentioned_in="request", others=20)
    assert some < more


def test_what_a_judge_will_be_asked_is_said() -> None:
    assert "of each pair that is analysed, asked twice" in judging_line(None)
    said = judging_line(2_000)
    assert "of each pair that mentions a group and of 2,000 others, asked twice" in said
    assert "of 1 other, " in judging_line(1)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ('{"better": "first"}', "first"),
        ('Here: {"better": "SECOND"}.', "second"),
        ("<think>\nfirst, no\n</think>\nsecond", "second"),
        ("equal.", "equal"),
        ('{"better": "first"} {"better": "second"}', None),
        ('{"better": "third"}', None),
        ('{"label": "first"}', None),
        ("The first one.", None),
        ("", None),
        (None, None),
    ],
)
def test_only_what_is_named_is_read(answer: str | None, named: str | None) -> None:
    assert read_better(answer) == named


def answers_of(*said: tuple[str, str | None, str | None]) -> pl.DataFrame:
    """What a judge said of each pair, with the preferred answer first, and the other first."""
    fixed: dict[str, Any] = dict.fromkeys(Responses.column_names())
    fixed |= {"model": "judge", "sample": 0, "truncated": False}
    rows = [
        fixed
        | {
            "prompt_id": f"{number}/{side}",
            "response": text,
            "status": "ok" if text is not None else "error",
        }
        for number, *both in said
        for side, text in zip(("chosen", "rejected"), both, strict=True)
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), Responses, where="test")


SAID = [
    ("1", "first", "second"),
    ("2", "second", "first"),
    ("3", "first", "first"),
    ("4", "equal", "equal"),
    ("5", "first", "equal"),
    ("6", "first", "hm"),
    ("7", None, "first"),
]


def test_only_what_is_said_in_both_orders_is_a_verdict() -> None:
    table = read_pair_judgements(answers_of(*SAID), "id")
    assert table.select("pair", "chosen_first", "rejected_first", "verdict").rows() == [
        (1, "chosen", "chosen", "agrees"),
        (2, "rejected", "rejected", "disagrees"),
        (3, "chosen", "rejected", "by_position"),
        (4, "equal", "equal", "equal"),
        (5, "chosen", "equal", "by_position"),
        (6, "chosen", None, "unread"),
        (7, None, "rejected", "unread"),
    ]
    assert table["problem"].to_list() == [
        *[None] * 5, "names neither answer", "the judge's answer is error",
    ]  # fmt: skip
    # Of an answer that is cut off, what could be read counts.
    cut = read_pair_judgements(answers_of(*SAID).with_columns(truncated=pl.lit(value=True)), "id")
    assert cut["verdict"].to_list() == table["verdict"].to_list()
    assert cut["problem"][5] == "the judge's answer is cut off: raise labelling.judge_max_tokens"
    assert cut["problem"].null_count() == 5
    # Answers may come in any order.
    assert read_pair_judgements(answers_of(*SAID).reverse(), "id").equals(table)


def test_disagreement_is_counted_by_group() -> None:
    """Of pairs 1 to 12 the judge disagrees with three and names none of two; of others less."""
    verdicts = ["disagrees"] * 3 + ["by_position", "unread"] + ["agrees"] * 7
    verdicts += ["disagrees"] + ["equal"] + ["agrees"] * 18
    judgements = pl.DataFrame(
        {
            "pair": range(1, 33), "verdict": verdicts, "judge_id": "id",
            "chosen_first": None, "rejected_first": None, "problem": None,
        }
    )  # fmt: skip
    # Two more pairs, which the judge was not asked about.
    audit = Audit.of(
        sides_of(["answer"] * 34, ["answer"] * 34),
        conversations_of(34),
        mentions_of(sikh=range(1, 13)),
        mentioned_in="request",
        alpha=0.05,
        judgements=conform(judgements, PairJudgements, where="test"),
    )
    rows = group_measures(audit).filter(pl.col("measure").str.starts_with("judge"))
    found = {(row["measure"], row["group"]): (row["n"], row["mean"]) for row in rows.to_dicts()}
    assert found["judge_disagrees", "sikh"] == (10, pytest.approx(0.3))
    assert found["judge_disagrees", "nobody"] == (19, pytest.approx(1 / 19))
    assert found["judge_undecided", "sikh"] == (12, pytest.approx(2 / 12))
    assert found["judge_undecided", "nobody"] == (20, pytest.approx(1 / 20))
    difference = group_differences(audit).filter(
        pl.col("measure") == "judge_disagrees", pl.col("reference") == "nobody"
    )
    assert difference["estimate"][0] == pytest.approx(0.3 - 1 / 19)
    assert difference["lowest"].null_count() == len(difference)
    assert rows["lowest"].null_count() == rows["highest"].null_count() == len(rows)
    assert rows["labelled"].null_count() == len(rows)


def test_the_id_hangs_on_judge_and_instruction() -> None:
    judge = {"engine": "openai", "base_url": "http://x/v1"}
    ids = {
        pair_judge_id(OpenAIModel.model_validate(judge | {"model": model}), tokens)
        for model, tokens in (("a", 24), ("b", 24), ("a", 2_000))
    }
    assert len(ids) == 3


def test_an_audit_may_have_a_judge() -> None:
    audit = {"study": "s", "preference": {"path": "p.jsonl", "format": "transcripts"}}
    judge = {"engine": "openai", "base_url": "http://x/v1", "model": "a"}
    config = load_config(audit | {"labelling": {"judge": judge}}, where="test")
    assert config.labelling.judge is not None
    with pytest.raises(InputError, match="judge_draws stands beside preference"):
        load_config(audit | {"labelling": {"judge": judge, "judge_draws": 3}}, where="test")


def test_a_served_judge_is_asked(tmp_path: Path, root: Path, monkeypatch: Any) -> None:
    """Through the engine, from a server that says nothing of what it is asked."""
    monkeypatch.syspath_prepend(str(root / "tests/inference"))
    from failing_server import KEY, serving  # noqa: PLC0415

    monkeypatch.setenv("TEST_KEY", KEY)
    rows = [pair(number, f"Human: {number}?", "b", "c") for number in (1, 2)]
    questions = pair_questions(
        [conform(pl.DataFrame(rows), Pairs, where="test")],
        {1, 2},
        read_lexicon(root / "data/mentions.csv"),
    )
    with serving() as server:
        judge = OpenAIModel.model_validate(
            {
                "engine": "openai", "model": "told", "api_key_env": "TEST_KEY",
                "base_url": f"http://127.0.0.1:{server.server_port}/v1",
            }
        )  # fmt: skip
        run_job(
            InferenceJob(
                key="judge",
                model=judge,
                samples=1,
                sampling=judge_sampling(24),
                store=tmp_path / "store",
                schema=PAIR_SCHEMA,
            ),
            questions,
            tmp_path / "answers.parquet",
            say=lambda _: None,
        )
        sent = [body["messages"] for body in server.bodies]
    assert len(sent) == 4
    assert {messages[0]["content"] for messages in sent} == {INSTRUCTION}
    answers = read_table(Responses, tmp_path / "answers.parquet")
    judged = read_pair_judgements(answers, "id")
    assert judged["verdict"].to_list() == ["unread", "unread"]
    assert set(judged["problem"]) == {"names neither answer"}
