"""Responses and labels that stay in their files until a part of the report asks for some."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import written

from refusal_parity import report
from refusal_parity.errors import InputError
from refusal_parity.report import payload
from refusal_parity.report.files import export_tables
from refusal_parity.report.page import render_page
from refusal_parity.report.payload import response_payload
from refusal_parity.report.writing import read_inputs
from refusal_parity.tables import Labels, Prompts, Rates, Responses, Scanned, read_table

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs


def test_the_report_is_the_same_whether_responses_are_held_or_not(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    read = read_inputs(inputs.config, written(inputs, tmp_path))
    scanned = inputs.with_tables({each: read.tables[each] for each in (Responses, Labels)})
    assert all(isinstance(scanned.tables[each], Scanned) for each in (Responses, Labels))
    assert response_payload(scanned) == response_payload(inputs)
    assert render_page(scanned, drawings=[]) == render_page(inputs, drawings=[])
    export_tables(scanned, tmp_path / "scanned")
    export_tables(inputs, tmp_path / "held")
    for held in (tmp_path / "held").iterdir():
        other = tmp_path / "scanned" / held.name
        # Parts of a file begin elsewhere where its rows lay in several.
        if held.suffix == ".csv":
            assert other.read_bytes() == held.read_bytes()
        else:
            assert pl.read_parquet(other).equals(pl.read_parquet(held))


def test_no_part_of_the_report_can_hold_all_responses(inputs: ReportInputs, tmp_path: Path) -> None:
    read = read_inputs(inputs.config, written(inputs, tmp_path))
    with pytest.raises(TypeError, match="Responses is scanned, not held"):
        read[Responses]
    assert len(read[Rates]) == len(inputs[Rates])


def test_no_part_of_the_report_asks_to_hold_them() -> None:
    package = Path(report.__file__).parent
    asked = re.compile(r"inputs\[(Responses|Labels)\]")
    assert not [
        path.name for path in package.rglob("*.py") if asked.search(path.read_text("utf-8"))
    ]


def test_a_text_cut_for_the_page_does_not_keep_the_rest(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    long = inputs[Responses].with_columns(response=pl.lit("x" * 5_000) + pl.col("prompt_id"))
    read = read_inputs(inputs.config, written(inputs.with_tables({Responses: long}), tmp_path))
    model = inputs.models[0]
    prompts = inputs[Prompts].with_row_index("place")
    text = payload._rows(read, model, prompts, 50)["text"]  # noqa: SLF001
    held = text.to_arrow(compat_level=pl.CompatLevel.newest()).buffers()
    assert len(text) == len(long.filter(model=model))
    assert sum(each.size for each in held if each is not None) < 200 * len(text)


def test_tables_of_before_are_scanned_as_they_are_read(
    inputs: ReportInputs, tmp_path: Path
) -> None:
    path = tmp_path / "responses.parquet"
    late = ["response_id", "answered_at", "answered_by", "fingerprint", "truncated", "thinking"]
    inputs[Responses].drop(*late, "refusal_reason").with_columns(
        status=pl.when(pl.col("sample") == 1)
        .then(pl.lit("truncated"))
        .otherwise(pl.col("status").cast(pl.String)),
        sample=pl.col("sample").cast(pl.Int64),
    ).write_parquet(path)
    found = Scanned(Responses, (path,)).lazy().collect()
    assert found.equals(read_table(Responses, path))
    assert found.schema == inputs[Responses].schema


@pytest.mark.parametrize("damage", ["missing", "cut", "another"])
def test_a_file_that_is_no_such_table_is_named_at_once(
    damage: str, inputs: ReportInputs, tmp_path: Path
) -> None:
    files = written(inputs, tmp_path)
    path = files["responses"][1]
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        inputs[Rates].write_parquet(path)
    with pytest.raises(InputError, match=str(path)):
        read_inputs(inputs.config, files)
