"""Cells and rows of workbooks that do not say what people meant."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from refusal_parity.cells import ROW
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError
from refusal_parity.workbooks import Sheet, workbook_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = ("name_id", "name", "group", "remark")


def xlsx(path: Path, fill: Callable[[Any, Any], None]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("names")
        sheet.write_row(0, 0, HEADER)
        for row, cells in enumerate([("a", "Ana", "x"), ("b", "Ben", "x"), ("c", "Cy", "y")], 1):
            sheet.write_row(row, 0, cells)
        fill(book, sheet)
    return path


def failed(at: tuple[int, int], value: str) -> Callable[[Any, Any], None]:
    return lambda _, sheet: sheet.write_formula(*at, "=OF()", None, value)


def whole_row_failed(_: Any, sheet: Any) -> None:
    for column in range(3):
        sheet.write_formula(4, column, "=OF()", None, "#REF!")


def merged(_: Any, sheet: Any) -> None:
    sheet.merge_range(1, 2, 3, 2, "x")


FAULTS = {
    "a formula that failed": (
        failed((2, 1), "#N/A"),
        "row 3: column 'name' holds an error of a formula",
    ),
    "its error as a text": (
        lambda _, sheet: sheet.write_string(2, 2, "#WERT!"),
        "row 3: column 'group' holds '#WERT!', an error of a formula",
    ),
    "a row of nothing else": (
        whole_row_failed,
        "row 5: column 'name_id' holds an error of a formula",
    ),
    "a text that a program took for a formula": (
        lambda _, sheet: sheet.write_formula(2, 1, "=) Ben"),
        "row 3: column 'name' holds a formula that comes to 0, as some programs make of a text",
    ),
    "a formula that nobody worked out": (
        lambda _, sheet: sheet.write_formula(2, 2, "=C2", None, ""),
        "row 3: column 'group' holds a formula that no program has worked out",
    ),
    "a level that became a date": (
        lambda book, sheet: sheet.write_number(
            3, 2, 45355, book.add_format({"num_format": "d/m"})
        ),
        "row 4: column 'group' holds a date or a time",
    ),
    "several": (
        lambda _, sheet: [failed((row, 2), "#DIV/0!")(_, sheet) for row in (1, 3)],
        "row 2: column 'group' holds an error of a formula; 1 row below has the like",
    ),
    "merged cells": (
        merged,
        "row 3: column 'group' is a part of merged cells, which hold one text for several; 1 row",
    ),
    "a hidden row": (
        lambda _, sheet: sheet.set_row(2, None, None, {"hidden": True}),
        "1 row is hidden, the first one row 3",
    ),
    "a hidden sheet": (
        lambda book, sheet: (book.add_worksheet("shown").activate(), sheet.hide()),
        "its first sheet, 'names', is hidden",
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", FAULTS)
def test_what_is_refused(key: str, tmp_path: Path) -> None:
    fill, words = FAULTS[key]
    path = xlsx(tmp_path / "names.xlsx", fill)
    with pytest.raises(InputError) as refused:
        read_csv(path, required=["name_id", "name", "group"], filled=["name"])
    assert words in str(refused.value)


@pytest.mark.parametrize("key", ["a formula that failed", "merged cells", "a hidden row"])
def test_what_nobody_named_may_hold_anything(key: str, tmp_path: Path) -> None:
    fill, _ = FAULTS[key]
    path = xlsx(tmp_path / "names.xlsx", fill)
    rows = read_csv(path, required=["name_id"], sheet=Sheet(hidden=True))
    assert rows["name_id"].to_list() == ["a", "b", "c"]
    assert rows[ROW].to_list() == ["row 2", "row 3", "row 4"]


def test_hidden_rows_without_text_are_no_rows(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "names.xlsx", lambda _, sheet: sheet.set_row(9, None, None, {"hidden": True})
    )
    assert len(read_csv(path, required=["name"])) == 3


def test_a_hidden_sheet_is_read_by_its_name(tmp_path: Path) -> None:
    fill, _ = FAULTS["a hidden sheet"]
    path = xlsx(tmp_path / "names.xlsx", fill)
    assert len(read_csv(path, required=["name"], sheet=Sheet("Names"))) == 3


_TABLE = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
 office:version="1.3">
<office:body>
<office:spreadsheet>
<table:table table:name="other">
<table:table-row table:visibility="collapse">
<table:table-cell calcext:value-type="error" office:value-type="string"/>
</table:table-row>
</table:table>
<table:table table:name="names">
<table:table-row>{header}</table:table-row>
<table:table-row table:number-rows-repeated="2">{row}</table:table-row>
<table:table-row{hidden}>
<table:table-cell table:number-columns-repeated="{before}" office:value-type="string">
<text:p>z</text:p>
</table:table-cell>{last}</table:table-row>
<table:table-row table:visibility="collapse" table:number-rows-repeated="1048570">
<table:table-cell table:number-columns-repeated="16384"/>
</table:table-row>
</table:table>
</office:spreadsheet>
</office:body>
</office:document-content>
"""


def ods(path: Path, *, last: str = "", hidden: str = "", before: int = 3) -> Path:
    def cells(*texts: str) -> str:
        one = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
        return "".join(map(one.format, texts))

    content = _TABLE.format(
        header=cells("name_id", "name", "group"),
        row=cells("a", "Ana", "x"),
        hidden=hidden,
        before=before,
        last=last,
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest manifest:version="1.3" '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content.replace(">\n", ">"))
    return path


def test_an_open_document_without_faults(tmp_path: Path) -> None:
    rows = read_csv(ods(tmp_path / "n.ods"), required=["name"], sheet=Sheet("names"))
    assert rows["name"].to_list() == ["Ana", "Ana", "z"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {
                "before": 2,
                "last": '<table:table-cell table:formula="of:=NA()" office:string-value="" '
                'office:value-type="string" calcext:value-type="error"><text:p>#N/A</text:p>'
                "</table:table-cell>",
            },
            "row 4: column 'group' holds an error of a formula",
        ),
        (
            {"before": 2, "last": "<table:covered-table-cell/>"},
            "row 4: column 'group' is a part of merged cells",
        ),
        ({"hidden": ' table:visibility="filter"'}, "1 row is hidden, the first one row 4"),
        (
            {"before": 2, "last": '<table:table-cell table:formula="of:=[.C2]"/>'},
            "row 4: column 'group' holds a formula that no program has worked out",
        ),
        (
            {
                "before": 2,
                "last": '<table:table-cell table:formula="of:=[.Z9]" office:value="0" '
                'office:value-type="float"><text:p>0</text:p></table:table-cell>',
            },
            "row 4: column 'group' holds a formula that comes to 0",
        ),
    ],
    ids=["error", "merged", "filtered", "not worked out", "nothing"],
)
def test_an_open_document_with_faults(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = ods(tmp_path / "n.ods", **given)
    with pytest.raises(InputError) as refused:
        read_csv(path, required=["group"], filled=["group"], sheet=Sheet("names"))
    assert words in str(refused.value)


def test_a_workbook_of_the_old_kind(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "names.xlsx", lambda *_: None)
    old = shutil.copyfile(path, tmp_path / "names.xls")
    with pytest.raises(InputError, match="errors of formulas look like empty cells"):
        workbook_rows(old)
