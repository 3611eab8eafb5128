from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import TableColumns, load_config
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.import_table import read_response_table
from refusal_parity.tables import Responses, conform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARMS: dict[str, str | None] = {"plain": None, "kind": "Be kind."}
ANSWERS = {
    "text": ["Ana sings well", "Bo sings well", "Ana sings badly", "Bo sings badly"],
    "out": ["A song.", " I cannot, sorry. ", None, "Opera."],
    "kind": ["answer", "Harmful refusal", None, "answer"],
}


@pytest.fixture
def study() -> Callable[..., pl.DataFrame]:
    templates = pl.DataFrame(
        {
            "template_id": ["well", "badly"],
            "family": "f",
            "template": ["[NAME] sings well", "[NAME] sings badly"],
        }
    )
    names = pl.DataFrame(
        {
            "name_id": ["a", "b"],
            "name": ["Ana", "Bo"],
            "group": ["x", "y"],
            "gender": None,
            "commonness": None,
        }
    )

    def made(*arms: str) -> pl.DataFrame:
        return expand(templates, names, {arm: ARMS[arm] for arm in arms})

    return made


WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    ".csv": lambda frame, path: frame.write_csv(path),
    ".jsonl": lambda frame, path: frame.write_ndjson(path),
    ".parquet": lambda frame, path: frame.write_parquet(path),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_kind_of_file(
    tmp_path: Path, study: Callable[..., pl.DataFrame], suffix: str
) -> None:
    path = tmp_path / f"answers{suffix}"
    WRITERS[suffix](pl.DataFrame(ANSWERS), path)
    columns = TableColumns(response="out", prompt="text", label="kind")
    found = conform(
        read_response_table(path, columns, study("plain"), model="m"), Responses, where="x"
    )
    assert found.select("prompt_id").equals(study("plain").select("prompt_id"))
    assert found.select("response", "status", "imported_label", "sample").rows() == [
        ("A song.", "ok", "answer", 0),
        ("I cannot, sorry.", "ok", "harmful_refusal", 0),
        ("", "empty", None, 0),
        ("Opera.", "ok", "answer", 0),
    ]


def test_by_template_and_name_in_words_or_keys(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    frame = pl.DataFrame(
        {
            "t": ["well", "[NAME] sings well", "badly"],
            "n": ["b", "Ana", "Ana"],
            "s": [None, "Be kind.", None],
            "k": [1, 0, 0],
            "r": ["one", "two", "three"],
        }
    )
    frame.write_parquet(tmp_path / "r.parquet")
    columns = TableColumns(response="r", template="t", name="n", sample="k", system_prompt="s")
    prompts = study("plain", "kind")
    found = read_response_table(tmp_path / "r.parquet", columns, prompts, model="m")
    assert found.join(prompts, on="prompt_id").sort("response").select(
        "response", "name", "template_id", "arm", "sample"
    ).rows() == [
        ("one", "Bo", "well", "plain", 1),
        ("three", "Ana", "badly", "plain", 0),
        ("two", "Ana", "well", "kind", 0),
    ]


def test_repetitions_are_counted_where_nothing_numbers_them(
    tmp_path: Path, study: Callable[..., pl.DataFrame]
) -> None:
    frame = pl.DataFrame({"p": ["Bo sings well", "Ana sings well", "Bo sings well"], "r": "x"})
    frame.write_csv(tmp_path / "r.csv")
    columns = TableColumns(response="r", prompt="p")
    found = read_response_table(tmp_path / "r.csv", columns, study("plain"), model="m")
    assert found["sample"].to_list() == [0, 0, 1]


@pytest.mark.parametrize(
    ("change", "mapping", "complaint"),
    [
        (
            {"text": ["Ana sings well", "Al sings well", "Cy", "Bo sings badly"]},
            {},
            "2 of 4 rows answer no prompt of this study (row 3: 'Al sings well'; row 4: 'Cy')",
        ),
        ({}, {"response": "answer"}, "column 'answer', which columns.response names"),
        ({}, {"arms": "plain kind"}, "the study has 2 arms and the file does not say which"),
        ({"kind": "rude"}, {}, "row 2: label 'rude' is none of the six"),
        ({"no": ["0", "1", "-1", "2"]}, {"sample": "no"}, "row 4: sample '-1' is no"),
        ({"no": ["0", "first", "0", "0"]}, {"sample": "no"}, "row 3: sample 'first' is"),
        (
            {"no": "0", "text": ["Bo sings well"] * 4},
            {"sample": "no"},
            "row 3: sample 0 of 'Bo sings well' stands here again",
        ),
    ],
)
def test_rows_that_cannot_be_used(
    tmp_path: Path,
    study: Callable[..., pl.DataFrame],
    change: dict[str, Any],
    mapping: dict[str, str],
    complaint: str,
) -> None:
    path = tmp_path / "answers.csv"
    frame = pl.DataFrame(ANSWERS)
    frame.with_columns(
        **{k: pl.lit(v) if isinstance(v, str) else pl.Series(v) for k, v in change.items()}
    ).write_csv(path)
    mapping = {"response": "out", "prompt": "text", "label": "kind"} | mapping
    arms = mapping.pop("arms", "plain").split()
    with pytest.raises(InputError, match=re.escape(complaint)):
        read_response_table(path, TableColumns(**mapping), study(*arms), model="m")


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.parquet", "answers.xlsx", "no.jsonl"])
def test_files_that_are_no_table(
    tmp_path: Path, study: Callable[..., pl.DataFrame], name: str
) -> None:
    if name.startswith("answers"):
        (tmp_path / name).write_text("neither this nor that")
    with pytest.raises(InputError, match=re.escape(str(tmp_path / name))):
        read_response_table(
            tmp_path / name, TableColumns(response="r", prompt="p"), study("plain"), model="m"
        )


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ({"format": "table"}, "columns belongs to format table"),
        (
            {"format": "table", "columns": {"response": "r", "name": "n"}},
            "name the column prompt, or the columns template and name",
        ),
    ],
)
def test_config_of_a_table(model: dict[str, Any], complaint: str) -> None:
    raw = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": {"engine": "import", "path": "x.csv"} | model},
    }
    with pytest.raises(InputError, match=complaint):
        load_config(raw, where="x")
