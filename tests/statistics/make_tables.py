"""Every table of some random studies, under the kernel that the environment asks for.

`python make_tables.py FOLDER NUMBER` writes the tables of the first studies to a
folder and prints which kernels did the arithmetic.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from random_studies import all_tables, random_study
from threadpoolctl import threadpool_info

if TYPE_CHECKING:
    from random_studies import Study


def tables_of(studies: dict[str, Study]) -> dict[str, pl.DataFrame]:
    """The tables of several studies, one below the other."""
    made = {key: all_tables(study) for key, study in studies.items()}
    return {
        name: pl.concat(
            [tables[name].with_columns(pl.lit(key).alias("study")) for key, tables in made.items()]
        )
        for name in next(iter(made.values()))
    }


def main(folder: Path, number: int) -> None:
    """Write the tables of the first random studies."""
    for name, table in tables_of({str(seed): random_study(seed) for seed in range(number)}).items():
        table.write_parquet(folder / f"{name}.parquet")
    kernels = {each["architecture"] for each in threadpool_info() if "architecture" in each}
    sys.stdout.write(json.dumps(sorted(kernels)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
