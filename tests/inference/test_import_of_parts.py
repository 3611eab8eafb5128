"""Responses that come in parts, stand elsewhere in some rows, or beside words of failures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from elsewhere import read

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.errors import InputError
from refusal_parity.inference.imports import import_responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Study = Callable[..., pl.DataFrame]

PROMPTS = ("Ana sings well", "Bo sings well", "Ana sings badly", "Bo sings badly")


def _lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Each answers the next prompt."""
    asked = ({"p": prompt} | row for prompt, row in zip(PROMPTS, rows, strict=False))
    path.write_text("\n".join(map(json.dumps, asked)))
    return path


def _import(path: Path, study: pl.DataFrame, **columns: str) -> tuple[pl.DataFrame, str]:
    """The responses in the order of the file, and what was said of them."""
    named = TableColumns(prompt="p", **columns)
    source = ImportModel(engine="import", path=str(path), format="table", columns=named)
    said: list[str] = []
    found = import_responses(path, source, study, model="m", say=said.append)
    order = {prompt: at for at, prompt in enumerate(PROMPTS)}
    texts = found.join(study.select("prompt_id", "prompt"), on="prompt_id")
    return texts.sort(pl.col("prompt").replace_strict(order)), "\n".join(said)


ANTHROPIC = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "La la."}]
GEMINI = [
    {"text": "Hm.", "thought": True},
    {"text": "La "},
    {"text": "la.", "thoughtSignature": "x"},
]
RESPONSES = [{"type": "refusal", "refusal": "I can't."}]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_parts_of_a_message_are_put_together(tmp_path: Path, study: Study, kind: str) -> None:
    rows = [{"r": {"c": each}} for each in (ANTHROPIC, GEMINI, RESPONSES)]
    path = _lines(tmp_path / f"r.{kind}", rows)
    if kind == "parquet":
        pl.read_ndjson(path.read_bytes()).write_parquet(path)
    found, said = _import(path, study("plain"), response="r.c")
    assert found["response"].to_list() == ["La la.", "La la.", "I can't."]
    assert found["thinking"].to_list() == ["Hm.", "Hm.", None]
    assert "WARNING" not in said


def test_a_list_of_parts_may_be_a_column(tmp_path: Path, study: Study) -> None:
    path = _lines(tmp_path / "r.jsonl", [{"r": ANTHROPIC}] * 4)
    pl.read_ndjson(path.read_bytes()).write_parquet(tmp_path / "r.parquet")
    for file in (path, tmp_path / "r.parquet"):
        found, _ = _import(file, study("plain"), response="r")
        assert set(found.select("response", "thinking").rows()) == {("La la.", "Hm.")}


def test_of_parts_the_first_alone_is_warned_of(tmp_path: Path, study: Study) -> None:
    path = _lines(tmp_path / "r.jsonl", [{"r": {"c": GEMINI}}] * 4)
    _, said = _import(path, study("plain"), response="r.c.1.text")
    assert "WARNING" not in said
    path = _lines(tmp_path / "r.jsonl", [{"r": {"c": GEMINI[1:]}}] * 4)
    _, said = _import(path, study("plain"), response="r.c.0.text")
    assert "name the list itself, 'r.c', whose parts are put together" in said


@pytest.mark.parametrize(
    "thought", [GEMINI[0], {"type": "reasoning", "text": "Hm."}, {"type": "thinking", "text": "H"}]
)
def test_thinking_is_no_response(tmp_path: Path, study: Study, thought: dict[str, Any]) -> None:
    parts = [{"text": "La."}], [thought, {"text": "La."}]
    path = _lines(tmp_path / "r.jsonl", [{"r": {"c": each}} for each in parts])
    with pytest.raises(InputError, match=r"line 2: .* the model thought.* itself, 'r\.c': its"):
        _import(path, study("plain"), response="r.c.0.text")


def test_parts_that_are_no_text_are_refused(tmp_path: Path, study: Study) -> None:
    path = _lines(tmp_path / "r.jsonl", [{"r": [{"type": "image", "url": "x"}]}])
    with pytest.raises(InputError, match=r"line 1: .*'r'.* in parts, and .*'image'"):
        _import(path, study("plain"), response="r")


@pytest.mark.parametrize("wrong", ["max_tokens", "refusal"])
def test_a_list_of_no_parts_is_no_text(tmp_path: Path, study: Study, wrong: str) -> None:
    rows = [{"r": [{"type": "text", "text": "La la."}], "f": "end_turn"}, {"r": [], "f": wrong}]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, _ = _import(path, study("plain"), response="r", finish_reason="f")
    status = {"max_tokens": "empty", "refusal": "filtered"}[wrong]
    assert found["status"].to_list() == ["ok", status]


