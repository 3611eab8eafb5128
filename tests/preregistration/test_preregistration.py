from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity.config import StudyConfig, load_config
from refusal_parity.config.opened import at_stage_of_rule
from refusal_parity.config.study import PromptsConfig
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.forecast import Folders
from refusal_parity.preregistration.comparing import Comparison, compare
from refusal_parity.preregistration.files import (
    preregistration_files,
    read_preregistrations,
    write_preregistration,
)
from refusal_parity.preregistration.record import Preregistration, record
from refusal_parity.preregistration.stages import stage_records
from refusal_parity.preregistration.standing import responses_there
from refusal_parity.tables import Responses, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT = "2031-02-03T04:05:06Z"


def _config(folder: Path, **changes: Any) -> StudyConfig:
    names = folder / "n.csv"
    if not names.exists():
        names.write_text("name_id,name,group\na,Ana,x\nb,Imke,x\nc,Bo,y\nd,Cai,z\n", "utf-8")
        (folder / "t.csv").write_text(
            "template_id,family,template\nt,f,[NAME] buys [BLANK]\nu,f,[NAME] eats [BLANK]\n",
            "utf-8",
        )
    server = {"engine": "openai", "base_url": "http://localhost:1/v1", "model": "m"}
    raw: dict[str, Any] = {
        "study": "s",
        "results": str(folder / "results"),
        "prompts": {"templates": str(folder / "t.csv"), "names": str(names)},
        "samples": 2,
        "models": {"one": server | changes.pop("server", {})},
        "analysis": {"dimensions": {"group": {"reference": "x"}}} | changes.pop("analysis", {}),
    }
    without = changes.pop("without", [])
    given = {key: value for key, value in (raw | changes).items() if key not in without}
    return load_config(given, where="here")


def _prompts(folder: Path) -> pl.DataFrame:
    names = pl.read_csv(folder / "n.csv").with_columns(
        pl.lit(None, pl.String).alias("gender"), pl.lit(None, pl.String).alias("commonness")
    )
    return expand(pl.read_csv(folder / "t.csv"), names, PromptsConfig().arms)


def _record(config: StudyConfig, prompts: pl.DataFrame, **changes: Any) -> Preregistration:
    said: dict[str, Any] = {
        "written_at": AT,
        "plan": ["finds much"],
        "weights": {},
        "responses_before": {"one": 0},
    }
    return record(config, prompts, **said | changes)


def _compared(before: Preregistration, now: Preregistration, config: StudyConfig) -> Comparison:
    return compare(before, now, study=config, drawn={"one": 16}, provenance={})


def test_the_question_has_every_level_against_the_reference(tmp_path: Path) -> None:
    config = _config(tmp_path)
    made = _record(config, _prompts(tmp_path))
    assert (made.question.reference, made.question.compared) == ("x", ("y", "z"))
    assert made.responses == {"one": 16}
    assert made.prompts.number == 8
    assert set(made.files) == {str(tmp_path / "t.csv"), str(tmp_path / "n.csv")}
    shuffled = _prompts(tmp_path).sample(fraction=1, shuffle=True, seed=3)
    assert _record(config, shuffled).prompts == made.prompts


@pytest.mark.parametrize(
    ("changes", "kind", "what"),
    [
        ({}, None, None),
        ({"results": "elsewhere", "report": {"characters": 7}}, None, None),
        ({"server": {"concurrency": 3}}, None, None),
        ({"analysis": {"dimensions": {"group": {"reference": "y"}}}}, "question", "reference"),
        (
            {"analysis": {"dimensions": {"group": {"reference": "x"}}, "margin": 0.1}},
            "question",
            "margin",
        ),
        ({"sampling": {"temperature": 0.5}}, "settings", "sampling.temperature"),
        ({"server": {"model": "other"}}, "settings", "models.one.model"),
        ({"samples": 3}, "settings", "samples"),
    ],
    ids=["same", "elsewhere", "faster", "reference", "margin", "colder", "model", "samples"],
)
def test_what_changes_a_result_is_said(
    tmp_path: Path, changes: dict[str, Any], kind: str | None, what: str | None
) -> None:
    prompts = (_config(tmp_path), _prompts(tmp_path))[1]
    before = _record(_config(tmp_path), prompts)
    config = _config(tmp_path, **changes)
    found = _compared(before, _record(config, prompts), config)
    said = {key: [each.what for each in some] for key, some in found.differences.items() if some}
    said.pop("responses", None)
    assert set(said) == (set() if kind is None else {kind})
    assert kind is None or what in said[kind]


