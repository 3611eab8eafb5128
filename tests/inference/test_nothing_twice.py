"""What is in the store is never asked for again: by any study, after any change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from one_store import NAMES, Place, is_whole, prompts_with
from server_jobs import job_of, prompts_of

from refusal_parity.config import SamplingConfig
from refusal_parity.errors import InputError
from refusal_parity.tables import (
    read_metadata,
)

if TYPE_CHECKING:
    from pathlib import Path

    from failing_server import Server

    from refusal_parity.config import OpenAIModel


pytestmark = pytest.mark.usefixtures("key")


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Place:
    return Place(server, tmp_path)


def test_only_what_is_new_is_asked(place: Place) -> None:
    first = prompts_with(NAMES, ("buys", "eats"))
    asked, table = place.run(first, samples=2)
    assert (asked, len(table)) == (16, 16)
    steps: list[tuple[str, pl.DataFrame, dict[str, Any], int]] = [
        ("the same again", first, {"samples": 2}, 0),
        ("two names more", prompts_with((*NAMES, "Ed", "Fi"), ("buys", "eats")), {"samples": 2}, 8),
        ("a template more", prompts_with(NAMES, ("buys", "eats", "sees")), {"samples": 2}, 8),
        ("a template less", prompts_with(NAMES, ("eats",)), {"samples": 2}, 0),
        ("it comes back", first, {"samples": 2}, 0),
        ("a name changed", prompts_with(("Ana", "Bo", "Cy", "Dee"), ("buys",)), {"samples": 2}, 2),
        ("an arm more", prompts_with(NAMES, ("buys",), a=None, b="Be kind."), {"samples": 2}, 8),
        ("arms renamed", prompts_with(NAMES, ("buys",), c="Be kind.", d=None), {"samples": 2}, 0),
        ("a sample more", first, {"samples": 3}, 8),
        ("a sample less", first, {"samples": 1}, 0),
        ("the model renamed", first, {"samples": 3, "key": "other"}, 0),
        ("another study", first, {"samples": 2, "study": "t"}, 0),
        ("other order", first.reverse(), {"samples": 2}, 0),
    ]
    for what, prompts, changes, new in steps:
        asked, table = place.run(prompts, **changes)
        assert asked == new, what
        assert is_whole(table), what
        total = len(prompts) * changes["samples"]
        assert len(table) == total, what
        line = f"starting to draw: {total - new:,} of {total:,} responses are there already"
        assert line in place.said, what
    _, again = place.run(first, samples=2)
    texts = dict(again.select("response_id", "response").iter_rows())
    _, whole = place.run(first, samples=3)
    assert texts.items() <= dict(whole.select("response_id", "response").iter_rows()).items()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sampling": SamplingConfig(temperature=0.5)}, "sampling.temperature"),
        ({"sampling": SamplingConfig(max_tokens=5)}, "sampling.max_tokens"),
        ({"schema": {"type": "object"}}, "schema"),
    ],
)
def test_a_changed_setting_never_mixes_and_is_named(
    place: Place, changes: dict[str, Any], named: str
) -> None:
    prompts = prompts_with(NAMES, ("buys",))
    _, before = place.run(prompts, samples=1)
    asked, now = place.run(prompts, samples=1, **changes)
    assert asked == len(prompts)
    assert set(now["response_id"]).isdisjoint(before["response_id"])
    assert any(f"other settings before ({named})" in line for line in place.said), place.said
    asked, back = place.run(prompts, samples=1)
    assert (asked, back.equals(before)) == (0, True)


def test_another_seed_draws_anew_and_a_machines_other_name_does_not(place: Place) -> None:
    prompts = prompts_with(NAMES, ("buys",))
    _, before = place.run(prompts, samples=1)
    asked, _ = place.run(prompts, samples=1, sampling=SamplingConfig(seed=2))
    assert asked == len(prompts)
    model = job_of(place.server).model
    named = model.model_copy(
        update={"base_url": model.base_url.replace("127.0.0.1", "localhost"), "retries": 1}
    )
    asked, now = place.run(prompts, samples=1, model=named)
    assert (asked, now.equals(before)) == (0, True)
    other = model.model_copy(update={"model": "another"})
    asked, _ = place.run(prompts, samples=1, model=other)
    assert asked == len(prompts)


def test_a_service_of_another_name_is_another_one(place: Place) -> None:
    """The machine's name is none: who shares model and path with another says who it is."""
    prompts = prompts_with(NAMES, ("buys",))
    place.run(prompts, samples=1)
    model = job_of(place.server).model
    localhost = model.base_url.replace("127.0.0.1", "localhost")
    moved = model.model_copy(update={"base_url": localhost})
    asked, _ = place.run(prompts, samples=1, model=moved)
    assert asked == 0
    port = localhost.rpartition(":")[2].partition("/")[0]
    told = f"answers of server 127.0.0.1:{port} are among them; this is server localhost:{port}."
    assert [line for line in place.said if line.startswith(told)]
    second = model.model_copy(update={"base_url": localhost, "service": "second"})
    asked, table = place.run(prompts, samples=1, model=second)
    assert asked == len(prompts)
    assert any("other settings before (service)" in line for line in place.said)
    assert not [line for line in place.said if "are among them" in line]
    again, same = place.run(prompts, samples=1, model=second.model_copy(update=_at(model)))
    assert (again, same.equals(table)) == (0, True)


