"""What failed is asked again of a real HTTP server, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from failing_server import REFUSALS, Server, answer_of, serving
from server_jobs import job_of, prompts_of

from refusal_parity.config import SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("key")


def test_what_failed_is_asked_again_alone(tmp_path: Path) -> None:
    ways = ["well", "number", "broken", "filter400"]
    prompts = prompts_of(*(f"{way} {number}" for number in range(10) for way in ways))
    output = tmp_path / "m/responses.parquet"
    with serving() as server:
        job = job_of(server, retries=0, concurrency=1)
        run_job(job, prompts, output, say=lambda _: None)
        first = read_table(Responses, output)
        failed = first.filter(pl.col("status") == "error")
        assert len(failed) == 20
        port = server.server_port
    # The server is mended, and breaks in the middle of what is asked again.
    with serving(port) as server, pytest.MonkeyPatch.context() as mended:
        for way in ("number", "broken"):
            mended.setitem(REFUSALS, way, (200, answer_of("well", {"seed": 0})))
        server.down_after = 8
        with pytest.raises(InputError, match="in a row failed"):
            run_job(replace(job, again=True), prompts, output, say=lambda _: None)
        assert read_table(Responses, output).equals(first)
        asked = server.asked.copy()
        server.down_after = 10**9
        run_job(replace(job, again=True), prompts, output, say=lambda _: None)
        answered = [prompt for prompt, _ in asked.most_common()][:8]
        assert len(answered) == 8
        ever = set(server.asked)
    second = read_table(Responses, output)
    wanted = prompts.join(failed, on="prompt_id", how="semi")["prompt"].to_list()
    assert ever == set(wanted)
    assert second["status"].cast(pl.String).value_counts(sort=True).rows() == [
        ("ok", 30),
        ("filtered", 10),
    ]
    kept = first.filter(pl.col("status") != "error")
    assert second.join(failed, on=["prompt_id", "sample"], how="anti").equals(kept)


def test_nothing_is_paid_twice_by_asking_again(server: Server, tmp_path: Path) -> None:
    prompts = prompts_of("well", "number")
    output = tmp_path / "m/responses.parquet"
    job = job_of(server)
    run_job(job, prompts, output, say=lambda _: None)
    other = replace(job, sampling=SamplingConfig(temperature=0.3))
    for changed, words in [(other, "sampling.temperature"), (replace(job, samples=2), "samples")]:
        with pytest.raises(InputError, match=words):
            run_job(replace(changed, again=True), prompts, output, say=lambda _: None)
    with pytest.raises(InputError, match="prompts, samples or seeds"):
        run_job(replace(job, again=True), prompts[:1], output, say=lambda _: None)
    assert server.asked["well Ana"] == 1
    said: list[str] = []
    run_job(job, prompts[:1], tmp_path / "w/r.parquet", say=said.append)
    run_job(replace(job, again=True), prompts[:1], tmp_path / "w/r.parquet", say=said.append)
    assert said[-1] == "no response failed: nothing is asked again"
    assert server.asked["well Ana"] == 2
