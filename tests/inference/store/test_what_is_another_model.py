"""Which changes of a model of one's own make its stored responses those of another model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import SamplingConfig, VllmModel
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import settings
from refusal_parity.inference.store.responses import ResponseStore, differences, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

Job = InferenceJob[VllmModel]


def _model(**given: Any) -> VllmModel:
    return VllmModel.model_validate(
        {"engine": "vllm", "source": {"path": "weights"}, "prompt_mode": "chat", **given}
    )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A model's files, an adapter's and a chat template, all made up."""
    for folder, name in (("model", "model"), ("adapter", "adapter_model")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.safetensors").write_bytes(b"weights of " + name.encode())
        (tmp_path / folder / "config.json").write_text("{}", "utf-8")
    (tmp_path / "own.jinja").write_text("{{ messages[0].content }}", "utf-8")
    model = _model(lora={"path": "adapter"}, chat_template=str(tmp_path / "own.jinja"))
    return InferenceJob(
        key="m", model=model, folder=tmp_path / "model", adapter=tmp_path / "adapter",
        samples=1, sampling=SamplingConfig(), store=tmp_path / "results/.responses",
    )  # fmt: skip


def _written(path: str, content: str) -> Callable[[Job], Job]:
    """A file of the model's with other bytes, as many as before."""

    def change(job: Job) -> Job:
        file = job.folder.parent / path
        before = file.read_bytes()
        file.write_bytes(content.encode().ljust(len(before))[: len(before)])
        assert file.read_bytes() != before
        return job

    return change


def _told(**given: Any) -> Callable[[Job], Job]:
    return lambda job: replace(job, model=job.model.model_copy(update=given))


def _moved(job: Job) -> Job:
    folder = Path(shutil.move(job.folder, job.folder.parent / "elsewhere"))
    return replace(job, folder=folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_written("model/model.safetensors", "other weights"), ["weights.weights_sha256"]),
        (_written("model/config.json", "[]"), ["model_files_sha256"]),
        (_written("adapter/adapter_model.safetensors", "x"), ["lora.weights_sha256"]),
        (_written("adapter/config.json", "[]"), ["lora.files_sha256"]),
        (_written("own.jinja", "{{ bos_token }}"), ["chat_template_sha256"]),
        (_told(dtype="bfloat16"), ["dtype"]),
        (_told(stop=["."]), ["stop"]),
        (_told(max_model_len=100), ["max_model_len", "sampling.max_tokens"]),
        (_told(gpus=2), ["gpus"]),
        (lambda job: replace(job, sampling=SamplingConfig(top_p=0.5)), ["sampling.top_p"]),
        (_moved, []),
        (_told(gpu_model="a100", mem_mb=1, runtime=1, shards=4), []),
        (lambda job: replace(job, key="renamed", samples=9, threads=4), []),
    ],
    ids=[
        *("weights", "config", "adapter", "adapter-config", "template", "dtype", "stop"),
        *("context", "gpus", "sampling", "moved", "running", "names"),
    ],
)
def test_a_change_never_mixes_and_is_named(
    job: Job, change: Callable[[Job], Job], named: list[str]
) -> None:
    table, store = job.folder.parent / "results/s/responses.parquet", job.store
    assert store is not None
    before = settings(job)
    assert before is not None
    ResponseStore(store, before).note_use(table)
    now = settings(change(job))
    assert now is not None
    assert differences(before, now) == named
    assert (fingerprint(before) == fingerprint(now)) == (not named)
    former = ResponseStore(store, now).former_use(table)
    assert (former and former[1]) == (named or None)
