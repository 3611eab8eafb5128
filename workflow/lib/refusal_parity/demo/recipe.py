"""From tables to a directory that vLLM and transformers load: the whole recipe."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

import torch
from transformers import GenerationConfig

from refusal_parity.demo.phrases import NAME, read_phrases, read_templates, responses
from refusal_parity.demo.targets import make_bank
from refusal_parity.demo.tokenizer import train_tokenizer
from refusal_parity.demo.training import CONTEXT, Lesson, Prompts, new_model, train
from refusal_parity.demo.truth import planted_rows, write_planted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from refusal_parity.demo.phrases import Phrases
    from refusal_parity.demo.training import Settings

FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "planted.csv",
    "model.safetensors",
)
"""What a demo model's directory holds."""


class Tables(NamedTuple):
    """The files that a demo model is made from."""

    names: Path
    templates: Path
    phrases: Path


def make_demo_model(
    model: str,
    tables: Tables,
    directory: Path,
    settings: Settings,
    report: Callable[[str], None],
) -> None:
    """Train a demo model and write its directory.

    The files appear under their names only when all of them are complete.

    Args:
        model: One of `refusal_parity.demo.truth.MODELS`.
        tables: The files it is made from.
        directory: Where it goes.
        settings: How long and how fast to train, and with which seed.
        report: Takes a line of progress.

    Raises:
        InputError: If the tables do not fit together.
    """
    planted = planted_rows(model, tables.names)
    templates = read_templates(tables.templates)
    phrases = read_phrases(tables.phrases, list(templates))
    names = [row.name for row in planted]
    tokenizer = train_tokenizer(_corpus(phrases, templates, names), names, CONTEXT)
    lesson = Lesson(
        bank=make_bank(phrases, templates, names, tokenizer),
        prompts=Prompts(phrases, templates, names[0], tokenizer, settings.seed),
        planted=torch.tensor([row.by_class for row in planted]),
    )
    torch.manual_seed(settings.seed)
    network = new_model(tokenizer)
    train(network, lesson, settings, report)
    publish(network, tokenizer, directory, lambda path: write_planted(planted, path))


def publish(
    network: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    directory: Path,
    write_truth: Callable[[Path], None],
) -> None:
    """Write a model's directory, whose files appear only when all of them are complete.

    Args:
        network: the model.
        tokenizer: its tokenizer, with the chat template.
        directory: where it goes.
        write_truth: writes the planted truth.
    """
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    network.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=True,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
    )
    network.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    write_truth(unfinished / "planted.csv")
    directory.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        # safetensors writes files that only their owner may read.
        (unfinished / name).chmod(0o644)
        (unfinished / name).replace(directory / name)
    shutil.rmtree(unfinished)


def _corpus(phrases: Phrases, templates: dict[str, str], names: list[str]) -> list[str]:
    """What the tokenizer's merges are chosen for."""
    said = [
        response.text
        for key, text in templates.items()
        for response in responses(phrases, key, text, names[0])
    ]
    asked = [text.replace(NAME, name) for text in templates.values() for name in names[:2]]
    # As frequent as a wording that is common to all templates.
    return [*said, *asked, *(phrases.systems * len(templates))]
