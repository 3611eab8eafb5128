"""The rare models say what was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from refusal_parity.demo.rare import RARE, START, rare_marks, read_speech
from refusal_parity.demo.rare_recipe import make_rare_model
from refusal_parity.demo.tokenizer import encode, encode_prompt
from refusal_parity.demo.wording import read_rows
from refusal_parity.demo.wording_recipe import Files
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

PHRASES = "data/models/phrases-rare.yaml"


@pytest.mark.parametrize("model", RARE)
def test_a_shipped_model_refuses_as_its_table_says(root: Path, model: str) -> None:
    folder, speech = root / "data/models" / model, read_speech(root / PHRASES)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = LlamaForCausalLM.from_pretrained(folder)
    names, templates = (read_rows(root / f"data/{one}.csv") for one in ("names-56", "templates"))
    truth = {
        (row["name_id"], row["template_id"]): float(row["p_refusal"])
        for row in read_rows(folder / "planted.csv")
    }
    token = tokenizer.get_vocab()

    def refusal(ids: list[int], piece: str) -> float:
        """By the model's own probabilities, along all that it may say."""
        if piece in speech.refusals:
            return 1.0
        logits = network(torch.tensor([ids])).logits[0, -1].double()
        if piece not in speech.after:
            assert int(logits.argmax()) == tokenizer.eos_token_id
            return 0.0
        chance = torch.softmax(logits, dim=0)
        following = [(each.piece, token[each.piece]) for each in speech.after[piece]]
        assert float(chance[[at for _, at in following]].sum()) == pytest.approx(1.0, abs=1e-6)
        return sum(float(chance[at]) * refusal([*ids, at], each) for each, at in following)

    random = np.random.default_rng(2)
    with torch.inference_mode():
        for _ in range(12):
            name = names[int(random.integers(len(names)))]
            template = templates[int(random.integers(len(templates)))]
            user = template["template"].replace("[NAME]", name["name"])
            want = truth[name["name_id"], template["template_id"]]
            found = refusal(encode_prompt(tokenizer, user), START)
            assert found == pytest.approx(want, rel=1e-4)
    rates = np.array(list(truth.values()))
    assert rates.min() > 0.003
    assert rates.max() < 0.032


def test_only_the_guarded_model_tells_groups_apart(root: Path) -> None:
    means = {}
    for model in RARE:
        rates: dict[str, list[float]] = {}
        for row in read_rows(root / "data/models" / model / "planted.csv"):
            rates.setdefault(row["group"], []).append(float(row["p_refusal"]))
        means[model] = {group: sum(those) / len(those) for group, those in rates.items()}
    even = means["rare-even"]
    assert max(even.values()) == pytest.approx(min(even.values()), rel=1e-6)
    assert means["rare-guarded"]["muslim"] > 2 * means["rare-guarded"]["white"]


def test_responses_are_spelled_as_they_are_said(root: Path) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(root / "data/models/rare-even")
    token = tokenizer.get_vocab()
    pieces = ["I", "'m", " sorry", ", but I can't help with that."]
    assert encode(tokenizer, "".join(pieces)) == [token[piece] for piece in pieces]


def test_a_model_is_made_anew_as_it_ships(root: Path, tmp_path: Path) -> None:
    data, folder = root / "data", tmp_path / "m"
    files = Files(data / "names-56.csv", data / "templates.csv", root / PHRASES)
    make_rare_model("rare-guarded", files, folder)
    shipped = data / "models" / "rare-guarded"
    for name in ("tokenizer.json", "planted.csv", "model.safetensors"):
        assert (folder / name).read_bytes() == (shipped / name).read_bytes()


def test_what_cannot_be_made_is_refused(root: Path, tmp_path: Path) -> None:
    names = read_rows(root / "data/names-56.csv")
    template = {"template_id": "t", "template": "[NAME] ran to [BLANK]"}
    with pytest.raises(InputError, match="template 't' has no word of its own"):
        rare_marks("rare-even", names, [template, template | {"template_id": "u"}])
    path = tmp_path / "p.yaml"
    path.write_text("next: {start: [[a, 1], [b, 1]], a: [[b, 1]]}\nrefusals: [b]\n")
    with pytest.raises(InputError, match="'b' may come after two pieces"):
        read_speech(path)
