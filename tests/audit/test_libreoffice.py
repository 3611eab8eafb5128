"""Sheets and tables through a real spreadsheet program, in two locales."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from libreoffice import MISSING, LibreOffice, formulas, program

from refusal_parity.audit.human_labels import read_votes
from refusal_parity.audit.sheets import write_sheets
from refusal_parity.spreadsheets import guarded
from refusal_parity.tables import AuditSample, conform
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(program() is None, reason=MISSING),
    pytest.mark.xdist_group("libreoffice"),
]

TEXTS = (
    "=1+1",
    "\x00=1+1",
    "hello;=1+1;bye",
    'so";=1+1;"bye',
    "a,=1+1,b",
    "tab\t=1+1",
    "line\n=1+1",
    "line\r\n\r\n-2+3",
    "bar|=1+1",
    "'=1+1",
    '"=1+1"',
    "@SUM(1)",
    "+1",
    "-1",
    "1e23",
    "1,5",
    "2025-01-02",
    "TRUE",
    "\u200b=1+1",
    "\x1b[2J\x9b",
    "\uff1d1+1",
    '=HYPERLINK("http://127.0.0.1/";"x")',
    "plain",
)  # fmt: skip
LABELS = [str(label) for label in Label]


@pytest.fixture
def sample() -> pl.DataFrame:
    """Keys of old, which spreadsheets take for numbers, and new ones."""
    keys = [
        f"{number:02}e{number:013}" if number % 2 else f"row-{number:016}" for number in range(40)
    ]
    rows = [
        {
            "task": key,
            "model": "m",
            "prompt_id": key,
            "sample": 0,
            "set": "informative",
            "predicted": "answer",
            "margin": 0.5,
            "prompt": "=1+1 eats [BLANK]",
            "response": f"{text} {key}" if number >= len(TEXTS) else text,
        }
        for number, (key, text) in enumerate(
            zip(keys, (*TEXTS, *TEXTS), strict=False)
        )
    ]  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(stratum=None, inclusion_probability=None)
    return conform(frame, AuditSample, where="test")


@pytest.fixture(params=["en-US", "de-DE"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> LibreOffice:
    return LibreOffice(tmp_path / f"profile-{request.param}", request.param)


def test_no_label_is_lost_and_no_cell_is_a_formula(
    tmp_path: Path, sample: pl.DataFrame, office: LibreOffice
) -> None:
    labels = {task: LABELS[at % len(LABELS)] for at, task in enumerate(sample["task"])}
    filled = sample.select(
        "task", "prompt", "response", label=pl.Series(labels.values()), comment=pl.lit("=1+1")
    )
    write_sheets(filled, tmp_path / "anna")
    book, sheet = tmp_path / "anna.xlsx", tmp_path / "anna.csv"
    (from_csv,) = office.save_as(sheet, ending="xlsx", separator=",")
    (from_book,) = office.save_as(book, ending="ods")
    (from_csv_to_csv,) = office.save_as(from_csv, ending="csv")
    for returned in (from_csv, from_book, from_csv_to_csv, book, sheet):
        if returned.suffix == ".xlsx":
            assert list(formulas(returned)) == []
        ballot = read_votes([returned], sample)
        assert dict(ballot.votes.select("task", pl.col("label").cast(pl.String)).rows()) == labels
        for problem in ballot.problems["problem"]:
            assert "is a number that a spreadsheet made of it; it was" in problem or (
                # Numbers, dates and truth values are written otherwise.
                problem == "the text was edited"
            )
    assert read_votes([book], sample).problems.is_empty()
    assert read_votes([sheet], sample).problems.is_empty()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_texts_hold_whatever_parts_the_cells(
    tmp_path: Path, sample: pl.DataFrame, separator: str
) -> None:
    table = sample.select(guarded(pl.col(pl.String)))
    table.write_csv(tmp_path / "table.csv", include_bom=True, quote_style="necessary")
    write_sheets(sample.select("task", "prompt", "response"), tmp_path / "sheet")
    files = (tmp_path / "table.csv", tmp_path / "sheet.csv")
    office = LibreOffice(tmp_path / "profile", "de-DE" if separator == ";" else "en-US")
    for saved in office.save_as(*files, ending="xlsx", separator=separator):
        assert list(formulas(saved)) == []
