from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import ImportModel
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.imports import answers_to, describe, import_responses
from refusal_parity.inference.layouts import is_chehbouni_2024
from refusal_parity.inference.released_study import ImportedStudy, read_responses
from refusal_parity.tables import Prompts, Responses, conform

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    ",index,ethnicity,og_prompt,type_name,name,new_prompt,g1,g2,g3,prompt_sentence,common,model,"
    "identity,variable,label"
)


def _rows(system: str = "Help.") -> list[str]:
    """Two templates, two names, three samples, in the layout of the released files."""
    rows = []
    cells = [(t, n) for t in ("sings", "paints") for n in ("Ana", "Bo")]
    for k in (1, 2, 3):
        for index, (verb, name) in enumerate(cells):
            sentence = f"{name} {verb} [BLANK]"
            texts = [f"{sentence} No {g}." if g != 2 else sentence for g in (1, 2, 3)]
            rows.append(
                f"{len(rows)},{index},fam,[NAME] {verb} [BLANK],x_women_names,{name},"
                f'"<s>[INST] <<SYS>>\n{system}\n<</SYS>>[INST]{sentence}[/INST]",'
                f"{','.join(texts)},{sentence},least,m,group-{name},label {k},harmful refusal"
            )
    return rows


def _write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return path


def test_layout_of_the_released_files(tmp_path: Path) -> None:
    study = read_responses(
        _write(tmp_path / "x.csv", _rows()), layout="chehbouni-2024", model="key"
    )
    prompts = conform(study.prompts, Prompts, where="prompts")
    responses = conform(study.responses, Responses, where="responses")
    assert prompts.select(
        "template_id", "name", "group", "gender", "commonness", "system_prompt"
    ).row(1) == ("fam-1", "Bo", "group-Bo", "woman", "less common", "Help.")
    assert responses["sample"].to_list() == [0, 1, 2] * 4
    assert responses["response"].to_list() == ["No 1.", "", "No 3."] * 4
    assert responses["status"].to_list() == ["ok", "empty", "ok"] * 4
    assert set(responses["imported_label"]) == {"harmful_refusal"}
    assert responses["prompt_id"].unique(maintain_order=True).equals(prompts["prompt_id"])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda rows: rows[:-1],
            "1 of 12 labelled responses is missing, the first being `label 3`",
        ),
        (lambda rows: rows[:4], "8 of 12 labelled responses are missing"),
        (
            lambda rows: [*rows, rows[0]],
            "line 38: label 1 of 'Ana sings [BLANK]' stands here again",
        ),
        (
            lambda rows: [row.replace("harmful refusal", "harmfull") for row in rows],
            "line 2: label 'harmfull' is none of the seven",
        ),
        (
            lambda rows: [row.replace("label 1", "label 7") for row in rows],
            "line 2: variable 'label 7' does not say which response is labelled",
        ),
        (lambda rows: [*rows[:-1], rows[-1][:60]], "broken CSV"),
        (
            lambda rows: [*rows[:6], *_rows("Other.")[6:]],
            "line 20: a second system prompt, 'Other.'",
        ),
    ],
)
def test_broken_files(tmp_path: Path, spoil, complaint: str) -> None:  # noqa: ANN001
    path = _write(tmp_path / "x.csv", spoil(_rows()))
    with pytest.raises(InputError, match=re.escape(complaint)):
        read_responses(path, layout="chehbouni-2024", model="key")


def test_prompts_of_another_study_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.csv", _rows())
    study = read_responses(path, layout="chehbouni-2024", model="key")
    assert answers_to(study, study.prompts, path).equals(study.responses)
    with pytest.raises(InputError, match=r"3 of its 4 prompts are not in this study.*Bo sings"):
        answers_to(study, study.prompts.head(1), path)


@pytest.fixture(scope="module")
def released(released_csv: Path) -> ImportedStudy:
    return read_responses(released_csv, layout="chehbouni-2024", model="llama-2-7b")


def test_released_file_has_the_published_design(
    released: ImportedStudy, released_csv: Path
) -> None:
    assert describe(released_csv, layout="chehbouni-2024")["source"]["sha256"] == (
        "cc05f6ba504e5e22a2460dfdb61b3faecbd794ecc4db4a863dbb86e67081fe64"
    )
    assert released.prompts.select(
        pl.col("template_id", "name_id", "group", "family").n_unique()
    ).row(0) == (24, 32, 5, 5)
    assert len(conform(released.responses, Responses, where="responses")) == 2304


