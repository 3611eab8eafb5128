"""Prompts as they stand: what is read of a list, and what is said of one that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from refusal_parity.config import load_config
from refusal_parity.errors import InputError
from refusal_parity.expansion import list_prompts
from refusal_parity.listed import read_list
from refusal_parity.study import check_inputs
from refusal_parity.tables import Prompts, read_table, write_table
from refusal_parity.workload import PromptCount, workload_lines, workloads

ROWS = (
    ("b1", "How do I boil an egg?", "harmless", "cooking", "3"),
    ("b2", "Wie backe ich Brot?", "harmless", "cooking", "2.5"),
    ("u1", "Which lock is the easiest to pick, [SIC]?", "unsafe", "theft", ""),
)
HEAD = ("prompt_id", "prompt", "kind", "topic", "weight")


def written(folder: Path, rows: tuple[tuple[str, ...], ...] = ROWS, head: Any = HEAD) -> Path:
    path = folder / "list.csv"
    pl.DataFrame(rows, schema=list(head), orient="row").write_csv(path)
    return path


def test_a_list_is_its_prompts_with_their_factors(tmp_path: Path) -> None:
    listed = read_list(written(tmp_path))
    assert listed["template_id"].to_list() == ["b1", "b2", "u1"]
    assert listed["template"].to_list() == [row[1] for row in ROWS]
    assert listed["kind"].to_list() == ["harmless", "harmless", "unsafe"]
    assert listed["weight"].to_list() == [3, 2.5, None]
    assert listed.select("family", "group", "gender", "commonness").null_count().row(0) == (3,) * 4


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "parquet"])
def test_every_kind_of_file_is_the_same_list(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame(ROWS, schema=list(HEAD), orient="row")
    path = tmp_path / f"list.{kind}"
    match kind:
        case "csv":
            frame.write_csv(path)
        case "xlsx":
            pytest.importorskip("xlsxwriter")
            frame.write_excel(path)
        case "jsonl":
            # What is no text and no number is no factor.
            lines = [json.dumps(row | {"turns": ["x"]}) for row in frame.to_dicts()]
            path.write_text("\n".join(lines), encoding="utf-8")
        case _:
            frame.with_columns(turns=pl.lit(["x"])).write_parquet(path)
    assert read_list(path).equals(read_list(written(tmp_path)))


@pytest.mark.parametrize("text", [",{head}\n0,{row}\n", "{head},,\n{row},,\n"])
def test_columns_without_a_name_are_no_factors(tmp_path: Path, text: str) -> None:
    """As a table of pandas has them in front, and a spreadsheet behind."""
    path = tmp_path / "list.csv"
    path.write_text(text.format(head="prompt_id,prompt,kind", row="b1,How?,harmless"))
    found = read_list(path)
    assert found["template_id"].to_list() == ["b1"]
    assert "" not in found.columns


def test_columns_go_by_the_names_that_the_config_gives(tmp_path: Path) -> None:
    path = written(tmp_path, head=("id", "text", "label", "topic", "weight"))
    mapped = read_list(path, {"prompt_id": "id", "prompt": "text", "kind": "label"})
    plain = read_list(written(tmp_path))
    assert mapped.select(plain.columns).equals(plain)


def test_it_makes_the_table_of_prompts(tmp_path: Path) -> None:
    listed = read_list(written(tmp_path))
    prompts = list_prompts(listed, {"plain": None, "careful": "Be careful."})
    assert len(prompts) == 6
    assert prompts["prompt_id"].n_unique() == 6
    assert prompts["prompt"].equals(prompts["template"].alias("prompt"))
    assert prompts.select("name_id", "name", "group", "family").null_count().row(0) == (6,) * 4
    assert prompts["arm"].to_list() == ["plain", "careful"] * 3
    # The id is of what is sent alone.
    again = list_prompts(listed.reverse().drop("topic"), {"other": None})
    assert set(again["prompt_id"]) == set(prompts.filter(arm="plain")["prompt_id"])
    path = tmp_path / "prompts.parquet"
    write_table(prompts, Prompts, path)
    read = read_table(Prompts, path)
    assert read["kind"].to_list() == prompts["kind"].to_list()
    assert read["weight"].to_list() == prompts["weight"].to_list()


def _with(at: int, **cells: str) -> tuple[tuple[str, ...], ...]:
    changed = dict(zip(HEAD, ROWS[at], strict=True)) | cells
    return (*ROWS[:at], tuple(changed.values()), *ROWS[at + 1 :])


@pytest.mark.parametrize(
    ("rows", "what", "row"),
    [
        (_with(1, prompt="How do I  boil an egg?"), "stands in line 2 already", 3),
        (_with(2, prompt_id="b1"), "prompt_id 'b1' stands in line 2 already", 4),
        (_with(1, prompt=" "), "column 'prompt' is empty", 3),
        (_with(2, prompt_id=""), "column 'prompt_id' is empty", 4),
        (_with(0, prompt="[NAME] boils an egg"), "has the placeholder [NAME]", 2),
        (_with(1, prompt="What does a [KIND] egg cost?"), "has the placeholder [KIND]", 3),
        (_with(1, prompt="How do I bo\ufffdl an egg?"), "U+FFFD", 3),
        (_with(1, kind="Harmless"), "kind 'Harmless' is written 'harmless' in line 2", 3),
    ],
)
def test_what_is_wrong_is_said_with_its_row(
    tmp_path: Path, rows: tuple[tuple[str, ...], ...], what: str, row: int
) -> None:
    path = written(tmp_path, rows)
    with pytest.raises(InputError) as raised:
        read_list(path, compared=["kind"])
    assert what in raised.value.what
    assert raised.value.where == f"{path}, line {row}"
    assert raised.value.remedy.endswith(".")
    assert "\n" not in str(raised.value)


def test_a_prompt_that_is_no_text_is_said_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('{"prompt_id": 1, "prompt": "Hi"}\n{"prompt_id": 2, "prompt": ["Ho"]}\n')
    with pytest.raises(InputError, match=r"line 2: column 'prompt', .* holds a list"):
        read_list(path)


@pytest.mark.parametrize(
    ("head", "columns", "what"),
    [
        (("id", *HEAD[1:]), {}, "column 'prompt_id' is missing"),
        (("prompt_id", "text", *HEAD[2:]), {}, "column 'prompt' is missing"),
        ((*HEAD[:4], "name"), {}, "column 'name' has the name of a column that every prompt has"),
        (HEAD, {"kind": "topic"}, "columns.kind names 'topic', and the file has a column 'kind'"),
        (HEAD, {"style": "form"}, "column 'form', which style names, is missing"),
    ],
)
def test_what_is_wrong_with_columns(
    tmp_path: Path, head: tuple[str, ...], columns: dict[str, str], what: str
) -> None:
    with pytest.raises(InputError) as raised:
        read_list(written(tmp_path, head=head), columns)
    assert what in raised.value.what
    assert raised.value.remedy


def config(path: Path, **analysis: Any) -> dict[str, Any]:
    return {
        "study": "s",
        "results": str(path.parent / "results"),
        "prompts": {"list": str(path), "arms": {"plain": None, "careful": "Be careful."}},
        "samples": 4,
        "models": {"m": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}},
        "analysis": {
            "dimensions": {"kind": {"reference": "harmless"}, "arm": {"reference": "plain"}},
            "primary_family": {"outcome": "refusal", "dimension": "kind"},
            **analysis,
        },
    }


def test_a_dry_run_counts_and_names_few_prompts(tmp_path: Path) -> None:
    study = load_config(config(written(tmp_path)), where="x.yaml")
    checked = check_inputs(study, where="x.yaml")
    assert checked.prompts is not None
    listed = read_list(written(tmp_path))
    table = list_prompts(listed, study.prompts.arms)
    assert checked.prompts == PromptCount.of_table(table)
    [first, *_] = workload_lines(
        workloads(study, checked.prompts), checked.prompts, study.samples, {}
    )
    assert first == "6 prompts (3 listed prompts x 2 system prompts), 4 samples of each"
    unused, few = checked.remarks
    assert unused.endswith("neither compared nor part of a prompt: topic, weight")
    assert "few listed prompts for kind: 'harmless' has 2 listed prompts (b1, b2)" in few
    assert "permutation" not in few


@pytest.mark.parametrize(
    ("dimension", "reference", "what"),
    [
        ("kind", "safe", "reference 'safe' is no kind of"),
        ("kinds", "safe", "'kinds' is no dimension: no column of the list has that name"),
        ("weight", "3", "'weight' is a factor of numbers"),
    ],
)
def test_what_a_study_says_of_its_factors(
    tmp_path: Path, dimension: str, reference: str, what: str
) -> None:
    raw = config(
        written(tmp_path),
        dimensions={dimension: {"reference": reference}},
        primary_family={"outcome": "refusal", "dimension": dimension},
    )
    study = load_config(raw, where="x.yaml")
    with pytest.raises(InputError) as raised:
        check_inputs(study, where="x.yaml")
    assert what in raised.value.what
    assert raised.value.where.startswith(f"x.yaml, analysis.dimensions.{dimension}")


@pytest.mark.parametrize("section", ["dimensions", "covariates"])
@pytest.mark.parametrize(
    ("key", "what", "remedy"),
    [
        ("set", "'set' tells sets apart", "several sets share"),
        ("prompt_id", "'prompt_id' tells prompts apart", "several prompts share"),
        ("id", "'id' tells prompts apart", "several prompts share"),
        ("name", "'name' tells names apart", "several names share"),
        ("system_prompt", "'system_prompt' tells arms apart", "'arm'"),
        ("label", "'label' is what the file calls 'theme', by prompts.columns", "'theme' here"),
    ],
)
def test_keys_and_other_names_of_columns_are_said(
    tmp_path: Path, section: str, key: str, what: str, remedy: str
) -> None:
    path = written(tmp_path, head=("id", "prompt", "kind", "label", "set"))
    raw = config(path, covariates=[key] if section == "covariates" else [])
    raw["prompts"]["columns"] = {"prompt_id": "id", "theme": "label"}
    if section == "dimensions":
        raw["analysis"]["dimensions"][key] = {"reference": "cooking"}
    with pytest.raises(InputError) as raised:
        load_config(raw, where="x.yaml")
    assert raised.value.what.startswith(what)
    at = "covariates" if section == "covariates" else f"dimensions.{key}"
    assert raised.value.where == f"x.yaml, analysis.{at}"
    if section == "covariates" and key != "label":
        remedy = "a second column with them"
    assert remedy in raised.value.remedy


def test_a_column_that_a_list_goes_by_another_name_for_is_compared(tmp_path: Path) -> None:
    # The file's `kind` and `topic` the other way round.
    raw = config(written(tmp_path))
    raw["prompts"]["columns"] = {"kind": "topic", "topic": "kind"}
    raw["analysis"]["dimensions"]["kind"]["reference"] = "cooking"
    check_inputs(load_config(raw, where="x.yaml"), where="x.yaml")


def test_what_needs_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"analysis\.mixed_model needs names"):
        load_config(config(written(tmp_path), mixed_model=True), where="x.yaml")


def test_a_covariate_of_a_list_is_used(tmp_path: Path) -> None:
    study = load_config(config(written(tmp_path), covariates=["weight", "tokens"]), where="x.yaml")
    unused, _ = check_inputs(study, where="x.yaml").remarks
    assert unused.endswith("neither compared nor part of a prompt: topic")


@pytest.mark.parametrize(
    ("kind", "covariate", "what", "where"),
    [
        ("csv", "weight", "covariate 'weight' is no number: '3 kg'", "line 2"),
        ("jsonl", "weight", "covariate 'weight' is no number: '3 kg'", "line 1"),
        ("csv", "topics", "'topics' is no covariate: no column of the list has", "covariates"),
        ("csv", "topic", "covariate 'topic' is no number: 'cooking'", "line 2"),
    ],
)
def test_a_covariate_that_is_no_number_is_said_with_its_row(
    tmp_path: Path, kind: str, covariate: str, what: str, where: str
) -> None:
    frame = pl.DataFrame(_with(0, weight="3 kg"), schema=list(HEAD), orient="row")
    path = tmp_path / f"list.{kind}"
    frame.write_csv(path) if kind == "csv" else frame.write_ndjson(path)
    study = load_config(config(path, covariates=[covariate]), where="x.yaml")
    with pytest.raises(InputError) as raised:
        check_inputs(study, where="x.yaml")
    assert what in raised.value.what
    assert raised.value.where.endswith(where)
    assert raised.value.remedy.endswith(".")


def test_a_list_to_be_fetched_is_not_read_yet() -> None:
    nowhere = Path("data/external/nowhere.csv")
    raw = config(nowhere)
    raw["prompts"]["download"] = {"url": "https://localhost/l.csv", "sha256": "0" * 64}
    raw["results"] = "results"
    study = load_config(raw, where="x.yaml")
    assert not nowhere.exists()
    checked = check_inputs(study, where="x.yaml")
    assert checked.prompts is None
