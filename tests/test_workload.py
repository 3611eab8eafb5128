from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import load_config
from refusal_parity.expansion import expand
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.workload import (
    PromptCount,
    threads_to_test,
    weighing_lines,
    workload_lines,
    workloads,
)

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"engine": "vllm", "source": {"path": "x"}, "prompt_mode": "chat"}
SERVER = {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}
PRICED = SERVER | {"prompt_price": 10, "response_price": 50}
THERE = {
    "engine": "import",
    "path": "r.csv",
    "format": "table",
    "columns": {"prompt": "p", "response": "r"},
}
COUNT = PromptCount(prompts=240, templates=4, names=30, arms=2, size=40_000)


def study(models: dict[str, Any], **changes: Any) -> Any:
    raw = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": models,
        "samples": 5,
    }
    return load_config(raw | changes, where="x")


@pytest.mark.parametrize(
    ("count", "samples", "threads"), [(COUNT, 124, 1), (COUNT, 125, 2), (None, 1, 2)]
)
def test_large_studies_are_tested_by_two_threads(
    count: PromptCount | None, samples: int, threads: int
) -> None:
    assert threads_to_test(count, samples) == threads


def test_prompts_are_counted_without_writing_them_out(tmp_path: Path) -> None:
    templates, names = tmp_path / "t.csv", tmp_path / "n.csv"
    templates.write_text(
        "template_id,family,template\na,f,Caf\u00e9 for [NAME] and [NAME]\nb,f,[NAME] sits\n",
        "utf-8",
    )
    names.write_text("name_id,name,group\nx,\u0645\u062d\u0645\u062f,g\ny,Bo,h\nz,Ann,h\n", "utf-8")
    arms = {"plain": None, "kind": "S\u00e9 kind."}
    read = read_templates(templates), read_names(names)
    count = PromptCount.of_product(*read, arms)
    table = expand(*read, arms)
    assert count == PromptCount.of_table(table)
    assert (count.prompts, count.templates, count.names, count.arms) == (12, 2, 3, 2)
    assert count.size == sum(
        len(text.encode()) for text in [*table["prompt"], *table["system_prompt"].drop_nulls()]
    )


@pytest.mark.parametrize(
    ("model", "changes", "expected"),
    [
        (HERE, {"sampling": {"max_tokens": 64}}, (1200, 64, 50_000, 0.0)),
        (HERE, {}, (1200, 512, 50_000, 0.0)),
        (HERE | {"max_model_len": 600}, {}, (1200, 300, 50_000, 0.0)),
        (HERE | {"prompt_mode": "completion"}, {}, (1200, 128, 50_000, 0.0)),
        (SERVER, {"samples": 1}, (240, 512, 10_000, None)),
        (PRICED, {"sampling": {"max_tokens": 100}}, (1200, 100, 50_000, 0.5 + 6.0)),
        (PRICED | {"response_price": None}, {}, (1200, 512, 50_000, None)),
        (SERVER | {"request": "openai-reasoning"}, {}, (1200, 4096, 50_000, None)),
    ],
)
def test_what_a_model_is_asked_for(
    model: dict[str, Any], changes: dict[str, Any], expected: tuple[int, int, int, float | None]
) -> None:
    [load] = workloads(study({"m": model}, **changes), COUNT)
    assert (load.responses, load.most_tokens, load.sent_tokens, load.price) == expected
    assert load.response_tokens == expected[0] * expected[1]


def test_imported_responses_are_not_asked_for() -> None:
    assert workloads(study({"there": THERE}), COUNT) == []
    assert workload_lines([], COUNT, 5, {}) == []
    assert weighing_lines([], [], COUNT) == []
    (line,) = weighing_lines(["m"], [], COUNT)
    (more,) = weighing_lines(["m"], ["m"], COUNT)
    assert more.startswith(line + "; and about ")
    assert line.startswith(f"  m: then, for each of {COUNT.prompts:,} prompts, the probability")
    both = workloads(study({"there": THERE, "here": HERE}), COUNT)
    assert [load.model for load in both] == ["here"]


def test_a_judge_is_asked_about_every_response_that_is_drawn() -> None:
    given = study({"a": HERE, "b": SERVER}, labelling={"judge": PRICED, "judge_max_tokens": 40})
    *drawn, judge = workloads(given, COUNT)
    assert (judge.model, judge.responses, judge.most_tokens) == ("labelling.judge", 2400, 40)
    assert judge.sent_tokens > sum(load.sent_tokens for load in drawn)
    assert judge.price == pytest.approx((10 * judge.sent_tokens + 50 * 2400 * 40) / 1e6)


def test_lines_say_every_factor_and_the_sum() -> None:
    given = study({"here": HERE, "vendor": PRICED}, sampling={"max_tokens": 100})
    lines = workload_lines(workloads(given, COUNT), COUNT, 5, {})
    amount = "1,200 responses of at most 100 tokens, together 120,000; sends about 50,000 tokens"
    assert lines == [
        "240 prompts (4 templates x 30 names x 2 system prompts), 5 samples of each",
        f"  here: {amount}",
        f"  vendor: {amount}; costs at most about 6.50",
        "  together: 2,400 responses of at most 240,000 tokens",
        "  how long this takes is said once the first responses have come",
    ]


def test_prompts_that_are_no_whole_product_are_not_called_one() -> None:
    count = PromptCount(prompts=7, templates=2, names=4, arms=1, size=100)
    [first, *_] = workload_lines(workloads(study({"m": HERE}), count), count, 1, {})
    assert first == "7 prompts (of 2 templates and 4 names), 1 sample of each"


def test_prices_that_are_not_known_are_said_to_be() -> None:
    lines = workload_lines(workloads(study({"m": SERVER}), COUNT), COUNT, 5, {})
    assert "what it costs is not known (prompt_price, response_price)" in lines[1]
    assert pl.Series(lines).str.contains("together").sum() == 1
