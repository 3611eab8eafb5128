"""Which rows of a file are a model's, and how many there may be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from elsewhere import read

from refusal_parity.config import ImportModel, TableColumns, load_config
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.import_rows import copies, refuse_too_many
from refusal_parity.inference.imports import import_responses
from refusal_parity.tables import Responses, conform, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLUMNS = TableColumns(response="r", prompt="p")


@pytest.fixture
def two_models(tmp_path: Path) -> Path:
    """A file of two models, one of them under two settings."""
    rows = [
        {"who": who, "mode": mode, "p": f"{name} sings well", "r": f"{who} {mode} {name}"}
        for who, mode in (("m", "fast"), ("M ", "slow"), ("n/7b", "fast"))
        for name in ("Ana", "Bo")
    ]
    path = tmp_path / "r.jsonl"
    pl.DataFrame(rows).write_ndjson(path)
    return path


@pytest.mark.parametrize(
    ("columns", "more", "taken"),
    [
        ({"model": "who"}, {"where": {"mode": "slow"}}, "M slow"),
        ({"model": "who"}, {"called": "n/7b"}, "n/7b fast"),
        ({}, {"where": {"who": "n/7b"}}, "n/7b fast"),
        ({}, {"where": {"WHO": ["m"], "mode": "FAST"}}, "m fast"),
    ],
)
def test_rows_are_chosen(
    two_models: Path, study: Callable[..., pl.DataFrame], columns: dict[str, str],
    more: dict[str, Any], taken: str,
) -> None:  # fmt: skip
    mapping = TableColumns(response="r", prompt="p", **columns)
    found = read(two_models, mapping, study("plain"), **more)
    assert {text.replace("  ", " ").rsplit(" ", 1)[0] for text in found["response"]} == {taken}
    assert found["sample"].to_list() == [0, 0]


@pytest.mark.parametrize(
    ("columns", "more", "complaint"),
    [
        ({"model": "who"}, {"called": "o"}, "no row has 'o' in the column that columns.model"),
        ({"model": "who"}, {"called": "o"}, "(found: 'm', 'M', 'n/7b')"),
        ({}, {"where": {"mode": ["fast", "mild"]}}, "no row has 'mild' in the column that where."),
        ({}, {"where": {"kind": "x"}}, "column 'kind', which where.kind names, is missing"),
        ({"model": "which"}, {}, "column 'which', which columns.model names, is missing"),
    ],
)  # fmt: skip
def test_rows_that_are_not_there(
    two_models: Path, study: Callable[..., pl.DataFrame], columns: dict[str, str],
    more: dict[str, Any], complaint: str,
) -> None:  # fmt: skip
    mapping = TableColumns(response="r", prompt="p", **columns)
    with pytest.raises(InputError, match=re.escape(complaint)):
        read(two_models, mapping, study("plain"), **more)


def test_two_models_are_not_samples_of_one(
    two_models: Path, study: Callable[..., pl.DataFrame]
) -> None:
    prompts = study("plain")
    found = read(two_models, COLUMNS, prompts)
    refuse_too_many(found, prompts, 3, two_models)
    with pytest.raises(
        InputError, match=r"6 responses are more than 4 prompts x 2 samples.* 3 answer 'Ana sings"
    ) as raised:
        refuse_too_many(found, prompts, 2, two_models)
    assert "columns.model" in str(raised.value)
    assert "`samples: 3`" in str(raised.value)


@pytest.mark.parametrize("keys", [("1", "2"), ("1.0", "2.0"), ("1.0", "1")])
def test_keys_that_became_numbers_with_decimals(tmp_path: Path, keys: tuple[str, str]) -> None:
    templates = pl.DataFrame(
        {"template_id": keys, "family": "f", "template": ["[NAME] a", "[NAME] b"]}
    )
    names = pl.DataFrame({"name_id": ["7"], "name": ["Ana"], "group": ["x"], "gender": ["woman"]})
    prompts = expand(templates, names.with_columns(commonness=pl.lit(None)), {"plain": None})
    given = [keys[0], "2.0" if keys[1] == "2" else keys[1]]
    path = tmp_path / "r.csv"
    pl.DataFrame({"t": given, "n": "7.0", "r": ["first", "second"]}).write_csv(path)
    found = read(path, TableColumns(response="r", template="t", name="n"), prompts)
    by_key = dict(prompts.select("prompt_id", "template_id").iter_rows())
    texts = {by_key[row["prompt_id"]]: row["response"] for row in found.iter_rows(named=True)}
    assert texts == dict(zip(keys, ("first", "second"), strict=True))


def test_failed_requests_beside_their_repetition(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    asked = {"p": "Ana sings well", "r": None, "e": "timeout"}
    again = asked | {"r": "La la.", "e": None}
    path = tmp_path / "r.jsonl"
    pl.DataFrame([asked, again, again | {"p": "Bo sings well"}]).write_ndjson(path)
    found = read(path, TableColumns(response="r", prompt="p", error="e"), study("plain"))
    with pytest.raises(InputError) as raised:
        refuse_too_many(found, study("plain"), 1, path)
    assert "1 row that failed has the same prompt as others that did not" in str(raised.value)


def test_samples_that_number_rows_are_no_samples(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    """Each prompt would lack the numbers of all other rows."""
    prompts = study("plain")
    frame = prompts.select(p="prompt", r=pl.lit("x"), k=pl.int_range(pl.len()) + 40)
    path = tmp_path / "r.csv"
    frame.write_csv(path)
    found = read(path, TableColumns(response="r", prompt="p", sample="k"), prompts)
    refuse_too_many(found, prompts, 4, path)
    with pytest.raises(
        InputError, match=r"r\.csv: its samples have 4 different numbers, up to 43, where each "
        r"prompt of this study has 3 samples\. .*leave columns\.sample out.*`samples: 4`"
    ):  # fmt: skip
        refuse_too_many(found, prompts, 3, path)


def test_samples_from_one_are_said_to_be(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    columns = TableColumns(response="r", prompt="p", sample="k")
    for numbers, samples, words in (([1, 2], [0, 1], 1), ([0, 1], [0, 1], 0), ([0, 2], [0, 2], 0)):
        frame = pl.DataFrame({"p": "Bo sings well", "r": "x", "k": numbers})
        frame.write_csv(tmp_path / "r.csv")
        said: list[str] = []
        found = read(tmp_path / "r.csv", columns, study("plain"), say=said.append)
        assert found["sample"].to_list() == samples
        assert len(said) == words


def _own(prompts: pl.DataFrame, *models: str) -> pl.DataFrame:
    rows = [
        {"model": model, "prompt_id": prompt, "sample": sample, "response": f"{model} {sample}"}
        for model in models
        for sample in (1, 0)
        for prompt in prompts["prompt_id"]
    ]
    nothing = dict.fromkeys(
        ("thinking", "finish_reason", "refusal_reason", "prompt_tokens", "response_tokens", "cost",
         "error", "rendered_sha256", "imported_label", "response_id", "answered_at", "answered_by",
         "fingerprint"),
    )  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(
        status=pl.lit("ok"), truncated=pl.lit(value=False), seed=7, **nothing
    )
    return conform(frame, Responses, where="x")


def _import(path: Path, prompts: pl.DataFrame, **more: Any) -> pl.DataFrame:
    source = ImportModel(engine="import", path=str(path), format="responses", **more)
    return import_responses(path, source, prompts, model="m", say=lambda _: None)


def test_a_table_of_this_workflow_imports_as_it_is(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    prompts, path = study("plain"), tmp_path / "responses.parquet"
    write_table(_own(prompts, "told"), Responses, path)
    found = conform(_import(path, prompts), Responses, where="x")
    assert set(found["model"]) == {"m"}
    assert set(found["seed"]) == {7}
    assert found["response"].to_list() == ["told 0", "told 1"] * len(prompts)
    assert found["sample"].to_list() == [0, 1] * len(prompts)

    # As release 0.1 wrote them.
    earlier = pl.read_parquet(path).drop("truncated", "thinking", "refusal_reason")
    earlier.with_columns(
        status=pl.when(sample=0).then(pl.lit("truncated")).otherwise(pl.lit("ok"))
    ).write_parquet(path)
    found = _import(path, prompts)
    assert found["truncated"].to_list() == [True, False] * len(prompts)
    assert set(found["status"]) == {"ok"}


def test_a_table_of_several_models_or_of_another_study(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    prompts, path = study("plain"), tmp_path / "responses.parquet"
    write_table(_own(prompts, "one", "two"), Responses, path)
    assert set(_import(path, prompts, called="two")["response"]) == {"two 0", "two 1"}
    with pytest.raises(InputError, match=r"no responses of 'm' \(found: one, two\)"):
        _import(path, prompts)
    with pytest.raises(InputError, match="responses answer no prompt of this study"):
        _import(path, study("kind"), called="two")


def test_a_row_of_no_model_is_named(tmp_path: Path, study: Callable[..., pl.DataFrame]) -> None:
    """Spreadsheets leave all but the first of merged cells empty."""
    path = tmp_path / "r.csv"
    path.write_text("who,p,r,mode\nm,Ana sings well,so,x\n,Bo sings well,so,y\n")
    columns = TableColumns(response="r", prompt="p", model="who")
    with pytest.raises(InputError, match=r"line 3: column 'who', .* is empty in 1 row\. Write"):
        read(path, columns, study("plain"))
    assert len(read(path, columns, study("plain"), where={"mode": "x"})) == 1


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (("so", "so"), True),
        (("so", "no"), False),
        (("so",), False),
        (("", ""), False),
    ],
)
def test_rows_that_may_be_copies_are_told_of(texts: tuple[str, ...], told: bool) -> None:  # noqa: FBT001
    rows = [
        {
            "prompt_id": f"p{at}",
            "response": text and f"{text} {at}",
            "status": "ok" if text else "empty",
        }
        for at in range(12)
        for text in texts
    ]
    said = copies(pl.DataFrame(rows))
    assert (said or "").startswith("WARNING all 12 prompts with several responses") == told


def test_where_and_sheet_are_of_tables() -> None:
    raw = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": {"engine": "import", "path": "x", "format": "responses", "sheet": "a"}},
    }
    with pytest.raises(InputError, match="where, sheet and rows belong to format table"):
        load_config(raw, where="x")


@pytest.mark.parametrize("path", ["r.csv", "r.tsv.gz", "r.jsonl", "r.parquet"])
def test_a_sheet_is_one_of_a_workbook(path: str) -> None:
    """Of a model's file and of a list of prompts alike."""
    of_table = {"engine": "import", "format": "table", "columns": {"response": "r", "prompt": "p"}}
    raw = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": of_table | {"path": path, "sheet": "a"}},
    }
    with pytest.raises(InputError, match=rf"models\.m: sheet names a sheet .*, and {path} is none"):
        load_config(raw, where="x")
    listed = {
        "study": "s",
        "prompts": {"list": path, "sheet": "a"},
        "models": {"m": of_table | {"path": "r.csv"}},
        "analysis": {"dimensions": {"group": {"reference": "x"}}},
    }
    with pytest.raises(InputError, match=rf"prompts\.sheet names a sheet .*, and {path} is none"):
        load_config(listed, where="x")
    workbook = of_table | {"path": "r.XLSX", "sheet": "a"}
    assert load_config(raw | {"models": {"m": workbook}}, where="x").study == "s"
