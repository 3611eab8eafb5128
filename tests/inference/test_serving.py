"""The openai engine against vLLM's real server, which `vllm serve` starts, on loopback."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import FolderSource, OpenAIModel, SamplingConfig, VllmModel
from refusal_parity.errors import InputError
from refusal_parity.inference.asking import speaker, start_weighing
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.requests import Step
from refusal_parity.inference.running import run_job
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.tables import Responses, read_metadata, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("serving")]

KEY = "sk-loopback-4242"
LONGEST_START_S = 900


@pytest.fixture(scope="module")
def base_url(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    settings = {
        "VLLM_API_KEY": KEY,
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1",
    }
    # Its start takes less time without compiling.
    command = [
        *_documented_command(root, port),
        *("--dtype", "float32", "--enforce-eager"),
        *_documented_switch(root),
    ]
    with (
        log.open("w") as file,
        subprocess.Popen(
            command,
            cwd=root,
            env=os.environ | settings,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            # Its engine is a process of its own.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _documented_command(root: Path, port: int) -> list[str]:
    """The command of the how-to guide, on a port of the test's own."""
    guide = (root / "docs/how-to/8-ask-a-served-model.md").read_text("utf-8")
    block = re.search(r"```sh\n(python -m vllm\.entrypoints.*?)```", guide, re.DOTALL)
    assert block
    words = shlex.split(block[1].replace("\\\n", " "))
    assert (words[0], words.count("8000")) == ("python", 1)
    return [sys.executable, *(str(port) if word == "8000" else word for word in words[1:])]


def _documented_switch(root: Path) -> list[str]:
    """What the page on rare refusals adds to it, which changes no response."""
    page = (root / "docs/rare-refusals.md").read_text("utf-8")
    found = re.search(r"`(--logprobs-mode \S+)`", page)
    assert found
    return shlex.split(found[1])


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + LONGEST_START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    pytest.fail(f"vllm serve did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def job(base_url: str, monkeypatch: pytest.MonkeyPatch) -> InferenceJob[OpenAIModel]:
    monkeypatch.setenv("TEST_KEY", KEY)
    model = OpenAIModel(
        engine="openai",
        base_url=base_url,
        model="demo",
        server="vllm",
        api_key_env="TEST_KEY",
        concurrency=4,
        timeout_s=300,
        prompt_price=1.0,
        response_price=2.0,
    )
    return InferenceJob(
        key="served", model=model, samples=1, sampling=SamplingConfig(temperature=0, max_tokens=16)
    )


def _asked(job: InferenceJob[OpenAIModel], prompts: pl.DataFrame, output: Path) -> pl.DataFrame:
    run_job(job, prompts, output, say=lambda _: None)
    return read_table(Responses, output)


def test_greedy_responses_are_those_of_transformers(
    job: InferenceJob[OpenAIModel], prompts: pl.DataFrame, root: Path, tmp_path: Path
) -> None:
    import torch  # noqa: PLC0415 - with the engine alone
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    folder = root / "data/models/demo-even"
    asked = prompts[::100]
    rows = _asked(job, asked, tmp_path / "r.parquet")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    cost = 0.0
    for row, prompt in zip(rows.iter_rows(named=True), asked["prompt"], strict=True):
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        ids = tokenizer.encode(text, add_special_tokens=False)
        with torch.no_grad():
            drawn = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=16)[0]
        own = drawn[len(ids) :]
        assert row["response"] == tokenizer.decode(own, skip_special_tokens=True).strip()
        assert (row["prompt_tokens"], row["response_tokens"]) == (len(ids), len(own))
        assert row["cost"] == pytest.approx((len(ids) + 2 * len(own)) / 1e6)
        assert row["status"] == "ok"
        assert row["truncated"] == (row["finish_reason"] == "length")
        cost += row["cost"]
    metadata = read_metadata(tmp_path / "r.parquet")
    assert metadata["usage"]["cost"] == pytest.approx(cost, abs=1e-6)
    assert KEY not in str(metadata)


@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_the_server_tells_in_tokens_what_the_engine_tells(
    job: InferenceJob[OpenAIModel], prompts: pl.DataFrame, root: Path, top_p: float
) -> None:
    import torch  # noqa: PLC0415 - with the engine alone
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    folder = root / "data/models/demo-even"
    own = VllmModel(engine="vllm", source=FolderSource(path=str(folder)), prompt_mode="chat")
    here, there = OwnSpeaker.of("served", own, folder), speaker("served", job.model)
    pairs = [(prompt, system) for prompt in prompts["prompt"][::400] for system in (None, "Kind.")]
    sent = there.sent(pairs)
    assert sent == here.sent(pairs)
    said = [(one, text) for one in sent for text in ("I'm sorry, but no.", "Sure!", "")]
    assert there.said(said) == here.said(said)
    assert there.written([5, 6]) == here.written([5, 6])
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    drawn = replace(job, sampling=SamplingConfig(temperature=0.7, top_p=top_p, max_tokens=16))
    behind = [one.token_ids + ids[:2] for (one, _), ids in zip(said, there.said(said), strict=True)]
    wanted = range(0, model.config.vocab_size, 3)
    steps = [Step(index, ids, wanted) for index, ids in enumerate(behind)]
    answers = {answer.index: answer for answer in start_weighing(drawn).next_tokens(steps)}
    for step in steps:
        with torch.no_grad():
            logits = model(torch.tensor([step.token_ids])).logits[0, -1].double()
        before = torch.softmax(logits / 0.7, dim=0)
        found = answers[step.index]
        assert found.probabilities == pytest.approx(before[::3].tolist(), rel=1e-3, abs=1e-9)
        # Top_p, as it is defined: the fewest of the most probable that hold so much.
        sorted_, at = torch.sort(before, descending=True)
        kept = (sorted_.cumsum(0) - sorted_) < top_p
        cut = torch.zeros_like(before).scatter(0, at, sorted_ * kept)
        expected = (cut / cut.sum())[::3].tolist()
        assert found.as_drawn == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_seeds_make_samples_repeatable_and_different(
    job: InferenceJob[OpenAIModel], prompts: pl.DataFrame, tmp_path: Path
) -> None:
    drawn = replace(job, samples=2, sampling=SamplingConfig(temperature=1, max_tokens=16))
    asked = prompts[::200]
    first = _asked(drawn, asked, tmp_path / "a.parquet")
    assert (
        _asked(drawn, asked[::-1], tmp_path / "b.parquet").sort("seed").equals(first.sort("seed"))
    )
    assert first.group_by("prompt_id").agg(pl.col("response").n_unique())["response"].max() == 2


def test_what_the_server_refuses(
    job: InferenceJob[OpenAIModel], prompts: pl.DataFrame, tmp_path: Path
) -> None:
    long = prompts[:1].with_columns(prompt=pl.lit("so " * 400))
    row = _asked(job, long, tmp_path / "a.parquet").row(0, named=True)
    assert row["status"] == "error"
    assert "status 400" in row["error"]

    def refused(**changes: Any) -> str:
        changed = replace(job, model=job.model.model_copy(update=changes))
        with pytest.raises(InputError) as raised:
            _asked(changed, prompts[:1], tmp_path / "b.parquet")
        return str(raised.value)

    assert "status 404" in refused(model="another")
    os.environ["TEST_KEY"] = "sk-wrong"
    assert "status 401" in refused()
    assert "sk-wrong" not in refused()
