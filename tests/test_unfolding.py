"""Small files that unfold to what no memory is enough for."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refusal_parity import unfolding, unfolding_parquet
from refusal_parity.errors import InputError
from refusal_parity.inference.import_own import read_own_responses
from refusal_parity.inference.response_files import read_columns
from refusal_parity.preference.lines import read_lines
from refusal_parity.tables import Responses, empty, write_table

if TYPE_CHECKING:
    from pathlib import Path

LONG: Final = "I would rather not say. " * 4_000
ROWS: Final = 2_000


def _once(texts: list[str], rows: int) -> pa.Array:
    """Rows that take their texts in turn, each of which stands in the file once."""
    places = pa.array([row % len(texts) for row in range(rows)], pa.int32())
    return pa.DictionaryArray.from_arrays(places, pa.array(texts))


def _plain(rows: int) -> pa.Array:
    return pa.array([LONG] * rows)


def _nested(rows: int) -> pa.Array:
    return pa.array([{"said": [LONG, LONG]}] * rows)


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte is much here."""
    monkeypatch.setattr(unfolding, "ALWAYS", 2**20)


@pytest.mark.parametrize(
    ("column", "options", "asked"),
    [
        pytest.param(_once([LONG], 50 * ROWS), {}, "r", id="one text for all rows"),
        pytest.param(_once([LONG, "", "No."], ROWS), {}, "r", id="some texts"),
        pytest.param(_plain(200), {"use_dictionary": False}, "r", id="each text for itself"),
        pytest.param(_nested(200), {}, "r.said.0", id="within objects"),
        pytest.param(pa.array([7] * 300_000, pa.int8()), {}, "r", id="more rows than bytes"),
        pytest.param(pa.nulls(300_000, pa.string()), {}, "r", id="empty cells"),
    ],
)
def test_parquet_that_unfolds_is_refused_before_it_is_read(
    column: pa.Array,
    options: dict[str, bool],
    asked: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "responses.parquet"
    pq.write_table(pa.table({"r": column}), path, compression="zstd", **options)
    monkeypatch.setattr(pl, "read_parquet", None)
    with pytest.raises(InputError, match=r"bytes unfold to [\d,]+ or more.*uncompressed") as raised:
        read_columns(path, {"response": asked})
    assert str(path) in str(raised.value)


def test_parquet_that_people_write_is_read(tmp_path: Path) -> None:
    path = tmp_path / "responses.parquet"
    column = _once(["I cannot help with that.", "Here is a letter.", "No."], 5 * ROWS)
    more = _once([LONG], 5 * ROWS)
    pq.write_table(pa.table({"r": column, "not asked for": more}), path, compression="zstd")
    assert len(read_columns(path, {"response": "r"})) == 5 * ROWS


def test_what_unfolds_is_bytes_of_text_and_of_cells(tmp_path: Path) -> None:
    path = tmp_path / "responses.parquet"
    texts = ["é" * 500, "x" * 3_000]
    pq.write_table(pa.table({"r": _once(texts, 10)}), path)
    assert list(unfolding_parquet._unfolding(path, ["r"], 4, ["r"])) == [8_000, 16_000, 20_000]  # noqa: SLF001


def test_responses_of_another_study_are_looked_at_too(tmp_path: Path) -> None:
    rows = pl.concat(
        [
            empty(Responses),
            pl.DataFrame({"prompt_id": [f"p{at}" for at in range(400)]}).with_columns(
                model=pl.lit("m"), sample=0, status=pl.lit("ok"), truncated=False,
                response=pl.lit(LONG),
            ),
        ],
        how="diagonal_relaxed",
    )  # fmt: skip
    path = tmp_path / "responses.parquet"
    write_table(rows, Responses, path)
    with pytest.raises(InputError, match="bytes unfold to"):
        read_own_responses(path, rows.select("prompt_id"), model="m", called=None)


def test_compressed_lines_end_where_they_are_too_many(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    line = json.dumps({"chosen": LONG, "rejected": LONG})
    path.write_bytes(gzip.compress(f"{line}\n".encode() * 200, mtime=0))
    read = 0
    with pytest.raises(InputError, match=r"pairs.jsonl.gz, line \d+: its [\d,]+ bytes unfold"):
        for read, _ in enumerate(read_lines(path), 1):  # noqa: B007 - how far it came
            pass
    assert 0 < read < 200
    plain = tmp_path / "pairs.jsonl"
    plain.write_text(f"{line}\n" * 20)
    assert len(list(read_lines(plain))) == 20
