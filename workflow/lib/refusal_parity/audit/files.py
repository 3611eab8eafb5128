"""The files that annotators get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.audit.label_studio import labelling_config, tasks_json
from refusal_parity.audit.sheets import write_sheets
from refusal_parity.counting import agreed, counted
from refusal_parity.files import write_text
from refusal_parity.tables import AuditSample, LeafSample, read_table, write_table
from refusal_parity.vocabulary import SampleSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def samples_handed_out(folder: Path, schema: type[AuditSample] = AuditSample) -> list[pl.DataFrame]:
    """The samples that people were given before, the last one last.

    Args:
        folder: where `hand_out` notes them.
        schema: what they are tables of.
    """
    return [read_table(schema, path) for path in sorted(folder.glob("*.parquet"))]


def hand_out(
    sample: pl.DataFrame,
    noted: Path,
    folder: Path,
    *,
    say: Callable[[str], None],
    schema: type[AuditSample] = AuditSample,
) -> None:
    """Write files for what nobody was given before; those that were are never touched.

    The first sample goes into the folder itself, what a later one adds into a folder of its
    own within it.

    Args:
        sample: rows of the AuditSample table.
        noted: folder in which samples that were handed out are noted.
        folder: where the files go.
        say: called with lines on what is to be labelled.
        schema: what the sample is a table of.

    Raises:
        InputError: a folder cannot be written.
    """
    before = samples_handed_out(noted, schema)
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
    key = "leaf_labels" if schema is LeafSample else "labels"
    write_sample(added, folder, say=say, key=f"labelling.human.{key}")
    write_table(sample, schema, noted / f"{len(before) + 1:04}.parquet")


def write_sample(
    sample: pl.DataFrame,
    folder: Path,
    *,
    say: Callable[[str], None],
    key: str = "labelling.human.labels",
) -> None:
    """Write both sets, each as tasks for Label Studio and as sheets, and the labelling config.

    A sample without an informative set has no files of one.

    Args:
        sample: rows of the AuditSample table.
        folder: where to; it is made.
        say: called with a line for each set, and with what to do next.
        key: of the config, under which filled in files are to be named.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(folder / "label-studio.xml", labelling_config())
    for kind in SampleSet:
        rows = sample.filter(pl.col("set").cast(pl.String) == kind)
        if rows.is_empty() and kind is SampleSet.INFORMATIVE:
            continue
        write_text(folder / f"{kind}.tasks.json", tasks_json(rows))
        write_sheets(rows.select("task", "prompt", "response"), folder / str(kind))
        strata = rows["stratum"].drop_nulls().n_unique()
        of = f" of {strata:,} strata" if strata else ""
        say(f"{kind} set: {counted(len(rows), 'response')}{of} to label in {folder}")
    say(
        f"next: give each annotator a copy of {folder}/{SampleSet.PROBABILITY}.xlsx (or .csv; "
        "Label Studio takes the .tasks.json), have the column label filled in, then name the files "
        f"in {key} of the config and run the study again"
    )
