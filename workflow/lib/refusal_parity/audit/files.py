"""The files that annotators get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.audit.label_studio import labelling_config, tasks_json
from refusal_parity.audit.sheets import write_sheets
from refusal_parity.files import write_text
from refusal_parity.text import counted
from refusal_parity.vocabulary import SampleSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_sample(sample: pl.DataFrame, folder: Path, *, say: Callable[[str], None]) -> None:
    """Write both sets, each as tasks for Label Studio and as sheets, and the labelling config.

    Args:
        sample: rows of the AuditSample table.
        folder: where to; it is made.
        say: called with a line for each set, and with what to do next.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(folder / "label-studio.xml", labelling_config())
    for kind in SampleSet:
        rows = sample.filter(pl.col("set").cast(pl.String) == kind)
        write_text(folder / f"{kind}.tasks.json", tasks_json(rows))
        write_sheets(rows.select("task", "prompt", "response"), folder / str(kind))
        strata = rows["stratum"].drop_nulls().n_unique()
        of = f" of {strata:,} strata" if strata else ""
        say(f"{kind} set: {counted(len(rows), 'response')}{of} to label in {folder}")
    say(
        f"next: give each annotator a copy of {folder}/{SampleSet.PROBABILITY}.xlsx (or .csv; "
        "Label Studio takes the .tasks.json), have the column label filled in, then name the files "
        "in labelling.human.labels of the config and run the study again"
    )
