"""The files that annotators get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.audit.label_studio import labelling_config, tasks_json
from refusal_parity.audit.sheets import write_sheets
from refusal_parity.counting import agreed, counted
from refusal_parity.files import write_text
from refusal_parity.tables import AuditSample, read_table, write_table
from refusal_parity.vocabulary import SampleSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def samples_handed_out(folder: Path) -> list[pl.DataFrame]:
    """The samples that people were given before, the last one last.

    Args:
        folder: where `hand_out` notes them.
    """
    return [read_table(AuditSample, path) for path in sorted(folder.glob("*.parquet"))]


def hand_out(
    sample: pl.DataFrame, noted: Path, folder: Path, *, say: Callable[[str], None]
) -> None:
    """Write files for what nobody was given before; those that were are never touched.

    The first sample goes into the folder itself, what a later one adds into a folder of its
    own within it.

    Args:
        sample: rows of the AuditSample table.
        noted: folder in which samples that were handed out are noted.
        folder: where the files go.
        say: called with lines on what is to be labelled.

    Raises:
        InputError: a folder cannot be written.
    """
    before = samples_handed_out(noted)
    known = [task for each in before for task in each["task"]]
    added = sample.filter(~pl.col("task").is_in(known))
    if before:
        gone = len(set(known) - set(sample["task"]))
        say(
            f"{counted(len(sample) - len(added), 'response')} of the sample "
            f"{agreed(len(sample) - len(added), 'was', 'were')} handed out before, {len(added):,} "
            f"{agreed(len(added), 'is', 'are')} new; {gone:,} that {agreed(gone, 'was', 'were')} "
            f"handed out {agreed(gone, 'is', 'are')} not in it any more"
        )
        if added.is_empty():
            return
        folder /= f"added-{len(before) + 1}"
    write_sample(added, folder, say=say)
    write_table(sample, AuditSample, noted / f"{len(before) + 1:04}.parquet")


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
