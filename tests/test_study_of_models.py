"""What is checked of a study's models before it runs."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from desk import NAMES, TEMPLATES
from refusal_parity.config import load_config
from refusal_parity.errors import InputError
from refusal_parity.study import check_inputs, unweighed

if TYPE_CHECKING:
    from pathlib import Path


_STIMULI = {"prompts": {"templates": "t.csv", "names": "n.csv"}}


def test_models_whose_openings_cannot_be_weighed_are_named() -> None:
    raw: dict[str, Any] = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "sampling": {"openings": "weigh"},
        "models": {
            "v": {"engine": "vllm", "source": {"path": "x"}, "prompt_mode": "chat"},
            "o": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"},
            "i": {"engine": "import", "path": "r.csv", "format": "chehbouni-2024"},
        },
    }
    config = load_config(raw, where="x.yaml")
    assert config.weighed == ["v"]
    served, imported = unweighed(config)
    assert [line.split(":")[0] for line in (served, imported)] == ["models.o", "models.i"]
    assert "`server: vllm` says so" in served
    assert "server" not in imported
    raw["models"]["o"]["server"] = "vllm"
    config = load_config(raw, where="x.yaml")
    assert config.weighed == ["v", "o"]
    assert len(list(unweighed(config))) == 1
    del raw["models"]["o"]["server"]
    raw["models"]["o"]["openings"] = "draw"
    assert len(list(unweighed(load_config(raw, where="x.yaml")))) == 1
    raw["sampling"] = {}
    raw["models"]["v"]["openings"] = "weigh"
    config = load_config(raw, where="x.yaml")
    assert (config.weighed, list(unweighed(config))) == (["v"], [])


def test_references_of_prompts_that_come_with_responses(released_csv: Path, tmp_path: Path) -> None:
    raw = {
        "study": "s",
        "results": str(tmp_path),
        "prompts": {"from_model": "m"},
        "models": {
            "m": {"engine": "import", "path": str(released_csv), "format": "chehbouni-2024"}
        },
        "analysis": {"dimensions": {"group": {"reference": "white"}, "family": {"reference": "x"}}},
    }
    with pytest.raises(InputError, match="reference 'x' is no family of"):
        check_inputs(load_config(raw, where="x"), where="x")
    raw["analysis"]["dimensions"].pop("family")  # type: ignore[index]
    checked = check_inputs(load_config(raw, where="x"), where="x")
    assert checked.prompts is not None
    assert checked.prompts.prompts == 768


def _checked(folder: Path, source: dict[str, Any]) -> None:
    (folder / "t.csv").write_text(TEMPLATES, "utf-8")
    (folder / "n.csv").write_text(NAMES, "utf-8")
    columns = {"response": "said", "prompt": "Asked", "label": "a.b"}
    raw = {
        "study": "s",
        "results": str(folder),
        "prompts": {"templates": str(folder / "t.csv"), "names": str(folder / "n.csv")},
        "models": {"m": {"engine": "import", "format": "table", "columns": columns} | source},
        "analysis": {"dimensions": {"group": {"reference": "greek"}}},
    }
    check_inputs(load_config(raw, where="x"), where="x")


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_a_column_that_is_not_in_the_file_is_said_before_any_job(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"r.{suffix}"

    def write(**columns: str) -> dict[str, Any]:
        rows = pl.DataFrame({"asked": ["x"], "said": ["y"], **columns})
        if suffix == "parquet":
            rows.with_columns(a=pl.struct(b=pl.lit("answer"))).write_parquet(path)
        else:
            text = rows.with_columns(pl.lit("answer").alias("a.b")).write_csv()
            path.write_bytes(gzip.compress(text.encode()) if suffix == "csv.gz" else text.encode())
        return {"path": str(path)}

    _checked(tmp_path, write())
    _checked(tmp_path, write(split="z") | {"where": {"split": "test"}})
    with pytest.raises(InputError, match=rf"r\.{suffix}: column 'split', which where\.split names"):
        _checked(tmp_path, write() | {"where": {"split": "test"}})
    lost = {"columns": {"response": "text", "prompt": "asked"}}
    with pytest.raises(InputError, match=r"'text', which columns\.response names, is missing"):
        _checked(tmp_path, write() | lost)
    with pytest.raises(InputError, match=r"'Asked', which columns\.prompt names, may be"):
        _checked(tmp_path, write(ASKED="z"))


def test_a_key_that_other_rows_of_json_lines_may_have_is_left_to_the_job(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"asked": "x"}\n{"asked": "x", "said": "y", "a": {"b": 1}}')
    _checked(tmp_path, {"path": str(tmp_path / "r.jsonl")})


_COLUMNS = {"response": "r", "prompt": "p"}
_READ = {"engine": "import", "path": "r.csv", "format": "table", "columns": _COLUMNS}
_BY_MODEL = _READ | {"columns": _COLUMNS | {"model": "m"}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_BY_MODEL, _BY_MODEL),
        (_BY_MODEL | {"called": "x"}, _BY_MODEL | {"called": "y"}),
        (_READ | {"where": {"m": "x"}}, _READ | {"where": {"m": "y"}}),
        # Two people's labels of the same responses.
        *((_READ | {"columns": _COLUMNS | {"label": "x"}}, _READ),),
    ],
)
def test_two_models_of_one_file(one: dict[str, Any], other: dict[str, Any]) -> None:
    models = {"a": one, "b": other}
    assert set(load_config({"study": "s", "models": models} | _STIMULI, where="x").models) == {
        *"ab"
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_READ, _READ),
        (_READ, _READ | {"variant_of": "a"}),
        (_BY_MODEL | {"called": "x"}, _BY_MODEL | {"called": "x"}),
    ],
)
def test_two_models_that_are_the_same_rows(one: dict[str, Any], other: dict[str, Any]) -> None:
    models = {"a": one, "b": other}
    with pytest.raises(InputError, match=r"models: a and b are the same rows of r\.csv"):
        load_config({"study": "s", "models": models} | _STIMULI, where="x")