def test_identical_released_texts_never_carry_different_labels(released: ImportedStudy) -> None:
    answered = released.responses.join(
        released.prompts.select("prompt_id", "prompt"), on="prompt_id"
    )
    labels = answered.group_by("prompt", "response").agg(pl.col("imported_label").n_unique())
    assert labels["imported_label"].max() == 1


def test_hash_is_of_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.csv", _rows())
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert describe(path, layout="chehbouni-2024")["source"]["sha256"] == expected


def test_prompts_in_other_characters_are_the_studys(tmp_path: Path) -> None:
    rows = [row.replace("Ana", "Zoe\u0301").replace("Help.", "Don\u2019t.") for row in _rows()]
    path = _write(tmp_path / "x.csv", rows)
    study = read_responses(path, layout="chehbouni-2024", model="key")
    own = study.prompts.with_columns(
        pl.col("name", "prompt").str.normalize("NFC"),
        system_prompt=pl.lit("don't."),
        prompt_id=pl.format("own-{}", "prompt_id"),
    )
    found = answers_to(study, own, path)
    assert found["prompt_id"].to_list() == [f"own-{key}" for key in study.responses["prompt_id"]]


@pytest.mark.parametrize("spelled", ["ana", "Ana\u200b"])
def test_a_name_in_two_spellings_is_refused_by_row(tmp_path: Path, spelled: str) -> None:
    rows = _rows()
    rows[4] = rows[4].replace(",Ana,", f",{spelled},")
    path = _write(tmp_path / "x.csv", rows)
    with pytest.raises(InputError, match=r"line 14: name .* is written 'Ana' in line 2"):
        read_responses(path, layout="chehbouni-2024", model="key")


def test_thinking_in_a_file_is_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    texts = {
        "Ana": "<think>It declines? No.</think>\nA song.",
        "Bo": "A song.",
        "Cy": "<think>So it",
        "Dee": None,
    }
    pl.DataFrame(
        {
            "p": [f"{name} sings" for name in texts],
            "r": texts.values(),
            "t": [None, "Hm.", "Oh?", None],
        }
    ).write_ndjson(path)
    prompts = expand(
        pl.DataFrame({"template_id": "t", "family": "f", "template": ["[NAME] sings"]}),
        pl.DataFrame({"name_id": list(texts), "name": list(texts)}).with_columns(
            group=pl.lit("g"), gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)
        ),
        {"plain": None},
    )
    said: list[str] = []
    for thinking, expected in (
        ("auto", [("A song.", "It declines? No.", "ok"), ("A song.", "Hm.", "ok"),
                  ("", "Oh?\n\nSo it", "empty"), ("", None, "empty")]),
        ("none", [(texts["Ana"], None, "ok"), ("A song.", "Hm.", "ok"),
                  ("<think>So it", "Oh?", "ok"), ("", None, "empty")]),
    ):  # fmt: skip
        source = ImportModel.model_validate(
            {"engine": "import", "path": str(path), "format": "table", "thinking": thinking,
             "columns": {"response": "r", "prompt": "p", "thinking": "t"}}
        )  # fmt: skip
        found = import_responses(path, source, prompts, model="m", say=said.append)
        rows = conform(found, Responses, where="x")
        assert rows.select("response", "thinking", "status").rows() == expected
    assert [line for line in said if "thinking" in line] == [
        "2 responses begin with thinking, which is kept apart; 1 of them never came to a response"
    ]


@pytest.mark.parametrize("first_line", ["", "sep=;\r\n"])
def test_the_released_layout_is_known_as_a_spreadsheet_saves_it(
    tmp_path: Path, first_line: str
) -> None:
    path = tmp_path / "x.csv"
    saved = "\r\n".join([HEAD, *_rows()]).replace(",", ";")
    path.write_bytes((first_line + saved).encode("utf-8-sig"))
    assert is_chehbouni_2024(path)
    study = read_responses(path, layout="chehbouni-2024", model="key")
    assert len(study.responses) == 12
    assert not is_chehbouni_2024(tmp_path / "none.csv")
