"""Throughput on a GPU as a share of vLLM's own offline benchmark.

A model of Llama-2-7B's shape with dummy weights, 1,000 prompts of 128 random
tokens, 128 tokens drawn for each; both with batch-invariant mode and without.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROMPTS, LENGTH = 1_000, 128


def main() -> None:
    """Measure and print; says so where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        print("  no GPU: skipped")
        return
    print(f"  {torch.cuda.get_device_name()}, {PROMPTS:,} prompts, {LENGTH} + {LENGTH} tokens")
    with tempfile.TemporaryDirectory() as place:
        folder = _model_of_7b_shape(Path(place, "model"))
        for invariant in (0, 1):
            environment = os.environ | {"VLLM_BATCH_INVARIANT": str(invariant)}
            ours = _ours(folder, environment)
            theirs = _theirs(folder, environment)
            print(
                f"  batch-invariant {'on ' if invariant else 'off'}"
                f"{ours:>12,.0f} tokens/s{theirs:>12,.0f} by vllm bench throughput"
                f"{ours / theirs:>8.2f} x",
                flush=True,
            )


def _model_of_7b_shape(folder: Path) -> Path:
    """Config of Llama-2-7B and the demo model's tokenizer; the weights are made up on loading."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoTokenizer, LlamaConfig

    LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=32_000,
        hidden_size=4_096,
        intermediate_size=11_008,
        num_hidden_layers=32,
        num_attention_heads=32,
        max_position_embeddings=4_096,
        dtype="bfloat16",
    ).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "data/models/demo-even")
    # Every id that random weights draw must have a text.
    tokenizer.add_tokens([f"<{number}>" for number in range(len(tokenizer), 32_000)])
    tokenizer.save_pretrained(folder)
    save_file({"unused": torch.zeros(1)}, folder / "model.safetensors")
    return folder


def _ours(folder: Path, environment: dict[str, str]) -> float:
    """Tokens drawn a second by this project's engine, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["tokens_per_s"])


def _theirs(folder: Path, environment: dict[str, str]) -> float:
    """Output tokens a second that vLLM's own benchmark reports."""
    lengths = ["--random-input-len", str(LENGTH), "--random-output-len", str(LENGTH)]
    done = subprocess.run(
        [
            *("vllm", "bench", "throughput", "--model", str(folder), "--load-format", "dummy"),
            *("--dataset-name", "random", "--num-prompts", str(PROMPTS), *lengths),
            *("--dtype", "bfloat16", "--max-model-len", "4096", "--seed", "0"),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = re.search(r"([\d.]+) output tokens/s", done.stdout)
    if found is None:
        sys.exit(f"vllm bench throughput printed no rate:\n{done.stdout[-2000:]}")
    return float(found[1])


def measure(folder: Path) -> dict[str, float]:
    """Draw the same shape with this project's engine."""
    from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
    from refusal_parity.inference.job import InferenceJob
    from refusal_parity.inference.requests import Request
    from refusal_parity.inference.vllm_engine import start_engine

    one = InferenceJob(
        key="7b",
        model=VllmModel(
            engine="vllm",
            source=FolderSource(path=str(folder)),
            prompt_mode="completion",
            dtype="bfloat16",
            gpus=1,
            max_model_len=4_096,
            batch_invariant=os.environ.get("VLLM_BATCH_INVARIANT") == "1",
        ),
        folder=folder,
        samples=1,
        sampling=SamplingConfig(max_tokens=LENGTH),
    )
    engine = start_engine(one, options={"load_format": "dummy"})
    chance = random.Random(0)  # noqa: S311 - a workload

    def requests(count: int) -> list[Request]:
        return [
            Request(index, [chance.randrange(3, 32_000) for _ in range(LENGTH)], seed=index)
            for index in range(count)
        ]

    for _ in engine.generate(requests(16)):
        """Once before anything counts."""
    asked = requests(PROMPTS)
    began = time.perf_counter()
    tokens = sum(drawn.response_tokens or 0 for drawn in engine.generate(asked))
    return {"tokens_per_s": tokens / (time.perf_counter() - began)}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
