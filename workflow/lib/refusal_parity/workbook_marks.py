"""What a sheet holds beside its texts: formulas, their errors, merged cells and hidden rows.

The reader of workbooks gives an empty text for a formula that failed, as for a cell in which
nothing stands, and does not say which rows a filter hides. The workbook's own XML does.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from itertools import product
from typing import IO, TYPE_CHECKING, Final
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ERROR: Final = "holds an error of a formula"
COVERED: Final = "is a part of merged cells, which hold one text for several"

_TRUE: Final = frozenset({"1", "true"})
_HIDDEN: Final = frozenset({"collapse", "filter"})
_REFERENCE: Final = re.compile(r"\$?([A-Z]+)\$?(\d+)")


@dataclass(slots=True)
class Marks:
    """Cells and rows of a sheet, counted from 0.

    Attributes:
        height: rows that hold anything; nothing is noted beyond them.
        width: the same of columns.
        faults: of a cell (row, column), why its text is not what people meant.
        formulas: cells of formulas, but for those that came to a text.
        hidden: rows that are not shown.
    """

    height: int
    width: int
    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: set[tuple[int, int]] = field(default_factory=set)
    hidden: list[int] = field(default_factory=list)

    def fault(self, rows: range, columns: range, what: str) -> None:
        """Note the same of all cells of a block."""
        self.faults.update(dict.fromkeys(self._block(rows, columns), what))

    def formula(self, rows: range, columns: range) -> None:
        """Note that cells hold formulas that are not known to come to a text."""
        self.formulas.update(self._block(rows, columns))

    def _block(self, rows: range, columns: range) -> Iterator[tuple[int, int]]:
        shown = range(rows.start, min(rows.stop, self.height))
        across = range(columns.start, min(columns.stop, self.width))
        return product(shown, across)

    def hide(self, rows: range) -> None:
        """Note that rows are not shown."""
        self.hidden += range(rows.start, min(rows.stop, self.height))


def mark(path: Path, sheet: str, marks: Marks) -> None:
    """Note what a sheet holds beside its texts.

    Args:
        path: a workbook of Office Open XML (.xlsx) or OpenDocument (.ods).
        sheet: its name.
        marks: of that sheet, nothing noted yet.

    Raises:
        KeyError: a part of the workbook is missing.
        expat.ExpatError: a part is no XML.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
        if path.suffix.lower() == ".ods":
            name, reader = "content.xml", _OpenDocument(sheet, marks).start
        else:
            name, reader = _part(archive, parts, sheet), _OfficeOpen(marks).start
        with archive.open(parts[name]) as part:
            _parse(part, reader)


def _parse(part: IO[bytes], start: Callable[[str, dict[str, str]], None]) -> None:
    """Hand each element's name and attributes on, without their namespaces' addresses."""

    def named(tag: str, attributes: dict[str, str]) -> None:
        start(_local(tag), attributes)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = named
    parser.ParseFile(part)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _part(archive: zipfile.ZipFile, parts: dict[str, str], sheet: str) -> str:
    """Which part of the archive a sheet is, as `parts` spells it."""
    keys: dict[str, str] = {}
    targets: dict[str, str] = {}

    def of_book(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            key = (value for name, value in attributes.items() if name.endswith(" id"))
            keys[attributes["name"]] = next(key)

    def of_relations(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    for name, reader in (
        ("xl/workbook.xml", of_book),
        ("xl/_rels/workbook.xml.rels", of_relations),
    ):
        with archive.open(parts[name]) as part:
            _parse(part, reader)
    return posixpath.normpath(posixpath.join("/xl", targets[keys[sheet]])).lstrip("/").lower()


class _OfficeOpen:
    """Reads a sheet of Office Open XML."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._row = self._column = -1
        self._kind: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
            if attributes.get("hidden") in _TRUE:
                self._marks.hide(_one(self._row))
        elif tag == "c":
            # Neither rows nor cells need say where they are.
            where = attributes.get("r")
            self._column = _cell(where)[1] if where else self._column + 1
            self._kind = attributes.get("t")
            if self._kind == "e":
                self._marks.fault(_one(self._row), _one(self._column), ERROR)
        elif tag == "f" and self._kind not in {"e", "str"}:
            self._marks.formula(_one(self._row), _one(self._column))
        elif tag == "mergeCell":
            first, _, last = attributes["ref"].partition(":")
            (top, left), (bottom, right) = _cell(first), _cell(last or first)
            self._marks.fault(_one(top), range(left + 1, right + 1), COVERED)
            self._marks.fault(range(top + 1, bottom + 1), range(left, right + 1), COVERED)


class _OpenDocument:
    """Reads one sheet of an OpenDocument file."""

    def __init__(self, sheet: str, marks: Marks) -> None:
        self._marks, self._sheet = marks, sheet
        self._inside = False
        self._rows = self._columns = range(0)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table":
            self._inside = _value(attributes, "name") == [self._sheet]
            self._rows = range(0)
        elif not self._inside:
            return
        elif tag == "table-row":
            self._rows = _next(self._rows, attributes, "number-rows-repeated")
            self._columns = range(0)
            if _HIDDEN.intersection(_value(attributes, "visibility")):
                self._marks.hide(self._rows)
        elif tag in {"table-cell", "covered-table-cell"}:
            self._columns = _next(self._columns, attributes, "number-columns-repeated")
            if "error" in _value(attributes, "value-type"):
                self._marks.fault(self._rows, self._columns, ERROR)
            elif tag == "covered-table-cell":
                self._marks.fault(self._rows, self._columns, COVERED)
            elif _value(attributes, "formula") and "string" not in _value(attributes, "value-type"):
                self._marks.formula(self._rows, self._columns)


def _one(at: int) -> range:
    return range(at, at + 1)


def _next(before: range, attributes: dict[str, str], repeated: str) -> range:
    """The rows or columns that an element stands for."""
    (times,) = _value(attributes, repeated) or ["1"]
    return range(before.stop, before.stop + int(times))


def _value(attributes: dict[str, str], name: str) -> list[str]:
    """Values of an attribute in any namespace."""
    return [value for key, value in attributes.items() if _local(key) == name]


def _cell(reference: str) -> tuple[int, int]:
    """Row and column of `B7`, from 0."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"no cell {reference!r}")
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1
