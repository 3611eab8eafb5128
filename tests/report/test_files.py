from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.report.files import export_tables
from refusal_parity.tables import (
    TABLES,
    Exclusions,
    Openings,
    Responses,
    empty,
    read_table,
    tables_of,
    write_csv,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs


def test_tables_are_exported_in_both_formats(inputs: ReportInputs, tmp_path: Path) -> None:
    export_tables(inputs, tmp_path)
    there = {path.name for path in tmp_path.iterdir()}
    expected = {key for key, spec in TABLES.items() if spec.schema in inputs.tables}
    assert {"responses", "rates", "findings"} <= expected <= set(tables_of(inputs.config))
    assert there == {f"{key}.{suffix}" for key in expected for suffix in ("csv", "parquet")}
    for key in expected:
        rows = read_table(TABLES[key].schema, tmp_path / f"{key}.parquet")
        assert rows.rows() == inputs[TABLES[key].schema].rows()
        with (tmp_path / f"{key}.csv").open(encoding="utf-8-sig", newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == len(rows) + 1


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("  \n=1", "  \n'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a|=1", "a|'=1"),
        ("Sure! 1 = 1", "Sure! 1 = 1"),
        ('a "quote", a comma\nand a line', 'a "quote", a comma\nand a line'),
    ],
)
def test_no_text_is_a_formula_in_a_spreadsheet(text: str, written: str, tmp_path: Path) -> None:
    row = {
        "model": "m",
        "prompt_id": "p",
        "sample": 0,
        "status": "ok",
        "truncated": False,
        "response": text,
    }
    frame = pl.concat([empty(Responses), pl.DataFrame([row])], how="diagonal_relaxed")
    write_csv(frame, Responses, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["response"] == written


def test_lists_stand_with_spaces(tmp_path: Path) -> None:
    row = {
        "model": "m", "fold": 0, "opening": "1-7", "token_ids": [1, 7], "text": "=I", "depth": 2,
        "responses": 4, "refusals": 3, "share": 0.75,
    }  # fmt: skip
    write_csv(pl.DataFrame([row]), Openings, tmp_path / "o.csv")
    assert pl.read_csv(tmp_path / "o.csv").row(0, named=True) == row | {
        "token_ids": "1 7", "text": "'=I",
    }  # fmt: skip


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    row = {"model": "-m", "dimension": "all", "group": "all", "reason": "r", "n": 3, "share": 1e-9}
    write_csv(pl.DataFrame([row]), Exclusions, tmp_path / "e.csv")
    assert pl.read_csv(tmp_path / "e.csv").row(0, named=True) == row | {"model": "'-m"}
