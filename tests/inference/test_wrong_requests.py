"""A server that takes no request ends the job at once, one that refuses some does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from server_jobs import job_of, prompts_of

from refusal_parity.errors import InputError
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from failing_server import Server

pytestmark = pytest.mark.usefixtures("key")


def test_wrong_key_stops_the_job_and_is_not_shown(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-other-secret")
    with pytest.raises(
        InputError, match=r"the server refuses .*status 401: wrong: Bearer \*\*\*"
    ) as raised:
        run_job(job_of(server), prompts_of("well"), tmp_path / "r.parquet", say=lambda _: None)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(InputError, match="TEST_KEY is not set"):
        run_job(job_of(server), prompts_of("well"), tmp_path / "r.parquet", say=lambda _: None)


@pytest.mark.parametrize(
    ("way", "match"),
    [
        ("new-model", r"does not take the parameter max_tokens .*rename: \{max_tokens: max_compl"),
        (
            "strict",
            r"does not take the parameter seed .*models\.m: `request: \{leave_out: \[seed\]",
        ),
        ("nameless", r"status 404: The model `told` does not exist"),
        ("unknown-model", r"refuses the model .*told is not a valid model ID.*models\.m\.model"),
        ("poor", r"status 402: no credit"),
        ("page", r"web page and is no API.*/v1"),
        ("own-interface", r"/v1 answers is that of Ollama's own interface\. Let base_url .*/v1"),
        ("lost", r"status 404: Not Found"),
    ],
)
def test_what_is_wrong_with_every_request_is_said_at_the_first(
    server: Server, tmp_path: Path, way: str, match: str
) -> None:
    prompts = prompts_of(*(f"{way} {number}" for number in range(60)))
    with pytest.raises(InputError, match=match):
        run_job(job_of(server, retries=1), prompts, tmp_path / "r.parquet", say=lambda _: None)
    assert server.asked.total() == 1


def test_an_address_without_its_version(server: Server, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{server.server_port}"
    job = job_of(server, base_url=address)
    with pytest.raises(InputError, match=r"add /v1 to base_url\?"):
        run_job(job, prompts_of("lost"), tmp_path / "r.parquet", say=lambda _: None)


def test_a_study_of_which_nothing_is_taken_ends(server: Server, tmp_path: Path) -> None:
    prompts = prompts_of(*(f"number {number}" for number in range(200)))
    with pytest.raises(InputError, match=r"not one of the first \d+ prompts got a response"):
        run_job(job_of(server), prompts, tmp_path / "r.parquet", say=lambda _: None)
    assert server.asked.total() < 70


def test_a_prompt_filtered_in_all_its_samples_ends_nothing(server: Server, tmp_path: Path) -> None:
    prompts = prompts_of("filter400", "refused", "well")
    output = tmp_path / "r.parquet"
    run_job(job_of(server, samples=11, concurrency=2), prompts, output, say=lambda _: None)
    rows = read_table(Responses, output).join(prompts, on="prompt_id")
    counts = rows.group_by("template_id", "status").len().sort("template_id").rows()
    assert counts == [("filter400", "filtered", 11), ("refused", "error", 11), ("well", "ok", 11)]


def test_prompts_that_a_firewall_stops_end_nothing_and_a_revoked_key_does(
    server: Server, tmp_path: Path
) -> None:
    prompts = prompts_of("well 0", *(f"forbidden {at}" for at in range(30)), "well 1")
    output = tmp_path / "r.parquet"
    run_job(job_of(server, concurrency=2), prompts, output, say=lambda _: None)
    rows = read_table(Responses, output)
    assert rows["status"].value_counts().sort("count").rows() == [("ok", 2), ("error", 30)]
    assert rows["error"].drop_nulls().unique().to_list() == ["status 403: not for you"]

    revoked = prompts_of("well 0", *(f"forbidden {at}" for at in range(200)))
    with pytest.raises(InputError, match=r"the server refuses \(status 403: not for you\).*key"):
        run_job(job_of(server), revoked, tmp_path / "s" / "r.parquet", say=lambda _: None)
    at_once = prompts_of(*(f"forbidden {at}" for at in range(200)))
    server.asked.clear()
    with pytest.raises(InputError, match=r"status 403: not for you"):
        run_job(job_of(server), at_once, tmp_path / "t" / "r.parquet", say=lambda _: None)
    assert server.asked.total() < 20
