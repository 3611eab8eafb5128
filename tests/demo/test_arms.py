"""The arms models, their adapter and guards do what was planted, and the statistics find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from arms_files import FILES, arms_asked, texts_of
from refusal_parity.config import Arm
from refusal_parity.demo.arms import ARMS, GATES
from refusal_parity.demo.arms_recipe import BASE, STOPS, make_adapter, make_arms_model
from refusal_parity.demo.tokenizer import encode, encode_prompt
from refusal_parity.demo.wording import read_rows
from refusal_parity.demo.wording_recipe import texts
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FREED = "arms-freed"


def _asked(template: dict[str, str], name: dict[str, str], arm: Arm) -> str:
    request = template["template"]
    for column, text in name.items():
        request = request.replace(f"[{column.upper()}]", text)
    before, behind = arm.around
    return before + request + behind


def _network(folder: Path, adapter: Path | None = None) -> LlamaForCausalLM:
    network = LlamaForCausalLM.from_pretrained(folder)
    if adapter is not None:
        tensors = load_file(adapter / "adapter_model.safetensors")
        state = network.state_dict()
        for key in [key for key in tensors if key.endswith("lora_A.weight")]:
            part = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            added = tensors[key.replace("lora_A", "lora_B")] @ tensors[key]
            state[f"{part}.weight"] += added
        network.load_state_dict(state)
    return network


@pytest.mark.parametrize("model", [*ARMS, FREED])
def test_a_shipped_model_refuses_as_its_table_says(root: Path, model: str) -> None:
    models = root / "data/models"
    folder = models / (BASE if model == FREED else model)
    names, templates = texts_of(root)
    truth = {
        (row["name_id"], row["kind"], row["arm"]): float(row["p_refusal"])
        for row in read_rows(models / model / "planted.csv")
    }
    arms = arms_asked(root)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = _network(folder, models / FREED if model == FREED else None)
    refusals, answers = texts(models / "phrases-arms.yaml")
    refused = [encode(tokenizer, text)[0] for text, _ in refusals]
    answered = [encode(tokenizer, text)[0] for text, _ in answers]
    random = np.random.default_rng(3)
    with torch.inference_mode():
        # Every template, each with some name, in both arms that a model is asked in.
        for template in templates:
            name = names[int(random.integers(len(names)))]
            for arm in ("plain", "reminded"):
                ids = encode_prompt(tokenizer, _asked(template, name, arms[arm]))
                chance = torch.softmax(network(torch.tensor([ids])).logits[0, -1], dim=0)
                key = name["name_id"], template["kind"], arm
                assert float(chance[refused].sum()) == pytest.approx(truth[key], abs=2e-4), key
                assert float(chance[refused + answered].sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("guard", GATES)
def test_a_shipped_guard_stops_as_its_table_says(root: Path, guard: str) -> None:
    folder = root / "data/models" / guard
    names, templates = texts_of(root)
    shares = {
        (row["group"], row["template_id"]): float(row["p_stopped"])
        for row in read_rows(folder / "planted.csv")
    }
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = LlamaForCausalLM.from_pretrained(folder)
    words = {encode(tokenizer, word)[0]: word for word in STOPS}
    stopped: dict[tuple[str, str], list[bool]] = {}
    split = sorted({template for (_, template), share in shares.items() if 0 < share < 1})
    with torch.inference_mode():
        for template in templates:
            # All names where these differ, in some templates; one of each group in the others.
            which = template["template_id"]
            if which in split and which not in split[::5]:
                continue
            for name in names if which in split else names[::24]:
                ids = encode_prompt(tokenizer, _asked(template, name, Arm()))
                said = int(network(torch.tensor([ids])).logits[0, -1].argmax())
                key = name["group"], which
                stopped.setdefault(key, []).append(words[said] == STOPS[0])
    for (group, template), those in stopped.items():
        assert np.mean(those) == pytest.approx(shares[group, template], abs=1e-6), template
    assert (guard == "gate-even") == (not split)


def test_they_are_made_anew_as_they_ship(root: Path, tmp_path: Path) -> None:
    data = root / "data"
    given = {
        "names": data / "names.csv",
        "templates": [data / each for each in FILES],
        "phrases": data / "models/phrases-arms.yaml",
    }
    for model in (*ARMS, *GATES):
        make_arms_model(model, **given, directory=tmp_path / model)
    made = LlamaForCausalLM.from_pretrained(tmp_path / BASE)
    make_adapter(
        network=made,
        base=data.relative_to(root) / "models" / BASE,
        names=data / "names.csv",
        directory=tmp_path / FREED,
    )
    for folder in tmp_path.iterdir():
        for path in folder.iterdir():
            if path.name in {"config.json", "generation_config.json", "tokenizer_config.json"}:
                continue
            assert path.read_bytes() == (data / "models" / folder.name / path.name).read_bytes()


def test_an_unsafe_template_that_cannot_be_told(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "template_id,kind,template\na,harmless,Do I greet [NAME] now?\n"
        "b,unsafe,Do I greet [NAME]?\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="unsafe template 'b' has no word of its own"):
        make_arms_model(
            BASE,
            names=root / "data/names.csv",
            templates=[path],
            phrases=root / "data/models/phrases-arms.yaml",
            directory=tmp_path / "m",
        )
