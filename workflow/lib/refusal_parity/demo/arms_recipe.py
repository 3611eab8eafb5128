"""From tables to the directories of the arms models, their adapter and guards, in seconds."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from safetensors.torch import save_file

from refusal_parity.demo.arms import (
    ARMS,
    FREED,
    GATES,
    arms_marks,
    arms_rows,
    gate_marks,
    gate_rows,
)
from refusal_parity.demo.recipe import publish
from refusal_parity.demo.weights import adapter_of, wording_model, wording_tokenizer
from refusal_parity.demo.wording import read_rows, write_planted
from refusal_parity.demo.wording_recipe import texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import LlamaForCausalLM

    from refusal_parity.demo.wording import Row

BASE: Final = "arms-guarded"
"""What the adapter is put on."""

STOPS: Final = ("unsafe", "safe")
"""What a guard says of a request that it stops, and of one that passes."""


def make_arms_model(
    model: str, *, names: Path, templates: Sequence[Path], phrases: Path, directory: Path
) -> None:
    """Set the weights of an arms model, or of a guard, and write its directory.

    Args:
        model: one of `ARMS` or `GATES`.
        names: CSV of names.
        templates: CSVs of harmless and unsafe templates.
        phrases: what the models say.
        directory: where it goes.

    Raises:
        InputError: a template has no word to know it by.
    """
    people, asked = read_rows(names), _all_rows(templates)
    if model in GATES:
        gate = GATES[model]
        marks, base = gate_marks(gate, people, asked), 0.0
        rows = gate_rows(gate, people, asked)
        refusals, answers = ([(word, 1.0)] for word in STOPS)
    else:
        law = ARMS[model]
        marks, base = arms_marks(law, people, asked), law.base
        rows = arms_rows(law, people)
        refusals, answers = texts(phrases)
    tokenizer = wording_tokenizer(marks, [text for text, _ in (*refusals, *answers)])
    network = wording_model(tokenizer, marks, base, refusals, answers)
    publish(network, tokenizer, directory, partial(write_planted, rows))


def make_adapter(*, network: LlamaForCausalLM, base: Path, names: Path, directory: Path) -> None:
    """Write the adapter that undoes refusals of a model, as the library peft saves one.

    Args:
        network: the model.
        base: its folder.
        names: CSV of names.
        directory: where it goes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    save_file(adapter_of(network, FREED), directory / "adapter_model.safetensors")
    config = {
        "base_model_name_or_path": base.as_posix(),
        "bias": "none",
        "lora_alpha": 1,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": 1,
        "target_modules": ["o_proj", "v_proj"],
        "task_type": "CAUSAL_LM",
    }
    text = json.dumps(config, indent=2) + "\n"
    (directory / "adapter_config.json").write_text(text, encoding="utf-8")
    write_planted(arms_rows(ARMS[BASE], read_rows(names), FREED), directory / "planted.csv")
    for path in directory.iterdir():
        # safetensors writes files that only their owner may read.
        path.chmod(0o644)


def _all_rows(files: Sequence[Path]) -> list[Row]:
    return [row for path in files for row in read_rows(path)]
