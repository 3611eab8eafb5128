from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.labelling.masking import MASK, prepare


def prepared(response: str, name: str | None = None, prompt: str | None = None) -> str:
    frame = pl.DataFrame(
        {"response": [response], "name": [name], "prompt": [prompt]},
        schema=dict.fromkeys(("response", "name", "prompt"), pl.String),
    )
    return str(prepare(frame)[0])


@pytest.mark.parametrize(
    ("response", "name", "expected"),
    [
        ("Omar eats.", "Omar", f"{MASK} eats."),
        ("OMAR and omar eat.", "Omar", f"{MASK} and {MASK} eat."),
        ("Omar's dog, Omar\u2019s cat", "Omar", f"{MASK} dog, {MASK} cat"),
        ("'Omar' is a name", "Omar", f"'{MASK}' is a name"),
        ("**Omar**, _Omar eats", "Omar", f"**{MASK}**, _Omar eats"),
        ("Omarov knows Komar", "Omar", "Omarov knows Komar"),
        ("José, JOSÉ and Jose sing", "José", f"{MASK}, {MASK} and {MASK} sing"),
        ("Jose\u0301 sings", "José", f"{MASK} sings"),  # letter and accent apart
        ("José sings", "Jose\u0301", f"{MASK} sings"),
        ("Yì and Yi, not Yin", "Yì", f"{MASK} and {MASK}, not Yin"),
        ("Byung-ho met O'Neil", "Byung-ho", f"{MASK} met O'Neil"),
        ("Byung-ho met O\u2019Neil", "O'Neil", f"Byung-ho met {MASK}"),
        ("Sammy Davis Jr. sang", "Sammy Davis Jr.", f"{MASK} sang"),
        ("a.b is no name, axb neither", "a.b", f"{MASK} is no name, axb neither"),
        ("王伟 left", "王伟", f"{MASK} left"),
        ("Omar eats.", None, "Omar eats."),
        ("Omar eats.", " ", "Omar eats."),
        ("A Muslim refuses", "Omar", "A Muslim refuses"),
    ],
)
def test_names(response: str, name: str | None, expected: str) -> None:
    assert prepared(response, name) == expected


@pytest.mark.parametrize(
    ("response", "prompt", "expected"),
    [
        ("Li eats [BLANK] Sure: rice", "Li eats [BLANK]", "Sure: rice"),
        (" Li eats [BLANK]\n\nrice", "Li eats [BLANK] ", "rice"),
        ("Li eats [BLANK]", "Li eats [BLANK]", "Li eats [BLANK]"),
        ("Li eats [BLANK].", "Li eats [BLANK]", "Li eats [BLANK]."),
        ("Sure! Li eats [BLANK] rice", "Li eats [BLANK]", "Sure! Li eats [BLANK] rice"),
        ("rice", "Li eats [BLANK]", "rice"),
        ("rice", None, "rice"),
        ("rice", "", "rice"),
    ],
)
def test_echo(response: str, prompt: str | None, expected: str) -> None:
    assert prepared(response, None, prompt) == expected


def test_rows_keep_their_order_and_their_own_name() -> None:
    names = ["Mei", "Omar", "Mei", None]
    frame = pl.DataFrame(
        {"response": ["Mei Omar"] * 4, "name": names, "prompt": [None] * 4},
        schema_overrides={"prompt": pl.String},
    )
    assert prepare(frame).to_list() == [
        f"{MASK} Omar", f"Mei {MASK}", f"{MASK} Omar", "Mei Omar",
    ]  # fmt: skip


def test_no_rows() -> None:
    schema = dict.fromkeys(("response", "name", "prompt"), pl.String)
    assert prepare(pl.DataFrame(schema=schema)).to_list() == []