def _at(model: OpenAIModel) -> dict[str, Any]:
    return {"base_url": model.base_url}


def test_each_row_says_when_and_by_what_it_was_answered(place: Place) -> None:
    _, table = place.run(prompts_with(NAMES, ("buys", "named")), samples=1)
    assert table["answered_at"].null_count() == 0
    named = table.filter(pl.col("answered_by").is_not_null())
    assert len(named) == len(NAMES)
    assert set(named.select("answered_by", "fingerprint").iter_rows()) == {
        ("told-2026-11-01", "fp_4242")
    }
    said = read_metadata(place.folder / "s/m/responses.parquet")["answered"]
    days = table["answered_at"].dt.date().unique().sort()
    assert list(said) == [str(day) for day in days]
    if len(days) == 1:
        assert said[str(days[0])] == (
            "4 by a model that the answers do not name; 4 by told-2026-11-01 (fp_4242)"
        )


def test_prompts_that_send_the_same_are_drawn_one_by_one(place: Place) -> None:
    prompts = prompts_with(NAMES[:2], ("buys",))
    twice = pl.concat([prompts, prompts.with_columns(prompt_id=pl.col("prompt_id") + "x")])
    asked, table = place.run(twice, samples=2)
    assert (asked, table["seed"].n_unique()) == (8, 8)
    asked, _ = place.run(prompts, samples=2)
    assert asked == 0


def test_what_was_answered_before_a_failure_is_not_asked_again(place: Place) -> None:
    prompts = prompts_of(*(f"w{number}" for number in range(40)))
    place.server.down_after = 25
    with pytest.raises(InputError, match="in a row failed"):
        place.run(prompts, samples=1, model=_impatient(place.server))
    place.server.down_after = 10**9
    asked, table = place.run(prompts, samples=1)
    assert is_whole(table)
    assert asked == 40 - 25


def _impatient(server: Server) -> OpenAIModel:
    return job_of(server).model.model_copy(update={"retries": 0, "concurrency": 1})


def test_a_table_taken_over_says_how_it_was_drawn(place: Place) -> None:
    prompts = prompts_with(NAMES, ("buys",))
    place.run(prompts, samples=1)
    place.run(prompts, samples=1, study="t")
    first, second = (
        read_metadata(place.folder / study / "m/responses.parquet") for study in ("s", "t")
    )
    assert first == second
    assert first["device"].startswith("server 127.0.0.1:")
