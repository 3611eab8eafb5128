"""Every table of some studies, under the kernel that the environment asks for.

`python make_tables.py FOLDER STUDY...` writes the tables of studies, each the seed of
a random one or `demo` or `released`, and prints which kernels did the arithmetic. With
`--shuffled` behind the folder, rows come in another order.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
from all_tables import all_tables
from random_studies import study_by_name
from threadpoolctl import threadpool_info


def main(folder: Path, names: list[str], *, shuffled: bool) -> None:
    """Write the tables, those of several studies one below the other."""
    studies = {name: study_by_name(name) for name in names}
    made = {
        name: all_tables(study.shuffled(1) if shuffled else study)
        for name, study in studies.items()
    }
    for table in next(iter(made.values())):
        parts = [tables[table].with_columns(study=pl.lit(name)) for name, tables in made.items()]
        pl.concat(parts).write_parquet(folder / f"{table}.parquet")
    kernels = {each["architecture"] for each in threadpool_info() if "architecture" in each}
    sys.stdout.write(json.dumps(sorted(kernels)))


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        [each for each in sys.argv[2:] if each != "--shuffled"],
        shuffled="--shuffled" in sys.argv,
    )
