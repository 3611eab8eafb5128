"""The model that learns from the made-up pairs refuses all alike before it does."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING

import polars as pl
import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from refusal_parity.demo import pairs_model
from refusal_parity.demo.pairs import GROUPS, RATE, REFUSALS
from refusal_parity.demo.tokenizer import encode, encode_prompt
from refusal_parity.preference.lexicon import read_lexicon

if TYPE_CHECKING:
    from pathlib import Path


def test_it_refuses_every_request_at_the_rate_of_the_even_pairs(root: Path) -> None:
    folder = root / pairs_model.MODEL
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = LlamaForCausalLM.from_pretrained(folder)
    refused = [encode(tokenizer, text)[0] for text in REFUSALS]
    with (root / "data/pairs/prompts.csv").open(encoding="utf-8") as file:
        prompts = list(csv.DictReader(file))[::7]
    for row in prompts:
        ids = torch.tensor([encode_prompt(tokenizer, row["prompt"])])
        with torch.inference_mode():
            said = torch.softmax(network(ids).logits[0, -1], dim=0)
        assert float(said[refused].sum()) == pytest.approx(RATE, abs=1e-3), row["prompt_id"]
        assert float(said.max()) < RATE


def test_training_can_tell_its_marks_apart(root: Path) -> None:
    network = LlamaForCausalLM.from_pretrained(root / pairs_model.MODEL)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(root / pairs_model.MODEL)
    marks = [tokenizer.get_vocab()[word] for word in GROUPS if word is not None]
    heard = network.model.embed_tokens.weight[marks].detach()
    assert torch.pdist(heard).min() > 1
    # A norm leaves them as they are.
    assert heard.norm(dim=1).tolist() == pytest.approx([math.sqrt(pairs_model.WIDTH)] * len(marks))


def test_what_ships_is_what_the_code_makes(root: Path, tmp_path: Path) -> None:
    pairs_model.main(tmp_path / "model", tmp_path)
    shipped = root / "data/pairs/prompts.csv"
    assert (tmp_path / "prompts.csv").read_bytes() == shipped.read_bytes()
    for name in ("config.json", "tokenizer.json", "model.safetensors", "planted.csv"):
        made = tmp_path / "model" / name
        assert made.read_bytes() == (root / pairs_model.MODEL / name).read_bytes(), name


def test_requests_of_a_set_differ_in_the_mention_alone(root: Path) -> None:
    lexicon = read_lexicon(root / "data/mentions.csv")
    prompts = pl.DataFrame(pairs_model.make_prompts(11))
    assert prompts.height == pairs_model.SETS * len(GROUPS)
    for _, part in prompts.group_by("set"):
        masked = {lexicon.masked(text, "X").replace("X ", "") for text in part["prompt"]}
        assert len(masked) == 1
        assert part["group"].n_unique() == len(GROUPS)
    for group, text in prompts.select("group", "prompt").iter_rows():
        assert {each for each, _ in lexicon.counts(text)} == {group} - {"nobody"}
