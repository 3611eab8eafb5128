from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import PairColumns
from refusal_parity.errors import InputError
from refusal_parity.pair_vocabulary import PairAccount, PairCase
from refusal_parity.preference.pairs import Ledger, read_pairs
from refusal_parity.tables import PairLedger, Pairs, conform, read_table, write_parts

if TYPE_CHECKING:
    from pathlib import Path

OPENING = "\n\nHuman: Who invented the loom?\n\nAssistant: Many people.\n\nHuman: Name one."
ASK = [{"role": "user", "content": "Who invented the loom?"}]
ANSWERS = {"prompt": "Who?", "a": "Jacquard.", "b": "No idea."}
NAMED = {"prompt": "prompt", "chosen": "a", "rejected": "b"}
TWO = {"prompt": "prompt", "answers": ["a", "b"]}
CAT = {"role": "cat", "content": "m"}
UNEQUAL = "unequal_openings"


def says(text: str) -> list[dict[str, str]]:
    return [*ASK, {"role": "assistant", "content": text}]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def read(
    path: Path, rows: list[Any], layout: str = "transcripts", **columns: Any
) -> tuple[pl.DataFrame, Ledger]:
    ledger = Ledger()
    columns_ = PairColumns(**columns)
    found = read_pairs(
        write(path / "pairs.jsonl", rows), layout=layout, columns=columns_, ledger=ledger
    )
    return pl.concat(list(found)), ledger


def transcripts(chosen: str, rejected: str) -> dict[str, str]:
    return {"chosen": chosen, "rejected": rejected}


def test_a_transcript_is_split_into_turns(tmp_path: Path) -> None:
    pair = transcripts(f"{OPENING}\n\nAssistant: Jacquard.", f"{OPENING}\n\nAssistant:  No.\n")
    frame, ledger = read(tmp_path, [pair])
    row = conform(frame, Pairs, where="test").to_dicts()[0]
    assert row == {
        "pair": 1,
        "exclusion": None,
        "cases": None,
        "turns": 3,
        "opening": "Human: Who invented the loom?\n\nAssistant: Many people.\n\nHuman: Name one.",
        "requests": ["Who invented the loom?", "Name one."],
        "earlier_answers": ["Many people."],
        "chosen": "Jacquard.",
        "rejected": "No.",
    }
    assert (ledger.read, ledger.analysed) == (1, 1)


A = "\n\nAssistant: "
H = "\n\nHuman: "


@pytest.mark.parametrize(
    ("chosen", "rejected", "exclusion", "cases"),
    [
        (f"{H}Hi{A}Ho", f"{H}Hi{A}Hu", None, set()),
        (f"Human: Hi{A}Ho", f"Human: Hi{A}Hu", None, {"text_before_turns"}),
        (f"So.{H}Hi{A}Ho", f"So.{H}Hi{A}Hu", None, {"text_before_turns"}),
        (f"{A}Hi{H}So?{A}Ho", f"{A}Hi{H}So?{A}Hu", None, {"begins_with_assistant"}),
        (f"{H}Hi{A}{H}So?{A}Ho", f"{H}Hi{A}{H}So?{A}Hu", None, {"empty_turn"}),
        (f"{H}Hi{H}So?{A}Ho", f"{H}Hi{H}So?{A}Hu", None, {"same_speaker_twice"}),
        (f"{H}Hi{A}a\nHuman: b", f"{H}Hi{A}Hu", None, {"marker_within_turn"}),
        (f"{A}Ho", f"{A}Hu", "no_request", {"no_request", "begins_with_assistant"}),
        (f"{H}Hi{A}", f"{H}Hi{A}Hu", "chosen_without_answer", {"chosen_without_answer"}),
        (f"{H}Hi{A}\u200b", f"{H}Hi{A}Hu", "chosen_without_answer", {"chosen_without_answer"}),
        (f"{H}Hi{A}Ho", f"{H}Hi", "rejected_without_answer", {"rejected_without_answer"}),
        (f"{H}Hi{A}Ho", f"{H}Hey{A}Hu", "unequal_openings", {"unequal_openings"}),
        (f"{H}Hi{A}Ho", f"{H}Hi{H}So{A}Hu", UNEQUAL, {UNEQUAL, "same_speaker_twice"}),
        (f"{H}Hi{A}Ho", f"{H}Hi{A}Ho ", "equal_answers", {"equal_answers"}),
        ("", "", "no_request", {"no_request", "chosen_without_answer", "rejected_without_answer"}),
    ],
)  # fmt: skip
def test_each_odd_case_has_its_name(
    tmp_path: Path, chosen: str, rejected: str, exclusion: str | None, cases: set[str]
) -> None:
    frame, ledger = read(tmp_path, [transcripts(chosen, rejected)])
    row = frame.to_dicts()[0]
    if chosen.startswith("Human"):
        # A copy without the blank lines at its beginning is as good.
        cases = set()
    assert row["exclusion"] == exclusion
    assert set((row["cases"] or "").split(", ")) - {""} == cases
    assert ledger.read == 1


