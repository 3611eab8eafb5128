"""A judge is asked once about what is the same, whatever arms and samples it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from one_store import prompts_with
from server_jobs import job_of

from refusal_parity.config import arms_of
from refusal_parity.errors import InputError
from refusal_parity.guards.applying import with_guarded
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.running import run_job
from refusal_parity.judging.judgements import read_judgements
from refusal_parity.judging.people import what_people_say
from refusal_parity.judging.questions import judge_questions, questions_of
from refusal_parity.tables import GuardStops, Responses, conform, empty, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from failing_server import Server

pytestmark = pytest.mark.usefixtures("key")


def _studied() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Prompts of two names and two templates, and responses: a guard stops one template's."""
    arms = arms_of({"plain": None, "guarded": {"guard": "gate"}})
    prompts = prompts_with(("Ana", "Bo"), ("buys", "eats"), **arms)
    drawn = open_prompts(prompts).select(
        "prompt_id",
        model=pl.lit("m"),
        sample=pl.lit(0, pl.Int32),
        # Of both names the same, once they are masked, where they buy.
        response=pl.when(pl.col("template_id") == "t-buys")
        .then(pl.format("{} pays.", "name"))
        .otherwise(pl.format("{} eats {} times.", "name", pl.col("name").rank("dense"))),
        status=pl.lit("ok"),
        truncated=pl.lit(value=False),
    )
    stops = prompts.filter(guard="gate").select(
        "prompt_id",
        guard="guard",
        stopped=pl.col("template_id") == "t-eats",
        p_harm=pl.lit(None, pl.Float64),
        answer=pl.lit(None, pl.String),
        error=pl.lit(None, pl.String),
    )
    both = with_guarded(
        conform(
            pl.concat([empty(Responses), drawn], how="diagonal_relaxed"), Responses, where="drawn"
        ),
        prompts,
        conform(stops, GuardStops, where="stops"),
    )
    return prompts, both


def test_a_judge_is_asked_once_about_copies(server: Server, tmp_path: Path) -> None:
    prompts, responses = _studied()
    assert responses["status"].cast(pl.String).to_list().count("ok") == 6
    questions = judge_questions(responses, prompts)
    output = tmp_path / "answers.parquet"
    run_job(job_of(server), questions, output, say=lambda _: None)
    answers = read_table(Responses, output)
    # Who buys: one text for two names in two arms. Who eats: one for each name.
    assert server.asked.total() == 3
    assert max(server.asked.values()) == 1
    asked = questions_of(responses, prompts)
    told = read_judgements(answers, asked, what_people_say(responses, None), "id")
    assert told.select("model", "prompt_id", "sample").equals(
        responses.select("model", "prompt_id", "sample")
    )
    stopped = told.filter(responses["status"].cast(pl.String) == "filtered")
    assert stopped["problem"].to_list() == ["nothing to judge"] * 2
    # The server says something else than a label of all the others.
    assert told["problem"].to_list().count("names none of the labels") == 6


def test_answers_to_other_questions_are_no_judgements() -> None:
    prompts, responses = _studied()
    asked = questions_of(responses, prompts)
    answers = responses.head(1).with_columns(prompt_id=pl.lit(asked["question"][0]))
    with pytest.raises(InputError, match="the judge was not asked about 2 responses"):
        read_judgements(answers, asked, what_people_say(responses, None), "id")
