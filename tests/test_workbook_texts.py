"""Cells of spreadsheets that no longer hold the text which somebody wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import xlsxwriter

from desk import Desk
from refusal_parity.audit.sheets import read_sheet
from refusal_parity.cells import ROW
from refusal_parity.errors import InputError
from refusal_parity.inference.response_files import read_columns
from refusal_parity.workbooks import fills_a_cell

if TYPE_CHECKING:
    from pathlib import Path


def test_csvs_of_spreadsheets_hold_errors_as_texts(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("p,r,note\n1,fine,#N/A\n2,#NAME?,\n3,#hashtag!,\n4,Err:508,\n")
    assert read_columns(path, {"columns.prompt": "p"}).height == 4
    with pytest.raises(InputError) as refused:
        read_columns(path, {"columns.response": "r"})
    words = "line 3: column 'r' holds '#NAME?', an error of a formula; 1 row below has the like"
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "word", ["#ERROR!", "#DZIEL/0!", "#ÜBERLAUF!", "#¿NOMBRE?", "#ССЫЛКА!", "#N/B", "#NV"]
)
def test_errors_of_any_language(tmp_path: Path, word: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"p,r\n1,{word}\n2,#Yes!\n3,#1 choice!\n")
    with pytest.raises(InputError, match=r"line 2: column 'r' holds .*, an error of a formula\."):
        read_columns(path, {"columns.response": "r"})


def test_formulas_of_texts_and_numbers_are_what_they_came_to(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("p", "r", "sample"))
        sheet.write_string(1, 0, "=) sent as it stands")
        sheet.write_formula(1, 1, '="Su"&"re."', None, "Sure.")
        sheet.write_formula(1, 2, "=1-1", None, 0)
    wanted = {"columns.prompt": "p", "columns.response": "r", "columns.sample": "sample"}
    assert read_columns(path, wanted).drop(ROW).row(0) == ("=) sent as it stands", "Sure.", "0")


def test_covariates_may_be_formulas_and_levels_no_dates(tmp_path: Path) -> None:
    """An age band of 10-12 that a program took for a day is none, for a study that compares it."""
    (tmp_path / "names").mkdir()
    path = tmp_path / "names" / "names.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("names")
        sheet.write_row(0, 0, ("name_id", "name", "group", "age", "young"))
        day = book.add_format({"num_format": "d/m"})
        for row in range(1, 9):
            sheet.write_row(row, 0, (f"n{row}", f"Name{row}", "ab"[row % 2], "13-17"))
            sheet.write_formula(row, 4, "=IF(1,0,1)", None, row % 2)
        sheet.write_number(3, 3, 45355, day)
    desk = Desk(tmp_path)
    named = {"names": str(path)}
    assert desk.check(prompts=named, group="a", covariates=["young"]).prompts is not None
    with pytest.raises(InputError, match=r"names\.xlsx, row 4: column 'age' holds a date"):
        desk.check(prompts=named, group="a", age="13-17")


def test_a_response_that_a_program_took_for_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        # Texts are written as it is done for most who use the library.
        book.add_worksheet().write_column(0, 0, ("r", "Sure.", "=( I can't help with that."))
    with pytest.raises(InputError, match=r"row 3: column 'r' holds a formula that comes to 0"):
        read_columns(path, {"columns.response": "r"})


def test_a_response_that_became_a_date(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("p", "r", "when"))
        day = book.add_format({"num_format": "d/m"})
        sheet.write_row(1, 0, ("1", "Sure."))
        sheet.write_number(2, 1, 45355, day)
        sheet.write_number(1, 2, 45355, day)
    with pytest.raises(InputError, match=r"row 3: column 'r' holds a date or a time, which spread"):
        read_columns(path, {"columns.response": "r", "columns.sample": "when"})
    whole = read_columns(path, {"columns.sample": "when", "columns.template": "p"})
    assert whole["columns.sample"].to_list() == ["2024-03-04", None]


def test_a_label_that_is_an_error_is_no_empty_label(tmp_path: Path) -> None:
    path = tmp_path / "filled.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("to label")
        sheet.write_row(0, 0, ("task", "response", "label"))
        sheet.write_row(1, 0, ("t1", "Sure.", "answer"))
        sheet.write_row(2, 0, ("t2", "No."))
        sheet.write_formula(2, 2, "=VLOOKUP(B3;A:A;1)", None, "#N/A")
        # People filter a sheet while they label; what is hidden counts.
        sheet.set_row(1, None, None, {"hidden": True})
    with pytest.raises(InputError, match=r"row 3: column 'label' holds an error of a formula"):
        list(read_sheet(path, path.name))


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("x" * 32_767, True),
        ("x" * 32_766, False),
        ("x" * 32_768, False),
        ("x" * 32_765 + "\N{SLIGHTLY SMILING FACE}", True),
        ("\N{SLIGHTLY SMILING FACE}" * 32_767, True),
    ],
    ids=["full", "one less", "one more", "in 16 bits", "in characters"],
)
def test_texts_that_fill_a_cell(text: str, *, full: bool) -> None:
    assert pl.DataFrame({"r": [text]}).select(fills_a_cell("r")).item() == full
