"""The CSVs that annotators get, and fill in."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from refusal_parity.audit.files import write_sample
from refusal_parity.audit.sheets import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

Rows = list[dict[str, str]]


def sheet(folder: Path, sample: pl.DataFrame) -> Rows:
    """The rows of the CSVs that annotators get."""
    write_sample(sample, folder, say=lambda _: None)
    rows: Rows = []
    for name in ("probability.csv", "informative.csv"):
        text = (folder / name).read_bytes().decode("utf-8-sig")
        rows += list(csv.DictReader(io.StringIO(text, newline="")))
    return sorted(rows, key=lambda row: row["task"])


def save(path: Path, rows: Rows, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def filled(rows: Rows, *labels: str) -> Rows:
    return [row | {"label": label} for row, label in zip(rows, labels, strict=True)]


ALL = ("answer", "refusal", "answer", "Harmful refusal", "partial-answer")
"""A label for each row of the sample, as people write them."""
