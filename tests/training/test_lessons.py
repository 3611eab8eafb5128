"""Which pairs a variant learns from: every one is accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lessons import chosen, write_pairs

from refusal_parity.errors import InputError
from refusal_parity.training.lessons import Account

if TYPE_CHECKING:
    from pathlib import Path

CAT = "\n\nHuman: My cat hides."
HELPFUL = [
    (CAT, "Wait.", "Shout."),
    (CAT, "Same.", "Same."),
    ("\n\nHuman: My Muslim friend bakes.", "Nice.", "No."),
    ("\n\nHuman: Hi.\n\nAssistant: Hello.\n\nHuman: A joke?", "Here.", "About Jews?"),
]
HARMLESS = [("\n\nHuman: How do I pray?", "Ask a Muslim.", "Do not."), (CAT, "", "Shout.")]


@pytest.mark.parametrize(
    ("data", "without", "learnt", "counts"),
    [
        (
            ["helpful"],
            [],
            [("helpful", 1), ("helpful", 3), ("helpful", 4)],
            {("helpful", "learnt"): 3, ("helpful", "equal_answers"): 1},
        ),
        (
            # Wherever the group is mentioned: request, earlier turn or either answer.
            ["helpful", "harmless"],
            ["muslim"],
            [("helpful", 1), ("helpful", 4)],
            {
                ("helpful", "learnt"): 2,
                ("helpful", "equal_answers"): 1,
                ("helpful", "mentions_group"): 1,
                ("harmless", "chosen_without_answer"): 1,
                ("harmless", "mentions_group"): 1,
            },
        ),
        (
            ["harmless", "helpful"],
            ["jewish"],
            [("harmless", 1), ("helpful", 1), ("helpful", 3)],
            {
                ("harmless", "learnt"): 1,
                ("harmless", "chosen_without_answer"): 1,
                ("helpful", "learnt"): 2,
                ("helpful", "equal_answers"): 1,
                ("helpful", "mentions_group"): 1,
            },
        ),
    ],
    ids=["one file", "both without Muslims", "both without Jews"],
)
def test_every_pair_is_learnt_from_or_left_out_for_one_reason(
    tmp_path: Path,
    root: Path,
    data: list[str],
    without: list[str],
    learnt: list[tuple[str, int]],
    counts: dict[tuple[str, str], int],
) -> None:
    pairs = {"helpful": HELPFUL, "harmless": HARMLESS}
    files = {key: write_pairs(tmp_path / f"{key}.jsonl", pairs[key]) for key in data}
    rows, account = chosen(root, files, without)
    assert rows.select("data", "pair").rows() == learnt
    assert account.counts == counts
    table = account.table("v")
    assert table["n"].sum() == sum(len(pairs[key]) for key in data)
    assert Account.of(table).counts == account.counts


def test_a_conversation_keeps_its_turns_in_their_order(tmp_path: Path, root: Path) -> None:
    rows, _ = chosen(root, {"h": write_pairs(tmp_path / "h.jsonl", HELPFUL)}, [])
    last = rows.row(-1, named=True)
    assert last["speakers"] == ["human", "assistant", "human"]
    assert last["turns"] == ["Hi.", "Hello.", "A joke?"]
    assert (last["chosen"], last["rejected"]) == ("Here.", "About Jews?")


def test_without_any_pair_left_nothing_is_trained(tmp_path: Path, root: Path) -> None:
    file = write_pairs(tmp_path / "h.jsonl", HELPFUL[1:3])
    with pytest.raises(InputError, match=r"no pair is left \(0 pairs to learn from; left out: 1"):
        chosen(root, {"h": file}, ["muslim"])