def test_every_pair_is_accounted_for(tmp_path: Path) -> None:
    good = transcripts(f"{H}Hi{A}Ho", f"{H}Hi{A}Hu")
    turned = transcripts(good["rejected"], good["chosen"])
    rows = [good, good, turned, transcripts(f"{H}Hi", f"{H}Hi{A}x"), transcripts(f"{A}a", f"{A}b")]
    frame, ledger = read(tmp_path, rows)
    table = conform(ledger.table(), PairLedger, where="test")
    counts = {
        (row["case"], row["account"]): row["n"] for row in table.iter_rows(named=True) if row["n"]
    }
    assert counts == {
        (None, PairAccount.ANALYSED): 3,
        (PairCase.CHOSEN_WITHOUT_ANSWER, PairAccount.LEFT_OUT): 1,
        (PairCase.NO_REQUEST, PairAccount.LEFT_OUT): 1,
        (PairCase.BEGINS_WITH_ASSISTANT, PairAccount.REMARK): 1,
        (PairCase.REPEATED_PAIR, PairAccount.REMARK): 1,
        (PairCase.REVERSED_PAIR, PairAccount.REMARK): 1,
    }
    accounted = table.filter(pl.col("account") != PairAccount.REMARK)["n"].sum()
    assert accounted == len(frame) == len(rows)


@pytest.mark.parametrize(
    ("layout", "columns", "row", "expected"),
    [
        ("messages", {}, {"chosen": says("x"), "rejected": says("y")}, ("x", "y", None)),
        (
            "messages",
            {"chosen": "c", "rejected": "r"},
            {
                "c": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "x"}],
                "r": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": None}],
            },
            ("x", None, "rejected_without_answer"),
        ),
        ("answers", NAMED, ANSWERS, ("Jacquard.", "No idea.", None)),
        ("answers", TWO | {"better": "c"}, ANSWERS | {"c": 1}, ("No idea.", "Jacquard.", None)),
        ("answers", TWO | {"better": "c"}, ANSWERS | {"c": 0}, ("Jacquard.", "No idea.", None)),
        (
            "answers",
            TWO | {"better": "w", "first_is": "model_a", "second_is": "model_b", "tie_is": ["tie"]},
            ANSWERS | {"w": "tie"},
            ("Jacquard.", "No idea.", "tie"),
        ),
        ("answers", TWO | {"strength": "s"}, ANSWERS | {"s": -3}, ("Jacquard.", "No idea.", None)),
        ("answers", TWO | {"strength": "s"}, ANSWERS | {"s": 0.5}, ("No idea.", "Jacquard.", None)),
        ("answers", TWO | {"strength": "s"}, ANSWERS | {"s": 0}, ("Jacquard.", "No idea.", "tie")),
        (
            "answers",
            {"prompt": "prompt"},
            {"prompt": ASK, "chosen": says("x")[-1:], "rejected": says("y")[-1:]},
            ("x", "y", None),
        ),
        (
            "answers",
            {"prompt": "prompt"},
            {"prompt": ASK[0]["content"], "chosen": says("x"), "rejected": says("y")},
            ("x", "y", None),
        ),
        (
            "answers",
            {"prompt": "context", "answers": ["a", "b"], "strength": "s"},
            {"context": ASK, "a": "x", "b": "y", "s": 2},
            ("y", "x", None),
        ),
    ],
)  # fmt: skip
def test_layouts_say_which_answer_is_preferred(
    tmp_path: Path,
    layout: str,
    columns: dict[str, Any],
    row: dict[str, Any],
    expected: tuple[str, str, str | None],
) -> None:
    frame, _ = read(tmp_path, [row], layout, **columns)
    found = frame.to_dicts()[0]
    assert (found["chosen"], found["rejected"], found["exclusion"]) == expected


