"""The cells of a CSV or a workbook as they stand there, with the lines on which rows begin."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.spelling import is_blank
from refusal_parity.textfiles import read_text
from refusal_parity.workbook_marks import ERROR
from refusal_parity.workbooks import FIRST, OF_LEVELS, OF_OTHERS, Sheet, is_workbook, workbook_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# A response may be longer than the 131,072 characters that a cell has at most by default.
csv.field_size_limit(2**31 - 1)

ROW: Final = " row"
"""Column that says where a row stands: `line 7`, on which it begins, or `row 7` where there are no
lines; the name of no column begins with a blank."""

_SPREADSHEET: Final = "Save it as CSV, comma-separated, UTF-8, with a header row."
_OBJECTS: Final = frozenset({".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather"})
_MARKS: Final = "\t;,|"
_MOST_COLUMNS: Final = 2_000
_HEADER: Final = 100_000
"""Characters that no header exceeds."""


_ELSEWHERE: Final = " A response that says this itself can be read from JSON lines."
_ERRORS: Final = re.compile(
    r"#(?:N/[ABD]|NV|I/T|YOK|\u041d/\u0414|HIÁNYZIK|GETTING_DATA|[¡¿]?(?:(?![a-z1-9_])[\w/])+[!?])"
    r"|Err:\d{3}"
)
"""What spreadsheets write for formulas that failed: capitals of any language with a mark behind
them (`#NAME?`, `#DIV/0!`; `#ERROR!` where Google reads a text as a formula), and what they say of
values that are not there."""

NO_VALUE: Final = frozenset({"nan", "NaN", "<NA>", "NaT", "\\N"})
"""What programs write where a value is missing, and nobody else."""

NOTHING: Final = NO_VALUE | {"NA", "None", "NULL", "null", "undefined"}
"""The same, and words that may mean something: `None` of a religion, `Null` of a family."""


@dataclass
class Table:
    """What stands in a file.

    Attributes:
        path: the file.
        header: names of columns.
        header_line: where they stand.
        rows: cells of each row below, as many as the header has.
        lines: where each row begins.
        faults: of a row's line and a column, why the cell is not what people meant.
    """

    path: Path
    header: list[str] = field(default_factory=list)
    header_line: int = 1
    rows: list[list[str | None]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: dict[tuple[int, str], str] = field(default_factory=dict)

    def place(self, line: int) -> str:
        """What an error calls a row that begins there."""
        return f"{word_of(self.path)} {line}"

    def frame(
        self,
        needed: Iterable[str],
        *,
        texts: Collection[str] = (),
        levels: Collection[str] = (),
        nothing: Mapping[str, frozenset[str]] | None = None,
    ) -> pl.DataFrame:
        """All rows, with the place of each in `ROW`.

        Args:
            needed: columns in which every cell must be what people meant; in others, an error
                of a formula is an empty cell.
            texts: those of them that hold texts, which a date or a time is none, nor a formula
                that comes to 0.
            levels: those that hold texts or numbers, which a date or a time is none of.
            nothing: of some columns, words for nothing that no cell may hold.

        Raises:
            InputError: there is no row, or a cell of a needed column is not what people meant.
        """
        if not self.rows:
            raise InputError("no rows", where=str(self.path), remedy="Add at least one row.")
        word = word_of(self.path)
        frame = pl.DataFrame(
            self.rows, schema=dict.fromkeys(self.header, pl.String), orient="row"
        ).with_columns(pl.Series(ROW, [f"{word} {line}" for line in self.lines]))
        for column in needed:
            if column in self.header:
                cells = frame.select(text=column, line=pl.Series(self.lines))
                words = (nothing or {}).get(column, frozenset())
                meant = OF_LEVELS if column in levels else OF_OTHERS
                meant = frozenset() if column in texts else meant
                # Names, templates and the like are read from such a table alone.
                elsewhere = "" if levels else _ELSEWHERE
                self._refuse_faults(cells, column, meant, words, elsewhere)
        return frame

    def _refuse_faults(
        self,
        cells: pl.DataFrame,
        column: str,
        meant: frozenset[str],
        nothing: frozenset[str],
        elsewhere: str,
    ) -> None:
        faults = {
            line: what
            for (line, name), what in self.faults.items()
            if name == column and what not in meant
        }
        for text, line in cells.filter(pl.col("text").is_not_null()).rows():
            if _ERRORS.fullmatch(text):
                faults[line] = f"holds {text!r}, an error of a formula"
            elif text in nothing:
                faults[line] = f"holds {text!r}, which programs write where nothing stands"
        if faults:
            line = min(faults)
            more = len(faults) - 1
            raise InputError(
                f"column {column!r} {faults[line]}"
                + f"; {counted(more, 'row')} below {agreed(more, 'has', 'have')} the like"
                * bool(more),
                where=f"{self.path}, {self.place(line)}",
                remedy="Write into the cell what it should say, or leave it empty where nothing "
                f"belongs there.{elsewhere}",
            )


def open_table(path: Path, sheet: Sheet = FIRST) -> Table:
    """The cells of a CSV or a workbook.

    Raises:
        InputError: naming file and line.
    """
    if path.suffix.lower() in _OBJECTS:
        raise InputError(
            f"a {path.suffix} file, where a table of cells is read",
            where=str(path),
            remedy="Save it as CSV, or as a workbook.",
        )
    table = Table(path)
    rows, faults = _cells(path, sheet)
    # A row with nothing else on it is one.
    failed = {row + 1 for (row, _), what in faults.items() if what == ERROR}
    kept: list[int] = []
    for begins, row in rows:
        cells = [cell(each) for each in row]
        if not kept and any(cells):
            kept = _columns(cells, f"{path}, {table.place(begins)}")
            table.header = [str(cells[at]) for at in kept]
            table.header_line, width = begins, len(cells)
            # A comma that nobody quoted moves text there; notes in a workbook stay in place.
            named = width if is_workbook(path) else kept[-1] + 1
        elif any(cells) or begins in failed:
            if len(row) <= kept[-1] or any(cells[named:]):
                last = max(at for at, text in enumerate(cells, 1) if text)
                above = table.place(table.header_line)
                header = f"if {above} is a note above the header, remove it"
                raise InputError(
                    f"text in cell {last} where the header's last name is in cell {named}"
                    if named < last <= width
                    else f"{counted(len(row), 'cell')} where the header has {width}",
                    where=f"{path}, {table.place(begins)}",
                    remedy='Put cells that hold a comma in "double quotes", and give each column '
                    "with text a name; if the file is cut "
                    f"off here, get it anew{f'; {header}' if len(kept) == 1 else ''}.",
                )
            table.rows.append([cells[at] for at in kept])
            table.lines.append(begins)
    if not kept:
        raise InputError("the file is empty", where=str(path), remedy=_SPREADSHEET)
    names, lines = dict(zip(kept, table.header, strict=True)), set(table.lines)
    table.faults = {
        (row + 1, names[column]): what
        for (row, column), what in faults.items()
        if column in names and row + 1 in lines
    }
    return table


def word_of(path: str | Path) -> str:
    """What the numbers of a file's rows are: lines of a text, else rows of its table or list."""
    return "row" if is_workbook(Path(path)) or Path(path).suffix.lower() in _OBJECTS else "line"


