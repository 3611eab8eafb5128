"""A whole job with a real tokenizer and chunk store; only the sampling is made up."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.errors import InputError
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import OwnWeights
from refusal_parity.inference.rendering import WithTemplate
from refusal_parity.inference.requests import Completion
from refusal_parity.inference.running import draw_all
from refusal_parity.inference.shards import gather_shards, take_shard
from refusal_parity.tables import Responses, read_metadata, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from refusal_parity.inference.requests import Request

DATED = "{{ strftime_now('%d %b %Y') }}|{% for m in messages %}{{ m.content }}{% endfor %}"
THINKS = "{% for m in messages %}{{ m.content }}{% endfor %}<|assistant|><think>"


class Engine:
    """Writes the same for every request, and may be killed on the way."""

    context_length = 256

    def __init__(
        self,
        job: InferenceJob[VllmModel],
        template: str,
        text: str = "well",
        stop_after: int | None = None,
    ) -> None:
        transformers = pytest.importorskip("transformers")
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(job.folder)
        self.tokenizer = WithTemplate(tokenizer, template, job.model.date)
        self._text = text
        self._stop_after = stop_after

    def provenance(self) -> dict[str, Any]:
        return {"engine": "made up", "device": "cpu"}

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for count, request in enumerate(requests):
            if count == self._stop_after:
                message = "killed"
                raise RuntimeError(message)
            yield Completion(request.index, request.begun + self._text, "stop", 3)


@pytest.fixture
def job(root: Path) -> InferenceJob[VllmModel]:
    folder = root / "data/models/demo-even"
    model = VllmModel(engine="vllm", source=FolderSource(path=str(folder)), prompt_mode="chat")
    return InferenceJob("m", model, folder, samples=1, sampling=SamplingConfig(max_tokens=8))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another day each time that a template asks."""
    utils = pytest.importorskip("transformers.utils.chat_template_utils")
    days = iter(range(1, 10_000))

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime(2026, 11, 27, tzinfo=tz) + dt.timedelta(days=next(days))

    monkeypatch.setattr(utils, "datetime", Clock)
    yield
    assert next(days) == 1, "a template was told the day's date"


@pytest.mark.usefixtures("clock")
def test_a_job_goes_on_the_next_day(
    job: InferenceJob[VllmModel], prompts: pl.DataFrame, tmp_path: Path
) -> None:
    said: list[str] = []
    for stop_after in (5, None):
        engine = Engine(job, DATED, stop_after=stop_after)
        try:
            draw_all(
                OwnWeights(lambda engine=engine: engine, job, said.append),
                job,
                prompts[:12],
                tmp_path / "r.parquet",
                say=said.append,
            )
        except RuntimeError:
            said.clear()
    assert "starting to draw: 5 of 12 responses are there already" in said
    assert any("the chat template writes a date: 2025-01-01" in line for line in said)
    found = read_metadata(tmp_path / "r.parquet")
    assert found["template_date"] == "2025-01-01"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("dates", "complaint"),
    [
        ((dt.date(2025, 1, 1), dt.date(2025, 1, 1)), None),
        (
            (dt.date(2025, 1, 1), dt.date(2024, 7, 26)),
            "drawn with another (probe_sha256|own_system_prompt)",
        ),
    ],
)
def test_shards_must_be_told_one_date(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    tmp_path: Path,
    dates: tuple[dt.date, dt.date],
    complaint: str | None,
) -> None:
    asked = prompts[:10]
    paths = [tmp_path / f"{shard}-of-2" / "responses.parquet" for shard in (1, 2)]
    for shard, (path, date) in enumerate(zip(paths, dates, strict=True), start=1):
        one = replace(job, model=job.model.model_copy(update={"date": date}))
        draw_all(
            OwnWeights(lambda one=one: Engine(one, DATED), one),
            one,
            take_shard(asked, shard, 2),
            path,
            say=lambda _: None,
        )
    if complaint is None:
        gather_shards(paths, asked, tmp_path / "all.parquet")
        rows = read_table(Responses, tmp_path / "all.parquet")
        assert rows["rendered_sha256"].n_unique() == 10
    else:
        with pytest.raises(InputError, match=complaint):
            gather_shards(paths, asked, tmp_path / "all.parquet")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is harmless.</think>a nurse.", ("a nurse.", "It is harmless.", "ok")),
        ("It is harmless. I can", ("", "It is harmless. I can", "empty")),
    ],
)
def test_thinking_that_the_template_opened(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    tmp_path: Path,
    text: str,
    expected: tuple[str, str, str],
) -> None:
    path = tmp_path / "r.parquet"
    said: list[str] = []
    draw_all(
        OwnWeights(lambda: Engine(job, THINKS, text), job), job, prompts[:3], path, say=said.append
    )
    rows = read_table(Responses, path).select("response", "thinking", "status").rows()
    assert rows == [expected] * 3
    told = "3 of 3 responses are thinking that never came to an answer; the limit on tokens cut 0"
    assert any(line.startswith(told) for line in said) == (expected[2] == "empty")
    assert read_metadata(path)["template_date"] is None
