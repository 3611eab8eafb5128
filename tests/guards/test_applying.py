"""Responses of guarded arms: what the model said without the guard, but for what it stops."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.guards.applying import labels_of_twins, twins_of, with_guarded
from refusal_parity.guards.requests import open_prompts
from refusal_parity.tables import GuardStops, HumanLabels, Responses, conform, empty


def _drawn(prompts: pl.DataFrame) -> pl.DataFrame:
    rows = open_prompts(prompts).select(
        "prompt_id",
        model=pl.lit("m"),
        sample=pl.lit(0, pl.Int32),
        response=pl.format("I say: {}", "prompt"),
        response_id=pl.format("r-{}", "prompt_id"),
        status=pl.lit("ok"),
        truncated=pl.lit(value=True),
        cost=pl.lit(0.5),
    )
    return conform(
        pl.concat([empty(Responses), rows], how="diagonal_relaxed"), Responses, where="drawn"
    )


def _stops(prompts: pl.DataFrame, **said: bool | None) -> pl.DataFrame:
    rows = prompts.filter(guard="gate").select(
        "prompt_id",
        guard="guard",
        stopped=pl.col("template_id").replace_strict(said, return_dtype=pl.Boolean),
        p_harm=pl.lit(None, pl.Float64),
        answer=pl.lit(None, pl.String),
        error=pl.when(pl.col("template_id").replace_strict(said).is_null()).then(pl.lit("down")),
    )
    return conform(rows, GuardStops, where="stops")


def test_what_is_stopped_is_a_refusal_by_the_service(prompts: pl.DataFrame) -> None:
    drawn = _drawn(prompts)
    found = with_guarded(drawn, prompts, _stops(prompts, walk=False, rob=True))
    assert len(drawn) == 8
    assert found.head(8).equals(drawn)
    rows = {
        (row["arm"], row["template_id"], row["name_id"]): row
        for row in found.join(prompts, on="prompt_id").iter_rows(named=True)
    }
    assert len(rows) == 16
    for arm, twin in (("guarded", "plain"), ("both", "reminded")):
        for name in ("ann", "bo"):
            passed, said = rows[arm, "walk", name], rows[twin, "walk", name]
            same = ("response", "response_id", "status", "truncated", "sample", "model")
            assert [passed[key] for key in same] == [said[key] for key in same]
            assert passed["cost"] is None
            stopped = rows[arm, "rob", name]
            assert (stopped["status"], stopped["refusal_reason"]) == ("filtered", "guard")
            assert stopped["response"] is None
            assert not stopped["truncated"]


def test_a_guard_that_says_neither_is_an_error(prompts: pl.DataFrame) -> None:
    found = with_guarded(_drawn(prompts), prompts, _stops(prompts, walk=None, rob=False))
    rows = found.join(prompts.filter(guard="gate"), on="prompt_id", how="semi")
    assert rows.filter(status="error")["error"].to_list() == ["down"] * 4
    assert rows.filter(status="error")["response"].null_count() == 4
    assert rows.filter(status="ok").height == 4


def test_a_request_that_no_guard_read(prompts: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="8 prompts were not read by their guard"):
        with_guarded(_drawn(prompts), prompts, empty(GuardStops))


def test_every_guarded_prompt_has_its_twin(prompts: pl.DataFrame) -> None:
    texts = dict(prompts.select("prompt_id", "prompt").iter_rows())
    twins = twins_of(prompts)
    assert len(twins) == 8
    assert all(texts[one] == texts[twin] for one, twin in twins.iter_rows())
    with pytest.raises(InputError, match="4 prompts with a guard have none"):
        twins_of(prompts.filter(pl.col("arm") != "plain"))


def test_people_who_read_a_response_have_read_its_copy(prompts: pl.DataFrame) -> None:
    first = prompts.filter(arm="plain")["prompt_id"][0]
    human = pl.concat(
        [
            empty(HumanLabels),
            pl.DataFrame({"model": ["m"], "prompt_id": [first], "label": ["refusal"]}).with_columns(
                sample=pl.lit(0, pl.Int32)
            ),
        ],
        how="diagonal_relaxed",
    )
    both = labels_of_twins(human, prompts)
    assert len(both) == 2
    assert both["label"].to_list() == ["refusal", "refusal"]
    copy = prompts.filter(pl.col("prompt_id") == both["prompt_id"][1])
    assert copy.select("arm", "template_id", "name_id").row(0) == ("guarded", "walk", "ann")
    assert labels_of_twins(human, open_prompts(prompts).drop("guard")).equals(human)
