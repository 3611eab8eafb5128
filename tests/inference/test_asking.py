"""What is asked of a real HTTP server and what comes of it, in every way of failing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from failing_server import KEY, Server
from server_jobs import job_of, prompts_of

from refusal_parity.config import SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.inference.asking import ServerJob, ask_server
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Responses, read_metadata, read_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("key")


def test_every_way_of_failing(server: Server, tmp_path: Path) -> None:
    passing = ("429", "500", "503", "cut", "slow", "within")
    lasting = ("refused", "garbled", "choiceless", "broken", "number", "lengthy")
    filtered = ("filter400", "filter200", "filtered")
    well = ("well", "uncounted", "quoting", "odd")
    prompts = prompts_of(*well, *passing, *lasting, *filtered, "silent", "long")
    said: list[str] = []
    output = tmp_path / "m/responses.parquet"
    run_job(job_of(server, timeout_s=1.5), prompts, output, say=said.append)
    rows = read_table(Responses, output).join(prompts, on="prompt_id")
    status = dict(rows.select("template_id", "status").iter_rows())
    assert status == {
        **dict.fromkeys(well, "ok"),
        **dict.fromkeys(filtered, "filtered"),
        **dict.fromkeys(passing, "ok"),
        **dict.fromkeys(lasting, "error"),
        "silent": "empty",
        "long": "ok",
    }
    assert rows.filter("truncated")["template_id"].to_list() == ["long"]
    assert all(server.asked[f"{way} Ana"] > 1 for way in passing)
    assert server.asked["broken Ana"] == 4
    assert all(server.asked[f"{way} Ana"] == 1 for way in ("refused", "number", *filtered, *well))
    of = {row["template_id"]: row for row in rows.iter_rows(named=True)}
    one = of["well"]
    assert (one["response"], one["prompt_tokens"], one["response_tokens"], one["cost"]) == (
        f"said {one['seed']}",
        10,
        4,
        3e-05,
    )
    assert one["thinking"] == "well"
    assert (of["uncounted"]["response_tokens"], of["uncounted"]["cost"]) == (None, None)
    assert (of["odd"]["finish_reason"], of["long"]["finish_reason"]) == ("brownout", "length")
    assert of["filter400"]["refusal_reason"] == "content_filter: hate (low)"
    assert of["filtered"]["refusal_reason"] == "content_filter"
    assert of["broken"]["error"] == "status 502: Provider returned error"
    assert of["number"]["error"] == "content is a number"
    assert rows.filter(pl.col("status") == "error")["cost"].null_count() == len(lasting)
    told = "\n".join(said)
    assert "1 response came with the finish reason 'brownout'" in told
    assert "3 of 21 requests were refused by the service's own filter" in told
    assert f"{len(lasting)} of 21 requests failed" in told
    assert "the cost of 1 response is not known" in told
    assert "used: 120 tokens sent and 48 received, which cost 0.00036" in told
    errors = rows.filter(pl.col("status") == "error")["error"].to_list()
    assert any("too long, ***" in error for error in errors)
    assert read_metadata(output)["usage"] == {
        "prompt_tokens": 120,
        "response_tokens": 48,
        "cost": 0.00036,
    }
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file())
    assert KEY.encode() not in written
    assert KEY not in str(said) + str(rows.to_dicts())


def test_never_more_requests_at_once_than_asked_for(server: Server, tmp_path: Path) -> None:
    prompts = prompts_of(*(f"w{number}" for number in range(40)))
    job = job_of(server, concurrency=3)
    run_job(job, prompts, tmp_path / "r.parquet", say=lambda _: None)
    assert server.most_at_once == 3


def test_a_setting_that_cannot_be_sent(server: Server, tmp_path: Path) -> None:
    job = replace(job_of(server), sampling=SamplingConfig(top_k=5))
    with pytest.raises(InputError, match="OpenAI's protocol has no top_k"):
        run_job(job, prompts_of("well"), tmp_path / "r.parquet", say=lambda _: None)


def test_what_is_sent_is_what_the_config_says(server: Server, tmp_path: Path) -> None:
    request = {"presets": ["azure", "openai-reasoning"], "extra_body": {"reasoning_effort": "low"}}
    output = tmp_path / "r.parquet"
    said: list[str] = []
    run_job(job_of(server, request=request), prompts_of("well"), output, say=said.append)
    assert server.paths == ["/v1/chat/completions?api-version=2024-10-21"]
    assert server.bodies[0].keys() == {
        *("model", "messages", "seed", "max_completion_tokens", "reasoning_effort")
    }
    assert said[0].endswith("with the key in TEST_KEY")
    assert "temperature, top_p" in said[1]
    assert read_metadata(output)["request"] == {
        "rename": {"max_tokens": "max_completion_tokens"},
        "leave_out": ["temperature", "top_p"],
        "extra_body": {"reasoning_effort": "low"},
        "query": {"api-version": "2024-10-21"},
    }


def test_a_script_asks_without_the_workflow(server: Server, tmp_path: Path) -> None:
    job = ServerJob(
        key="m", model=job_of(server).model, samples=2, sampling=SamplingConfig(max_tokens=8)
    )
    ask_server(job, prompts_of("well"), tmp_path / "r.parquet", say=lambda _: None)
    assert read_table(Responses, tmp_path / "r.parquet")["status"].to_list() == ["ok", "ok"]