def cell(text: str) -> str | None:
    """A cell without surrounding blanks, null if it holds nothing that can be seen."""
    return None if is_blank(text) else text.strip()


def read_header(path: Path, sheet: Sheet = FIRST) -> list[str]:
    """The names of a file's columns, without a look at its rows.

    Raises:
        InputError: it is not there, or no text.
    """
    if is_workbook(path):
        rows: Iterable[list[str]] = workbook_rows(path, sheet).rows
    else:
        text, mark, _ = _begun(read_text(path, remedy=_SPREADSHEET))
        rows = csv.reader(io.StringIO(text[:_HEADER], newline=""), delimiter=mark)
    return next(([each.strip() for each in row] for row in rows if any(map(str.strip, row))), [])


def _cells(
    path: Path, sheet: Sheet
) -> tuple[Iterable[tuple[int, list[str]]], dict[tuple[int, int], str]]:
    """Rows with the lines on which they begin, and what is wrong with cells."""
    if not is_workbook(path):
        return _csv_rows(path), {}
    found = workbook_rows(path, sheet)
    hidden = len(found.hidden)
    if hidden and not sheet.hidden:
        raise InputError(
            f"{counted(hidden, 'row')} {agreed(hidden, 'is', 'are')} hidden, the first one row "
            f"{found.hidden[0] + 1}",
            where=str(path),
            remedy="Show all rows if they count like the others, or delete those that do not.",
        )
    return enumerate(found.rows, 1), found.faults


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV with the lines on which they begin.

    The standard library's reader, because it alone says on which line a row
    with a cell too many or too few stands.
    """
    text, mark, skipped = _begun(read_text(path, remedy=_SPREADSHEET))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    begins = skipped + 1
    try:
        for row in reader:
            yield begins, row
            begins = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise InputError(
            f"broken CSV ({error})", where=f"{path}, line {begins}", remedy=_SPREADSHEET
        ) from error


def _begun(text: str) -> tuple[str, str, int]:
    """A file from its header on, what parts its cells, and how many lines came before.

    Excel writes that mark on a line of its own, `sep=;`. Elsewhere the header tells:
    spreadsheets of many countries write semicolons.
    """
    said = re.match(r'"?sep=(.)"?\r?\n', text, re.IGNORECASE)
    if said:
        return text[said.end() :], said[1], 1
    unquoted = re.sub('"[^"]*"', "", text[:_HEADER].lstrip())
    header = re.split("[\r\n]", unquoted, maxsplit=1)[0]
    # Of two that are as frequent, names of columns hold the comma sooner.
    mark = max(_MARKS, key=header.count)
    return text, mark if mark in header else ",", 0


def _columns(header: list[str | None], where: str) -> list[int]:
    """Which columns have a name, each its own."""
    kept = [at for at, name in enumerate(header) if name]
    if len(kept) > _MOST_COLUMNS:
        raise InputError(
            f"{len(kept):,} columns, more than any table of people",
            where=where,
            remedy="Leave out those that nothing needs.",
        )
    for at in kept:
        first = header.index(header[at])
        if first < at:
            raise InputError(
                f"column {header[at]!r} stands there twice (cells {first + 1} and {at + 1})",
                where=where,
                remedy="Rename or remove one of the two.",
            )
    return kept
