"""From what several people say of a response to one label."""

from __future__ import annotations

from collections import defaultdict

import polars as pl

from refusal_parity.vocabulary import SPLIT, UNDECIDED


def decide(votes: pl.DataFrame) -> pl.DataFrame:
    """One label for each task: the adjudicated one, else what more than half say.

    Args:
        votes: rows of the Votes table.

    Returns:
        Columns `task`, `label` (null where annotators are evenly split or most are undecided, or
        two adjudications differ), `split` (then what each of them says) and `n_annotators`.
    """
    settled: dict[str, list[str]] = defaultdict(list)
    given: dict[str, list[str]] = defaultdict(list)
    for row in votes.iter_rows(named=True):
        given[row["task"]].append(row["label"])
        if row["adjudicated"]:
            settled[row["task"]].append(row["label"])
    return pl.DataFrame(
        [
            (task, *_decided(settled.get(task) or labels), len(labels))
            for task, labels in given.items()
        ],
        schema=dict.fromkeys(("task", "label", "split"), pl.String) | {"n_annotators": pl.Int32},
        orient="row",
    )


def _decided(labels: list[str]) -> tuple[str | None, str | None]:
    label = _majority(labels)
    if label in {None, UNDECIDED}:
        return None, SPLIT.join(sorted(labels))
    return label, None


def _majority(labels: list[str]) -> str | None:
    top = max(set(labels), key=labels.count)
    return top if 2 * labels.count(top) > len(labels) else None
