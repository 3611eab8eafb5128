from __future__ import annotations

import hashlib
import json
import random
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.errors import InputError
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import OwnWeights, requests_of
from refusal_parity.inference.plan import plan_of
from refusal_parity.inference.provenance import weights_hash
from refusal_parity.inference.response_rows import as_rows
from refusal_parity.inference.vllm_engine import start_engine

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.inference.requests import Completion, Engine, Request

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("vllm_engine")]

# Some of the demo model's responses are longer and some shorter.
MAX_TOKENS = 24


@pytest.fixture(scope="module")
def job(root: Path) -> InferenceJob[VllmModel]:
    folder = root / "data/models/demo-even"
    source = FolderSource(path="data/models/demo-even")
    return InferenceJob(
        key="demo",
        model=VllmModel(engine="vllm", source=source, prompt_mode="chat"),
        folder=folder,
        samples=2,
        sampling=SamplingConfig(max_tokens=MAX_TOKENS),
    )


@pytest.fixture(scope="module")
def engine(job: InferenceJob[VllmModel]) -> Engine:
    return start_engine(job)


@pytest.fixture(scope="module")
def plan(engine: Engine, job: InferenceJob[VllmModel], prompts: pl.DataFrame) -> pl.DataFrame:
    source = OwnWeights(lambda: engine, job)
    return source.prepared(plan_of(prompts[::40], job, source.settings()))


@pytest.fixture(scope="module")
def batched(engine: Engine, plan: pl.DataFrame) -> dict[int, Completion]:
    return _drawn(engine, requests_of(plan))


def _drawn(engine: Engine, requests: list[Request]) -> dict[int, Completion]:
    return {completion.index: completion for completion in engine.generate(requests)}


def test_plan_has_a_seed_and_one_bos_for_every_row(engine: Engine, plan: pl.DataFrame) -> None:
    assert len(plan) == 90
    assert plan["seed"].n_unique() == 90
    assert plan["rendered_sha256"].n_unique() == 45
    bos = engine.tokenizer.bos_token_id
    assert set(plan["token_ids"].list.count_matches(bos)) == {1}
    assert plan["prompt_tokens"].equals(
        plan["token_ids"].list.len().cast(pl.Int32), check_names=False
    )


def test_responses_do_not_depend_on_the_batch(
    engine: Engine, plan: pl.DataFrame, batched: dict[int, Completion]
) -> None:
    requests = requests_of(plan)
    assert _drawn(engine, requests[::-1]) == batched
    for request in random.Random(1).sample(requests, 8):  # noqa: S311 - a test's choice
        assert _drawn(engine, [request]) == {request.index: batched[request.index]}


def test_samples_of_a_prompt_differ(plan: pl.DataFrame, batched: dict[int, Completion]) -> None:
    rows = plan.with_columns(text=pl.Series([batched[i].text for i in range(len(plan))]))
    pairs = rows.group_by("prompt_id").agg(pl.col("text").n_unique())
    assert pairs.filter(pl.col("text") == 2).height > len(pairs) / 2


def test_what_was_cut_off_is_known(plan: pl.DataFrame, batched: dict[int, Completion]) -> None:
    rows = as_rows(plan, list(batched.values()))
    cut = rows.filter("truncated")
    # A response may also end by itself at the last token that it may have.
    ended = rows.filter(pl.col("finish_reason") == "stop")
    assert len(cut) > 5
    assert set(cut["response_tokens"]) == {MAX_TOKENS}
    assert set(cut["finish_reason"]) == {"length"}
    assert set(rows["status"]) == {"ok"}
    assert not ended["truncated"].any()
    assert len(cut) + len(ended) == len(rows)


def test_provenance_says_how_to_draw_again(engine: Engine, job: InferenceJob[VllmModel]) -> None:
    source = OwnWeights(lambda: engine, job)
    found: dict[str, Any] = source.settings() | source.asked() | source.provenance()
    template = (job.folder / "chat_template.jinja").read_bytes()
    assert found["engine"] == "vllm"
    assert found["engine_version"]
    assert (found["device"], found["dtype"]) == ("cpu", "float32")
    assert found["chat_template_sha256"] == hashlib.sha256(template).hexdigest()[:16]
    assert found["source"] == {
        "path": "data/models/demo-even",
        "weights_sha256": weights_hash(job.folder),
    }
    assert found["sampling"]["max_tokens"] == MAX_TOKENS
    assert {"torch", "transformers", "python"} <= set(found["packages"])


@pytest.mark.parametrize(
    ("config", "length", "complaint"),
    [
        ({"head_dim": 16}, None, "attention heads of size 16, which the engine cannot compute"),
        ({}, 9999, "max_model_len is 9999 and the model's own context is 256 tokens"),
    ],
)
def test_models_that_would_fail(
    tmp_path: Path,
    job: InferenceJob[VllmModel],
    config: dict[str, Any],
    length: int | None,
    complaint: str,
) -> None:
    folder = shutil.copytree(job.folder, tmp_path / "model")
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    model = job.model.model_copy(update={"max_model_len": length})
    with pytest.raises(InputError, match=complaint):
        start_engine(replace(job, model=model, folder=folder))
