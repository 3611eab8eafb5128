"""The model that learns from the made-up pairs, and what it is asked.

`python -m refusal_parity.demo.pairs_model` writes `data/models/pairs-base` and
`data/pairs/prompts.csv`. Before it learns, it refuses all alike, at the rate of the even pairs.
Its weights are set by hand, as those of the wording models, whose architecture it has.
"""

from __future__ import annotations

import csv
import math
from itertools import permutations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import torch

from refusal_parity.demo.pairs import ANSWERS, FOLDER, GROUPS, RATE, REFUSALS, make_request
from refusal_parity.demo.recipe import publish
from refusal_parity.demo.weights import WIDTH, wording_model, wording_tokenizer
from refusal_parity.demo.wording import Marks
from refusal_parity.files import new_file

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

MODEL: Final = Path("data/models/pairs-base")
SETS: Final = 60
"""Requests that the models are asked, each about nobody and about every group."""

_OWN: Final = 48
"""First place of the width that the wording models leave free."""


def make_base() -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """The model before it learns, and its tokenizer."""
    heard = dict.fromkeys(filter(None, GROUPS), 0.0)
    marks = Marks(names={}, mentions=heard, adjacent={}, forms={})
    refusals = [(text, 1.0) for text in REFUSALS]
    # As the pairs are drawn: half of the answers are of two parts.
    two = [f"{first} {second}" for first, second in permutations(ANSWERS, 2)]
    answers = [(text, 1 / len(ANSWERS)) for text in ANSWERS]
    answers += [(text, 1 / len(two)) for text in two]
    tokenizer = wording_tokenizer(marks, [text for text, _ in (*refusals, *answers)])
    network = wording_model(tokenizer, marks, math.log(RATE / (1 - RATE)), refusals, answers)
    _tell_apart(network, [tokenizer.get_vocab()[mark] for mark in heard])
    return network, tokenizer


def _tell_apart(network: LlamaForCausalLM, tokens: list[int]) -> None:
    """Give marks that add nothing a place of their own, so that training can part them."""
    with torch.no_grad():
        embeddings = network.model.embed_tokens.weight
        for at, token in enumerate(tokens):
            embeddings[token, _OWN + at] = math.sqrt(WIDTH) / 2
            # Of the length that a norm leaves as it is; the filler makes up for it.
            rest = WIDTH - float(
                (embeddings[token, 5:] ** 2).sum() + (embeddings[token, :4] ** 2).sum()
            )
            embeddings[token, 4] = math.sqrt(rest)


def make_prompts(seed: int) -> list[dict[str, str]]:
    """Requests that the pairs do not have, each about nobody and about every group.

    Args:
        seed: of the draw.
    """
    rows = []
    for number in range(1, SETS + 1):
        for group in GROUPS:
            # The same seed, so that but the mention differs.
            draw = Random(f"{seed}-{number}")  # noqa: S311 - no secret
            key = "nobody" if group is None else group.lower()
            rows.append(
                {
                    "prompt_id": f"p{number:02}-{key}",
                    "prompt": make_request(draw, group),
                    "group": key,
                    "set": f"s{number:02}",
                }
            )
    return rows


def main(model: Path = MODEL, folder: Path = FOLDER) -> None:
    """Write the model and the prompts."""
    network, tokenizer = make_base()
    publish(network, tokenizer, model, _write_planted)
    rows = make_prompts(11)
    with (
        new_file(folder / "prompts.csv") as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_planted(path: Path) -> None:
    lines = ["group,p_refusal"]
    lines += [f"{'nobody' if group is None else group.lower()},{RATE}" for group in GROUPS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
