"""What stands between brackets in a template or a prompt, and what is said of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from desk import NAMES, TEMPLATES, Desk
from refusal_parity.errors import InputError
from refusal_parity.listed import read_list

if TYPE_CHECKING:
    from pathlib import Path

MENTIONED = NAMES.replace("gender\n", "gender,mention\n").replace("man\n", "man,a Greek\n")
OF_OTHERS = [
    *("{MENTION}", "{{MENTION}}", "<MENTION>", "{ MENTION }", "[{MENTION}]", "{MENTION]"),
    *("\uff5bMENTION\uff5d", "\uff1cMENTION\uff1e", "\u3010MENTION\u3011", "\u27e8MENTION\u27e9"),
]
"""Placeholders in brackets that code and other texts have too."""
SQUARE = [
    *("[[MENTION]]", "[ MENTION ]", "\uff3bMENTION\uff3d", "[mention]", "[[mention]]"),
    *("[MENTION/NAME]", "[MENTION:short]", "[MEN\u200bTION]", "[MENTION", "MENTION]"),
    "[MENTION\\]",
]


def _with(text: str) -> str:
    return TEMPLATES.replace("f1,food,", f'f1,food,"{text}, ').replace("bread", 'bread"')


@pytest.mark.parametrize("text", [*OF_OTHERS, *SQUARE])
def test_what_can_only_be_a_placeholder(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as raised:
        Desk(tmp_path).check(templates=_with(text), names=MENTIONED)
    left = re.sub(r"^\[(?=\{)|(?<=\})\]$", "", text)
    assert raised.value.what == (
        f"{left} is not written as a placeholder, and its brackets would be sent"
    )
    assert raised.value.where == f"{tmp_path}/t.csv, line 6"
    remedy = "Write [MENTION]." + " What is in small letters between these is sent." * (
        text in OF_OTHERS
    )
    assert raised.value.remedy == remedy


@pytest.mark.parametrize("text", ["{NAME}", "{{BLANK}}", "<GENDER>", "[[NAME]]", "[NAME}"])
def test_those_that_every_study_has_are_known(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=rf"line 6: {re.escape(text)} is not written as"):
        Desk(tmp_path).check(templates=_with(text))


@pytest.mark.parametrize(
    "text",
    [
        "f{mention} = f(x)",
        "<TOWN> and <b> for $TOWN",
        "50 %mention 20 %",
        "__mention__ and {A}",
        '{""MENTION"": 1}',
        "[[MENTION], [NAME]]",
        "{[MENTION]} <[NAME]> ([MENTION])",
        "a [mention](page)",
        "[BLANK] (mention)",
        "[see below] [a, b] [1-2] MENTION",
    ],
)
def test_what_may_be_meant_is_sent_without_a_word(tmp_path: Path, text: str) -> None:
    checked = Desk(tmp_path).check(
        templates=_with(f"{text} [MENTION]"), names=MENTIONED, gender="man"
    )
    assert checked.remarks == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((text, "[MENTION]") for text in ("{mention}", "{{mention}}", "{{ mention }}")),
        *((text, "[MENTION]") for text in ("<mention>", "<<mention>>", "%mention%", "%MENTION%")),
        *((text, "[MENTION]") for text in ("${mention}", "$MENTION", "%(mention)s")),
        *((text, "[MENTION]") for text in ("\u00abMention\u00bb", "__MENTION__", "{row.mention}")),
        *((text, "[NAME]") for text in ("{name}", "{{name}}", "<name>", "%NAME%", "$NAME")),
        *((text, "[TOWN]") for text in ("{TOWN}", "{{town}}", "%TOWN%", "${TOWN}")),
    ],
)
def test_places_of_another_tool_are_remarked_on(tmp_path: Path, text: str, meant: str) -> None:
    checked = Desk(tmp_path).check(
        templates=_with(f"{text} [MENTION]"), names=MENTIONED, gender="man"
    )
    [said] = checked.remarks
    assert said == (
        f"{tmp_path}/t.csv: template 'f1' has {text} in it, which is sent as it stands; if another "
        f"tool was to fill it, write {meant} here"
    )


@pytest.mark.parametrize("text", ["[HIS/HER]", "[FIRST TOWN]", "[HOME-TOWN]"])
def test_words_in_capitals_that_no_name_has_are_remarked_on(tmp_path: Path, text: str) -> None:
    checked = Desk(tmp_path).check(
        templates=_with(f"{text} [MENTION]"), names=MENTIONED, gender="man"
    )
    [said] = [each for each in checked.remarks if "sent as it stands" in each]
    assert f"has {text} in it" in said


def test_an_abbreviation_in_round_brackets_is_remarked_on(tmp_path: Path) -> None:
    checked = Desk(tmp_path).check(
        templates=_with("a (MENTION) of (TOWN)"), names=MENTIONED, gender="man"
    )
    [said] = [each for each in checked.remarks if "sent as it stands" in each]
    assert said == (
        f"{tmp_path}/t.csv: template 'f1' has (MENTION) in it, which is sent as it stands"
    )


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        *((f"Who is {text}?", text) for text in ("{NAME}", "{{MENTION}}", "<TOPIC>", "[[NAME]]")),
        *((f"Who is {text}?", text) for text in ("%NAME%", "$TOPIC", "__NAME__")),
        *((f"Who is {text}?", None) for text in ("{CITY}", "{name}", "<topic>", "(NAME)", "NAME")),
    ],
)
def test_placeholders_left_in_a_list(tmp_path: Path, prompt: str, found: str | None) -> None:
    path = tmp_path / "list.csv"
    pl.DataFrame({"prompt_id": ["a"], "prompt": [prompt], "topic": ["x"]}).write_csv(path)
    if found is None:
        assert read_list(path)["template"].to_list() == [prompt]
        return
    with pytest.raises(InputError) as raised:
        read_list(path)
    assert f"has the placeholder {found}, and a list has nothing" in raised.value.what
    assert raised.value.where == f"{path}, line 2"
