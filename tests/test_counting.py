"""Numbers with their nouns and verbs, as logs and errors have them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.guards.stopping import stops_sentence
from refusal_parity.inference.finish_reasons import unknown_reasons
from refusal_parity.labelling.tally import Tally
from refusal_parity.pace import ended
from refusal_parity.preference.pairs import Ledger
from refusal_parity.training.lessons import Account
from refusal_parity.vocabulary import Exclusion
from refusal_parity.workload import PromptCount, Workload, workload_lines

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 prompts have"),
        (1, "1 prompt has"),
        (2, "2 prompts have"),
        (10_752, "10,752 prompts have"),
    ],
)
def test_nouns_and_verbs_go_with_their_number(number: int, words: str) -> None:
    assert f"{counted(number, 'prompt')} {agreed(number, 'has', 'have')}" == words


@pytest.mark.parametrize(
    ("words", "said"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d"], "a, b, c and d")],
    ids=["one", "two", "four"],
)
def test_words_are_listed_as_in_a_sentence(words: list[str], said: str) -> None:
    assert enumerated(words) == said


def _tally(number: int) -> str:
    tally = Tally()
    tally.counts.update({None: number - 1, Exclusion.EMPTY: 1})
    return tally.sentence()


def _stops(number: int) -> str:
    rows = {"guard": ["g"] * number, "stopped": [True] * number, "error": [None] * number}
    return stops_sentence(pl.DataFrame(rows, schema_overrides={"error": pl.String}))


def _reasons(number: int) -> str:
    rows = {"status": ["ok"] * number, "finish_reason": ["paused"] * number}
    return next(iter(unknown_reasons(pl.DataFrame(rows))))


def _loads(number: int) -> str:
    load = Workload(
        model="m",
        responses=number,
        most_tokens=number,
        sent_tokens=number,
        price=0,
        there=number,
    )
    count = PromptCount(prompts=number, templates=number, names=number, arms=1, size=9)
    return " / ".join(line.strip() for line in workload_lines([load], count, number, {})[:2])


@pytest.mark.parametrize(
    ("said", "one", "two"),
    [
        (_tally, "0 of 1 response labelled; 1 empty", "1 of 2 responses labelled; 1 empty"),
        (_stops, "g stopped 1 of 1 request", "g stopped 2 of 2 requests"),
        (
            _reasons,
            (
                "1 response came with the finish reason 'paused': it is kept as it is, and whether "
                "it was cut off is not known"
            ),
            (
                "2 responses came with the finish reason 'paused': they are kept as they are, and "
                "whether they were cut off is not known"
            ),
        ),
        (
            _loads,
            (
                "1 prompt (1 template x 1 name), 1 sample of each / m: 1 response of at most 1 "
                "token, together 1; sends about 1 token; 1 is there already, 0 will be drawn"
            ),
            (
                "2 prompts (of 2 templates and 2 names), 2 samples of each / m: 2 responses of at "
                "most 2 tokens, together 4; sends about 2 tokens; 2 are there already, 0 will be "
                "drawn"
            ),
        ),
        (lambda number: ended(number, 3), "1 response in 3 s", "2 responses in 3 s"),
        (
            lambda number: Account(Counter({("p", "learnt"): number})).sentence(),
            "1 pair to learn from; left out: none",
            "2 pairs to learn from; left out: none",
        ),
        (
            lambda number: Ledger(analysed=number).sentence(),
            "1 pair; left out: none",
            "2 pairs; left out: none",
        ),
    ],
    ids=["labels", "stops", "finish reasons", "loads", "end", "lessons", "pairs"],
)
def test_one_of_something_is_not_said_as_several(
    said: Callable[[int], str], one: str, two: str
) -> None:
    assert (said(1), said(2)) == (one, two)