@pytest.mark.parametrize(
    ("layout", "columns", "row", "said"),
    [
        ("transcripts", {}, {"chosen": "x"}, "column 'rejected' is missing (found: chosen)"),
        ("transcripts", {}, {"chosen": ["x"], "rejected": "y"}, "column 'chosen' holds no text"),
        ("transcripts", {}, [1], "line 2: no JSON object"),
        ("messages", {}, {"chosen": "x", "rejected": "y"}, "'chosen' holds no list of messages"),
        ("messages", {}, {"chosen": ["x"], "rejected": []}, "without the texts role and content"),
        ("messages", {}, {"chosen": [CAT], "rejected": []}, "a message of 'cat'"),
        ("answers", NAMED, ANSWERS | {"b": 7}, "'b' holds no text and no list of messages"),
        ("answers", TWO | {"better": "best"}, ANSWERS | {"best": 2}, "holds '2', which neither"),
        ("answers", TWO | {"strength": "s"}, ANSWERS | {"s": "much"}, "no number but 'much'"),
        ("answers", TWO | {"strength": "s"}, ANSWERS | {"s": True}, "no number but True"),
        ("answers", TWO | {"strength": "s"}, ANSWERS | {"s": float("nan")}, "no number but nan"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_line(
    tmp_path: Path, layout: str, columns: dict[str, Any], row: Any, said: str
) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"\n{json.dumps(row)}\n", encoding="utf-8")
    pairs = read_pairs(path, layout=layout, columns=PairColumns(**columns), ledger=Ledger())
    with pytest.raises(InputError, match="line 2") as caught:
        list(pairs)
    assert said in str(caught.value)


def test_a_key_twice_is_an_error_where_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    line = '{"id": 1, "id": 2, "prompt": "Who?", "a": "x", "b": "y", "s": -1, "s": 1}'
    path.write_text(line, encoding="utf-8")
    for columns, stands in ({"better": "a", "first_is": "x"}, False), ({"strength": "s"}, True):
        pairs = read_pairs(
            path, layout="answers", columns=PairColumns(**TWO, **columns), ledger=Ledger()
        )
        if stands:
            with pytest.raises(InputError, match=r"line 1: key 's' stands twice in one object"):
                list(pairs)
        else:
            assert len(pl.concat(list(pairs))) == 1


def test_pairs_are_written_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refusal_parity.preference.pairs.PART", 2)
    rows = [transcripts(f"{H}Hi {k}{A}Ho", f"{H}Hi {k}{A}\ud83d") for k in range(5)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ledger = Ledger()
    parts = read_pairs(path, layout="transcripts", columns=PairColumns(), ledger=ledger)
    assert write_parts(parts, Pairs, tmp_path / "pairs.parquet") == 5
    stored = read_table(Pairs, tmp_path / "pairs.parquet")
    assert stored["requests"].to_list() == [[f"Hi {k}"] for k in range(5)]
    assert set(stored["rejected"]) == {"\N{REPLACEMENT CHARACTER}"}


def test_a_file_without_pairs_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(InputError, match="no pairs"):
        list(read_pairs(path, layout="transcripts", columns=PairColumns(), ledger=Ledger()))


def test_every_pair_of_the_real_test_split_is_accounted_for(shared: Path) -> None:
    ledger = Ledger()
    path = shared / "hh-rlhf/harmless-base-test.jsonl.gz"
    parts = read_pairs(path, layout="transcripts", columns=PairColumns(), ledger=ledger)
    assert sum(map(len, parts)) == ledger.read == 2312
    assert ledger.left_out == {
        PairCase.UNEQUAL_OPENINGS: 5,
        PairCase.CHOSEN_WITHOUT_ANSWER: 4,
    }