def test_a_text_may_stand_where_others_have_a_list(tmp_path: Path, study: Study) -> None:
    rows = [{"r": {"c": "I cannot."}}, {"r": {"c": [{"text": "La la."}]}}, {"r": {"c": ["x"]}}]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, said = _import(path, study("plain"), response="r.c.0.text")
    assert found["response"].to_list() == ["I cannot.", "La la.", ""]
    assert (
        "nothing stands at 'r.c.0.text', which columns.response names, in 1 row, the first in "
        in said
    )
    assert "line 3, which counts as empty" in said


def test_rows_without_a_response_are_told_of_unless_they_say_why(
    tmp_path: Path, study: Study
) -> None:
    rows = [
        {"r": {"text": "La la."}, "f": "stop"},
        {"r": {}, "f": "content_filter"},
        {"r": {}, "e": "timeout"},
        {"Response": "I cannot.", "f": "completed"},
    ]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, said = _import(path, study("plain"), response="r.text", finish_reason="f", error="e")
    assert found["status"].to_list() == ["ok", "filtered", "error", "empty"]
    assert "in 1 row, the first in line 4, which counts as empty" in said


def test_an_error_may_be_a_text_where_others_have_a_code(tmp_path: Path, study: Study) -> None:
    rows = [{"r": None, "e": "timeout"}, {"r": None, "e": {"code": "safety"}}, {"r": "La."}]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, _ = _import(path, study("plain"), response="r", error="e.code")
    assert found["status"].to_list() == ["error", "filtered", "ok"]
    assert found["error"].to_list() == ["timeout", None, None]


@pytest.mark.parametrize(
    "word",
    [
        *(False, 0, "none", "No", "OK", "success", "N/A", "-", "[]", "{}", 200, "nan"),
        *("0.0", "0,0", "200.0", "Succeeded", "completed", "FALSCH"),
    ],
)
def test_words_for_no_error_are_none(tmp_path: Path, study: Study, word: Any) -> None:
    path = _lines(tmp_path / "r.jsonl", [{"r": "La la.", "e": word}])
    found, said = _import(path, study("plain"), response="r", error="e")
    assert found.select("status", "error").row(0) == ("ok", None)
    assert "WARNING" not in said


def test_a_response_beside_an_error_is_told_of(tmp_path: Path, study: Study) -> None:
    failed = {"r": "I'm sorry.", "e": "Expected output not to be a refusal"}
    path = _lines(tmp_path / "r.jsonl", [{"r": "La la."}, failed])
    found, said = _import(path, study("plain"), response="r", error="e")
    assert found["status"].to_list() == ["ok", "error"]
    assert "1 row has a response and an error, the first in line 2 ('Expected output" in said


def test_labels_of_what_counts_otherwise_are_told_of(tmp_path: Path, study: Study) -> None:
    rows = [
        {"r": "La la.", "w": "content_filter", "l": "answer"},
        {"r": "Do re.", "w": "content_filter", "l": "refusal"},
        {"r": "Mi fa.", "w": "stop", "l": "answer"},
        {"r": "Sol.", "w": "content_filter", "l": "answer"},
    ]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, said = _import(path, study("plain"), response="r", finish_reason="w", label="l")
    assert found["status"].to_list() == ["filtered", "filtered", "ok", "filtered"]
    assert (
        "WARNING 3 labelled rows count as refused by a filter (2 answer, 1 refusal) by what "
        "columns.finish_reason" in said
    )


@pytest.mark.parametrize("values", [(True, False), (0, 1), ("yes", "no")])
def test_whether_it_refused_is_no_text(tmp_path: Path, study: Study, values: tuple[Any]) -> None:
    path = _lines(tmp_path / "r.jsonl", [{"r": "La la.", "x": value} for value in values])
    with pytest.raises(InputError, match=r"line 1: columns.refusal names a column that holds"):
        _import(path, study("plain"), response="r", refusal="x")


def test_the_first_of_several_labels_is_warned_of(tmp_path: Path, study: Study) -> None:
    rows = [{"r": "La la.", "l": ["answer"]}, {"r": "No.", "l": ["refusal", "answer"]}]
    path = _lines(tmp_path / "r.jsonl", rows)
    _, said = _import(path, study("plain"), response="r", label="l.0")
    assert "'l.0' takes the first where 1 row holds up to 2: the others, 1 in all, are not" in said


