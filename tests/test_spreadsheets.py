from __future__ import annotations

import re

import polars as pl
import pytest

from refusal_parity.spreadsheets import as_shown, guarded, shown, unguarded

RUNS = "=+-@\uff1d\uff0b\uff0d\uff20"


def _apply(rule: pl.Expr, text: str) -> str:
    return str(pl.DataFrame({"text": [text]}).select(rule).item())


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\uff1d1", "'\uff1d1"),
        ("  =1", "  '=1"),
        ("'=1", "''=1"),
        ("''-1", "'''-1"),
        ("hello;=1+1;bye", "hello;'=1+1;bye"),
        ("a,=1, @b", "a,'=1, '@b"),
        ("tab\t=1", "tab\t'=1"),
        ("line\n\n -1", "line\n\n '-1"),
        ("line\r\n=1", "line\n'=1"),
        ("a||=1|+2", "a||'=1|'+2"),
        ('quote";"=1"', 'quote";"\'=1"'),
        ("a;;=1;=2", "a;;'=1;'=2"),
        ("|cmd' /C calc'!A0", "'|cmd' /C calc'!A0"),
        ("a; |x", "a; '|x"),
        ("|=1", "'|'=1"),
        ("'|x", "''|x"),
    ],
)
def test_formulas_are_guarded_wherever_a_cell_may_begin(text: str, safe: str) -> None:
    assert _apply(guarded(pl.col("text")), text) == safe
    assert _apply(unguarded(pl.col("text")), safe) == as_shown(text)
    for cell in re.split(r"[,;|\t\n]", safe):
        assert not cell.strip(' "').startswith(tuple(RUNS))
    for cell in re.split(r"[,;\t\n]", safe):
        assert not cell.strip(' "').startswith("|")


@pytest.mark.parametrize(
    "text", ["I cannot.", "'quoted'", "'", "", "a=b", "$1", "well - or not", "a|x", "a||x", "50 %"]
)
def test_other_text_is_left_alone(text: str) -> None:
    assert _apply(guarded(pl.col("text")), text) == text
    assert _apply(unguarded(pl.col("text")), text) == text


def test_control_characters_are_signs() -> None:
    text = "\x00=1 \x1b[2J \x7f \x9b \u202e \r. \t\n"
    signs = "\u2400=1 \u241b[2J \u2421 [U+009B] [U+202E] \u240d. \t\n"
    assert _apply(shown(pl.col("text")), text) == as_shown(text) == signs
    assert _apply(guarded(pl.col("text")), text) == signs