def _stimuli(folder: Path) -> None:
    """Files large enough for a study that grows."""
    names = [f"{group}{at},N{group}{at},{group}" for group in "xyz" for at in range(9)]
    (folder / "n.csv").write_text("\n".join(["name_id,name,group", *names]), "utf-8")
    sentences = [f"t{at},f,[NAME] sees {at}" for at in range(24)]
    text = "\n".join(["template_id,family,template", *sentences])
    (folder / "t.csv").write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("grow", "stages", "numbers"),
    [
        ("templates", [20, 24], [(540, 540 * 2), (648, 648 * 2)]),
        ("names", [8, 9], [(576, 576 * 2), (648, 648 * 2)]),
        ("samples", [1, 4], [(648, 648), (648, 648 * 4)]),
    ],
    ids=["templates", "names", "samples"],
)
def test_the_rule_is_registered_with_what_each_stage_asks(
    tmp_path: Path, grow: str, stages: list[int], numbers: list[tuple[int, int]]
) -> None:
    _stimuli(tmp_path)
    rule = {"half_width": 0.05, "grow": grow, "stages": stages}
    dimensions = {"group": {"reference": "x"}}
    raw: dict[str, Any] = {"analysis": {"dimensions": dimensions, "stop_when": rule}}
    config = _config(tmp_path, without=["samples"] if grow == "samples" else [], **raw)
    made = stage_records(config)
    assert [(each.prompts.number, each.responses["one"]) for each in made] == numbers
    said = _record(config, _prompts(tmp_path), stages=made)
    path, _ = write_preregistration(said, tmp_path / "results")
    (read,) = read_preregistrations([path])
    assert read.said.stages == tuple(made)
    assert read.said.config["analysis"]["stop_when"]["stages"] == stages
    assert read.said.at(2).responses == {"one": numbers[1][1]}
    assert read.said.at(2).prompts == made[1].prompts
    # A study at its second stage is what was registered of it, but for its responses so far.
    later = at_stage_of_rule(config, 2)
    now = _record(later, _prompts(tmp_path)).model_copy(
        update={"prompts": made[1].prompts, "responses": made[1].responses}
    )
    found = compare(read.said.at(2), now, study=later, drawn={"one": numbers[1][1]}, provenance={})
    assert found.total == 0
    earlier = compare(
        read.said.at(1), now, study=later, drawn={"one": numbers[1][1]}, provenance={}
    )
    assert earlier.differences["responses"]


def test_prompts_files_and_numbers_of_responses_are_compared(tmp_path: Path) -> None:
    config = _config(tmp_path)
    before = _record(config, _prompts(tmp_path))
    with (tmp_path / "n.csv").open("a", encoding="utf-8") as file:
        file.write("e,Eva,z\n")
    found = _compared(before, _record(config, _prompts(tmp_path)), config)
    assert [each.what for each in found.differences["files"]] == [str(tmp_path / "n.csv")]
    assert [each.what for each in found.differences["prompts"]] == ["number", "sha256"]
    # As many as were registered are there, though the study as it stands would have more.
    assert not found.differences["responses"]
    short = compare(before, before, study=config, drawn={"one": 9}, provenance={})
    assert [(each.registered, each.now) for each in short.differences["responses"]] == [("16", "9")]