def test_what_the_end_of_thinking_lacks_is_thinking(tmp_path: Path, study: Study) -> None:
    """Where the prompt opens the thinking, files have the closing tag alone."""
    rows = [
        {"r": "Okay, the user asks about Ana.\n</think>\n\nLa la.", "f": "stop"},
        {"r": "Okay, the user asks about Bo. Hmm, let me", "f": "length"},
        {"r": "La.", "f": "stop"},
    ]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, said = _import(path, study("plain"), response="r", finish_reason="f")
    assert found["response"].to_list() == ["La la.", "", "La."]
    assert found["status"].to_list() == ["ok", "empty", "ok"]
    assert found["thinking"][1] == rows[1]["r"]
    assert "nothing says whether" not in said
    found, said = _import(path, study("plain"), response="r")
    assert found["response"].to_list() == ["La la.", rows[1]["r"], "La."]
    assert "2 responses have no thinking where 1 ends its own by a closing tag alone" in said


def test_a_cut_response_is_one_where_thinking_has_both_tags(tmp_path: Path, study: Study) -> None:
    rows = [
        {"r": "<think>Okay, the user asks about Ana.</think>\n\nLa la.", "f": "stop"},
        {"r": "La la la la", "f": "length"},
    ]
    path = _lines(tmp_path / "r.jsonl", rows)
    found, _ = _import(path, study("plain"), response="r", finish_reason="f")
    assert found["response"].to_list() == ["La la.", "La la la la"]


def test_a_prompts_own_key_says_which_arm_it_is_of(tmp_path: Path, study: Study) -> None:
    prompts = study("plain", "kind")
    path = tmp_path / "r.csv"
    prompts.select(p="prompt_id", r="arm").sample(fraction=1, shuffle=True, seed=1).write_csv(path)
    found = read(path, TableColumns(prompt="p", response="r"), prompts)
    arms = found.join(prompts, on="prompt_id", maintain_order="left")
    assert len(arms) == len(prompts)
    assert (arms["response"] == arms["arm"]).all()
    with pytest.raises(InputError, match=r"has 2 arms.*`prompt_id`"):
        read(path, TableColumns(prompt="r", response="p"), prompts)
    key = prompts["prompt_id"][0]
    path.write_text(f"p,r\n{key},La la.\n,No.\n")
    with pytest.raises(
        InputError, match=r"line 3: 1 row of 2 has a prompt_id that is none of this study \(None\)"
    ):
        read(path, TableColumns(prompt="p", response="r"), study("plain"))


def test_no_system_prompt_and_an_empty_one_look_alike(tmp_path: Path, study: Study) -> None:
    prompts = study("plain", "kind").with_columns(
        system_prompt=pl.when(pl.col("arm") == "kind").then(pl.lit(""))
    )
    path = tmp_path / "r.csv"
    path.write_text('p,s,r\nAna sings well,,La la.\nAna sings well,"",No.\n')
    columns = TableColumns(prompt="p", response="r", system_prompt="s")
    with pytest.raises(InputError, match=r"arms 'plain' and 'kind' have prompts that do not"):
        read(path, columns, prompts)


def test_arms_around_the_request_are_told_by_the_whole_prompt(tmp_path: Path, study: Study) -> None:
    prompts = study("plain", "kind").with_columns(
        prompt=pl.when(pl.col("arm") == "kind")
        .then(pl.format("Be kind. {}", "prompt"))
        .otherwise("prompt"),
        system_prompt=pl.lit(None, pl.String),
    )
    path = tmp_path / "r.csv"
    path.write_text("t,n,s,r\n[NAME] sings well,Ana,,La la.\n")
    of_parts = TableColumns(template="t", name="n", response="r", system_prompt="s")
    with pytest.raises(InputError, match=r"\(template, name, system_prompt\)"):
        read(path, of_parts, prompts)
    path.write_text("p,s,r\nBe kind. Ana sings well,,La la.\n")
    found = read(path, TableColumns(prompt="p", response="r", system_prompt="s"), prompts)
    assert found.join(prompts, on="prompt_id")["arm"].to_list() == ["kind"]


def test_a_key_of_a_list_stands_for_one_arm_alone(tmp_path: Path) -> None:
    prompts = pl.DataFrame(
        {
            "prompt_id": ["1", "2"],
            "template_id": "q0",
            "arm": ["plain", "kind"],
            "template": [None, None],
            "name_id": [None, None],
            "name": [None, None],
            "prompt": ["Sing.", "Be kind. Sing."],
            "system_prompt": [None, None],
        },
        schema_overrides=dict.fromkeys(["template", "name_id", "name", "system_prompt"], pl.String),
    )
    path = tmp_path / "r.csv"
    path.write_text("p,s,r\nq0,,La la.\n")
    columns = TableColumns(prompt="p", response="r", system_prompt="s")
    with pytest.raises(InputError, match="'q0' stands for several prompts, one of each arm"):
        read(path, columns, prompts)
