"""Workbooks read like the CSVs that they are saved as."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from refusal_parity.cells import ROW, read_header
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.workbooks import Sheet, workbook_rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Two sheets, the second with names; a row and a column left free above and beside."""
    path = tmp_path / "study.xlsx"
    with xlsxwriter.Workbook(path) as made:
        first = made.add_worksheet("templates")
        for row, cells in enumerate(
            [("template_id", "family", "template"), ("t1", "bus", "[NAME] waits for [BLANK]")]
        ):
            first.write_row(row, 0, cells)
        names = made.add_worksheet("Names")
        names.write_row(1, 1, ("name_id", "name", "group", "age", "born", "is"))
        names.write_row(3, 1, ("n1", " Zoe\u0301 ", "b", 41, None, True))
        day = made.add_format({"num_format": "d.m.yy"})
        names.write_datetime(3, 5, dt.datetime(2001, 2, 3), day)  # noqa: DTZ001 - as people write
        names.write_row(4, 1, ("n2", "Tom", "a", 1.5))
        names.write_formula(4, 5, "=1+1", None, 2)
    return path


def test_names_and_templates_of_one_workbook(book: Path) -> None:
    assert read_templates(book)["template"].to_list() == ["[NAME] waits for [BLANK]"]
    names = read_names(book)
    assert names.select("name_id", "name", "group").rows() == [
        ("n1", "Zoe\u0301", "b"),
        ("n2", "Tom", "a"),
    ]
    rows = read_csv(book, required=["age"], sheet=Sheet("names"))
    assert rows[ROW].to_list() == ["row 4", "row 5"]
    assert rows["age"].to_list() == ["41", "1.5"]
    assert rows["born"].to_list() == ["2001-02-03", "2"]
    assert rows["is"].to_list() == ["TRUE", None]
    assert read_header(book) == ["template_id", "family", "template"]


def test_errors_name_the_row_of_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "names.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ("name_id", "name", "group"))
        sheet.write_row(1, 0, ("n1", "Ana", "a"))
        sheet.write_row(4, 0, ("n2", "Ben"))
    with pytest.raises(InputError, match=r"names\.xlsx, row 5: column 'group' is empty"):
        read_names(path)


def test_what_is_no_workbook(tmp_path: Path, book: Path) -> None:
    with pytest.raises(InputError, match=r"no sheet 'none' \(found: templates, Names\)"):
        workbook_rows(book, Sheet("none"))
    with pytest.raises(InputError, match="no such file"):
        workbook_rows(tmp_path / "none.xlsx")
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(book.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        workbook_rows(broken)
    with zipfile.ZipFile(broken, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 10**7)
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        workbook_rows(broken)