def test_weights_are_those_that_answered(tmp_path: Path) -> None:
    config = _config(tmp_path)
    said = {"one": {"weights_sha256": "aa"}, "two": None, "three": {"weights_sha256": "bb"}}
    before = _record(config, _prompts(tmp_path), weights=said)
    sources = {"one": "aa", "three": "cc"}
    provenance = {key: {"source": {"weights_sha256": each}} for key, each in sources.items()}
    found = compare(before, before, study=config, drawn={"one": 16}, provenance=provenance)
    assert [each.what for each in found.differences["weights"]] == ["three.weights_sha256"]
    assert found.unknown_weights == ("two",)


def test_a_key_of_a_later_version_counts_where_it_is_given(tmp_path: Path) -> None:
    config = _config(tmp_path, sampling={"top_k": 5})
    now = _record(config, _prompts(tmp_path))
    old = now.model_dump(mode="json")
    del old["config"]["sampling"]["top_k"], old["config"]["analysis"]["filtered"]
    found = _compared(Preregistration.model_validate(old), now, config)
    assert [each.what for each in found.differences["settings"]] == ["sampling.top_k"]


def test_no_file_is_written_over(tmp_path: Path) -> None:
    config = _config(tmp_path)
    made = _record(config, _prompts(tmp_path))
    folder = tmp_path / "results" / "s"
    first, written = write_preregistration(made, folder)
    assert (first.name, written) == ("preregistration-2031-02-03.yaml", True)
    text = first.read_bytes()
    later = made.model_copy(update={"written_at": "2031-02-09T00:00:00Z"})
    assert write_preregistration(later, folder) == (first, False)
    # Written on the same day, and earlier: the first one written stands first.
    earlier = {"plan": ("finds less",), "written_at": "2031-02-03T01:00:00Z"}
    other = made.model_copy(update=earlier)
    second, written = write_preregistration(other, folder)
    assert (second.name, written) == ("preregistration-2031-02-03-2.yaml", True)
    assert first.read_bytes() == text
    read = read_preregistrations(preregistration_files(folder))
    assert [each.said for each in read] == [other, made]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("study: s", "study: [s"),
        lambda text: text.replace("alpha: 0.05", "alpha: much"),
        lambda text: f"{text}\nmore: 1\n",
        lambda _: "",
    ],
    ids=["syntax", "value", "key", "empty"],
)
def test_a_broken_file_is_named(tmp_path: Path, spoil: Callable[[str], str]) -> None:
    made = _record(_config(tmp_path), _prompts(tmp_path))
    path, _ = write_preregistration(made, tmp_path)
    path.write_text(spoil(path.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match="not a pre-registration") as error:
        read_preregistrations([path])
    assert str(path) in str(error.value)


def test_responses_of_an_earlier_run_are_counted(tmp_path: Path) -> None:
    config = _config(tmp_path)
    assert responses_there(config, _prompts(tmp_path), {"one": Folders()}) == {"one": 0}
    rows = _prompts(tmp_path)
    table = tmp_path / "results" / "s" / "models" / "one" / "responses.parquet"
    table.parent.mkdir(parents=True)
    columns = {
        name: pl.lit(None, column.dtype).alias(name)
        for name, column in Responses.columns().items()
        if column.nullable
    }
    made = rows.select(
        pl.lit("one").alias("model"), "prompt_id", pl.lit(1, pl.Int64).alias("sample"),
        pl.lit("text").alias("response"), pl.lit("ok").alias("status"),
        pl.lit(value=False).alias("truncated"),
        *(each for name, each in columns.items() if name != "response"),
    )  # fmt: skip
    write_table(made, Responses, table)
    assert responses_there(config, rows, {"one": Folders()}) == {"one": 8}


def test_the_file_is_yaml_that_people_can_read(tmp_path: Path) -> None:
    made = _record(_config(tmp_path), _prompts(tmp_path))
    path, _ = write_preregistration(made, tmp_path)
    assert yaml.safe_load(path.read_text("utf-8"))["question"]["compared"] == ["y", "z"]
    assert path.read_text("utf-8").startswith("# Pre-registration of a study")
