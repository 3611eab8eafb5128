"""Responses to openings: killed anywhere they go on, and nothing is asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.expansion import expand
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import OwnWeights
from refusal_parity.inference.rendering import render
from refusal_parity.inference.requests import Completion
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.labelling.labels import Labeller
from refusal_parity.openings.continuing import continue_openings
from refusal_parity.openings.labelling import label_leaves
from refusal_parity.openings.strata import numbers
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import (
    LeafHumanLabels,
    LeafResponses,
    Prompts,
    conform,
    empty,
    read_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from refusal_parity.inference.requests import Request

TEXTS = ("Sorry", "I'm", " I")


class Engine:
    """Writes on, by the seed, and may be killed on the way."""

    context_length = 256

    def __init__(self, speaker: OwnSpeaker, asked: list[Request], stop_after: int = 10**9) -> None:
        self.tokenizer = speaker.tokenizer
        self._asked = asked
        self._stop_after = stop_after

    def provenance(self) -> dict[str, Any]:
        return {"engine": "made up", "device": "cpu"}

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        # The last ones first, as engines finish in any order.
        for count, request in enumerate(reversed(requests)):
            if count == self._stop_after:
                raise RuntimeError("killed")
            self._asked.append(request)
            text = f"{request.begun} go on {request.seed % 97}"
            yield Completion(request.index, text, "stop", 8 - request.given)


@pytest.fixture(scope="module")
def job(root: Path) -> InferenceJob[VllmModel]:
    pytest.importorskip("transformers")
    folder = root / "data/models/demo-even"
    model = VllmModel(engine="vllm", source=FolderSource(path=str(folder)), prompt_mode="chat")
    return InferenceJob("m", model, folder, samples=1, sampling=SamplingConfig(max_tokens=8))


@pytest.fixture(scope="module")
def speaker(job: InferenceJob[VllmModel]) -> OwnSpeaker:
    return OwnSpeaker.of(job.key, job.model, job.folder)


@pytest.fixture(scope="module")
def prompts(root: Path) -> pl.DataFrame:
    names = read_names(root / "data/names-56.csv")[::7]
    return expand(read_templates(root / "data/templates.csv"), names, {"a": None})[::4]


@pytest.fixture
def leaves(prompts: pl.DataFrame, speaker: OwnSpeaker) -> pl.DataFrame:
    """Of a dozen prompts, as `strata` gives them; less or more than one of each is expected."""
    rows = [
        {
            "prompt_id": prompt,
            "opening": "-".join(map(str, path)),
            "token_ids": path,
            "expected": 0.3 + 0.9 * at,
            "weight": 0.01 * (at + 1),
        }
        for prompt in sorted(prompts["prompt_id"][:12])
        for at, text in enumerate(TEXTS)
        for path in [speaker.raw.encode(text, add_special_tokens=False)]
    ]
    return pl.DataFrame(rows).sort("prompt_id", "opening")


def drawn(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    speaker: OwnSpeaker,
    output: Path,
    stop_after: int = 10**9,
    decode: Callable[[list[int]], str] | None = None,
) -> tuple[list[Request], list[str]]:
    asked: list[Request] = []
    said: list[str] = []
    source = OwnWeights(lambda: Engine(speaker, asked, stop_after), job, said.append)
    try:
        continue_openings(
            *(job, prompts, leaves, decode or speaker.raw.decode, output),
            say=said.append,
            source=source,
        )
    except RuntimeError:
        assert stop_after < 10**9
    return asked, said


def test_killed_and_resumed_anywhere_it_is_the_same_table(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    speaker: OwnSpeaker,
    tmp_path: Path,
) -> None:
    whole, _ = drawn(job, prompts, leaves, speaker, tmp_path / "whole/r.parquet")
    planned = int(numbers(leaves, job.sampling.seed).sum())
    assert len(whole) == planned > 12
    parts = [
        drawn(job, prompts, leaves, speaker, tmp_path / "parts/r.parquet", stop_after=stop)[0]
        for stop in (0, 1, 7, 10**9)
    ]
    assert [len(part) for part in parts] == [0, 1, 7, planned - 8]
    seeds = [request.seed for part in parts for request in part]
    assert sorted(seeds) == sorted(request.seed for request in whole)
    assert len(set(seeds)) == planned
    first, second = (
        read_table(LeafResponses, tmp_path / folder / "r.parquet") for folder in ("whole", "parts")
    )
    assert first.equals(second)
    again, said = drawn(job, prompts, leaves, speaker, tmp_path / "parts/r.parquet")
    assert again == []
    assert f"starting to draw: {planned} of {planned} responses are there already" in said
    # Other prompts beside them, as in another study of the same results, ask for no more.
    fewer = leaves.filter(pl.col("prompt_id") > leaves["prompt_id"][10])
    asked, _ = drawn(job, prompts[::-1], fewer, speaker, tmp_path / "parts/other.parquet")
    assert asked == []


def test_the_opening_stands_behind_the_prompt_and_in_the_text(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    speaker: OwnSpeaker,
    tmp_path: Path,
) -> None:
    asked, _ = drawn(job, prompts, leaves, speaker, tmp_path / "r.parquet")
    table = read_table(LeafResponses, tmp_path / "r.parquet")
    of_prompt = {
        prompt_id: one.token_ids
        for prompt_id, one in zip(
            prompts["prompt_id"],
            render(
                speaker.tokenizer,
                prompts.select("prompt", "system_prompt").rows(),
                mode="chat",
                model="m",
            ),
            strict=True,
        )
    }
    by_seed = {request.seed: request for request in asked}
    text_of = {
        "-".join(map(str, speaker.raw.encode(text, add_special_tokens=False))): text
        for text in TEXTS
    }
    for row in table.iter_rows(named=True):
        request = by_seed[row["seed"]]
        path = [int(each) for each in row["opening"].split("-")]
        assert list(request.token_ids) == of_prompt[row["prompt_id"]] + path
        assert request.given == len(path)
        assert row["response"].startswith(text_of[row["opening"]].strip() + " go on ")
        assert row["prompt_tokens"] == len(request.token_ids)
    beside = leaves.select("prompt_id", "opening", "expected", "weight")
    assert (
        table.select(beside.columns)
        .unique()
        .sort("prompt_id", "opening")
        .equals(beside.filter(numbers(leaves, job.sampling.seed) > 0))
    )
    within = table.group_by("prompt_id", "opening").agg(pl.col("sample"))
    assert all(
        sorted(samples) == list(range(len(samples))) for samples in within["sample"].to_list()
    )
    assert within["sample"].list.len().max() == 3


def test_an_opening_that_changes_the_text_before_it_is_written_by_itself(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    speaker: OwnSpeaker,
    tmp_path: Path,
) -> None:
    def backwards(tokens: list[int]) -> str:
        return " ".join(map(str, reversed(tokens)))

    drawn(job, prompts, leaves, speaker, tmp_path / "r.parquet", decode=backwards)
    table = read_table(LeafResponses, tmp_path / "r.parquet")
    assert len(table) > 12
    for opening, response in table.select("opening", "response").iter_rows():
        assert response.startswith(" ".join(reversed(opening.split("-"))) + " go on ")


def test_each_is_labelled_as_a_whole_text(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    speaker: OwnSpeaker,
    tmp_path: Path,
) -> None:
    drawn(job, prompts, leaves, speaker, tmp_path / "r.parquet")
    table = read_table(LeafResponses, tmp_path / "r.parquet")
    sorry = table["response"].str.starts_with("Sorry")
    refusing = pl.when(sorry).then(pl.lit("Sorry, I cannot help with that."))
    told = table.with_columns(response=refusing.otherwise("response"))
    labeller = Labeller(prompts=prompts, classifier=None, method="keyword")
    # Somebody reads the last of them otherwise than the keyword list.
    key = ["model", "prompt_id", "opening", "sample"]
    last = told.select(key)[-1].with_columns(
        label=pl.lit("failure"),
        split=pl.lit(None, pl.String),
        inclusion_probability=pl.lit(0.5),
        stratum=pl.lit("s"),
        n_annotators=pl.lit(1),
    )
    labels = label_leaves(told, labeller, conform(last, LeafHumanLabels, where="people"))
    assert labels.select(key).equals(table.select(key))
    assert (labels["machine_label"].cast(pl.String) == "refusal").to_list() == sorry.to_list()
    assert labels["label"][:-1].equals(labels["machine_label"][:-1])
    assert labels.select("label", "label_source").row(-1) == ("failure", "human")
    assert 0 < sorry.sum() < len(table)


def test_without_an_opening_no_engine_is_started(
    job: InferenceJob[VllmModel], leaves: pl.DataFrame, speaker: OwnSpeaker, tmp_path: Path
) -> None:
    asked, said = drawn(job, empty(Prompts), leaves.clear(), speaker, tmp_path / "deep/r.parquet")
    assert (asked, len(read_table(LeafResponses, tmp_path / "deep/r.parquet"))) == ([], 0)
    assert said == ["no opening has any probability: no response is given one"]
