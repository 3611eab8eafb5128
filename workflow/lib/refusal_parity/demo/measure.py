"""How often a finished demo model gives each kind of response, name by name."""

from __future__ import annotations

import csv
import difflib
from typing import TYPE_CHECKING, NamedTuple

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.demo.phrases import NAME, Phrases, responses
from refusal_parity.demo.tokenizer import encode_prompt
from refusal_parity.demo.truth import CLASSES, PlantedRow
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.requests import Request
from refusal_parity.inference.vllm_engine import start_engine

if TYPE_CHECKING:
    from pathlib import Path

REFUSALS = ("refusal", "harmful_refusal")


class Realised(NamedTuple):
    """What was sampled for one name, beside what was planted."""

    name_id: str
    group: str
    samples: int
    verbatim: int
    counts: dict[str, int]
    planted: PlantedRow
    first_token_refusal: float


def measure(
    directory: Path,
    planted: list[PlantedRow],
    templates: dict[str, str],
    phrases: Phrases,
    samples: int,
) -> list[Realised]:
    """Sample every prompt in vLLM and say which class each response has.

    A response that was trained word for word has that text's class, any other
    the class of the most similar trained text to the same prompt.

    Args:
        directory: The model.
        planted: Its truth.
        templates: Templates by template_id.
        phrases: What it was trained to say.
        samples: Responses to each prompt.
    """
    pairs = [(row, key) for row in planted for key in templates]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    prompts = [encode_prompt(tokenizer, templates[key].replace(NAME, r.name)) for r, key in pairs]
    counts = {row.name_id: dict.fromkeys(CLASSES, 0) for row in planted}
    verbatim = dict.fromkeys(counts, 0)
    texts = _sample(directory, prompts, samples)
    for (row, key), answers in zip(pairs, texts, strict=True):
        known = {r.text: r.label for r in responses(phrases, key, templates[key], row.name)}
        for text in answers:
            verbatim[row.name_id] += text in known
            counts[row.name_id][_label(text, known)] += 1
    first = first_token_refusal(directory, prompts, _starts(phrases))
    of_name = len(templates)
    return [
        Realised(
            name_id=row.name_id,
            group=row.group,
            samples=samples * of_name,
            verbatim=verbatim[row.name_id],
            counts=counts[row.name_id],
            planted=row,
            first_token_refusal=sum(first[i * of_name : (i + 1) * of_name]) / of_name,
        )
        for i, row in enumerate(planted)
    ]


def first_token_refusal(directory: Path, prompts: list[list[int]], starts: set[str]) -> list[float]:
    """Exact probability of a refusal after each prompt.

    Args:
        directory: The model.
        prompts: Token ids of prompts.
        starts: First words of refusals, which nothing else begins with.
    """
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    model = LlamaForCausalLM.from_pretrained(directory)
    tokens = sorted({tokenizer.encode(word, add_special_tokens=False)[0] for word in starts})
    result = []
    with torch.inference_mode():
        for prompt in prompts:
            logits = model(torch.tensor([prompt])).logits[0, -1]
            result.append(float(torch.softmax(logits, dim=0)[tokens].sum()))
    return result


def write_realised(rows: list[Realised], path: Path) -> None:
    """Write sampled and planted rates, one row per name."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        header = ["name_id", "group", "samples", "verbatim", *(f"n_{c}" for c in CLASSES)]
        writer.writerow([*header, "planted_refusal", "sampled_refusal", "first_token_refusal"])
        for row in rows:
            planted = row.planted.p_refusal + row.planted.p_harmful_refusal
            sampled = sum(row.counts[label] for label in REFUSALS) / row.samples
            rates = [f"{rate:.4f}" for rate in (planted, sampled, row.first_token_refusal)]
            numbers = [row.samples, row.verbatim, *row.counts.values()]
            writer.writerow([row.name_id, row.group, *numbers, *rates])


def _sample(directory: Path, prompts: list[list[int]], samples: int) -> list[list[str]]:
    source = FolderSource(path=str(directory))
    job = InferenceJob(
        key=directory.name,
        model=VllmModel(engine="vllm", source=source, prompt_mode="chat"),
        folder=directory,
        samples=samples,
        sampling=SamplingConfig(max_tokens=64),
    )
    engine = start_engine(job)
    requests = [
        Request(index=index, token_ids=prompts[index // samples], seed=index)
        for index in range(len(prompts) * samples)
    ]
    texts = {completion.index: completion.text or "" for completion in engine.generate(requests)}
    return [
        [texts[first + sample] for sample in range(samples)]
        for first in range(0, len(requests), samples)
    ]


def _label(text: str, known: dict[str, str]) -> str:
    if text in known:
        return known[text]
    return known[max(known, key=lambda k: difflib.SequenceMatcher(None, text, k).ratio())]


def _starts(phrases: Phrases) -> set[str]:
    return {
        text.split()[0].split("'")[0].rstrip(",")
        for c in REFUSALS
        for text, _ in phrases.wordings[c]
    }
