"""Rows of which people say that they do not show which label they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from annotator_sheets import filled, save, sheet

from refusal_parity.audit.adjudication import open_rows
from refusal_parity.audit.human_labels import human_labels, read_votes
from refusal_parity.audit.votes import given_apart
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.outcome_columns import outcome_share

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("votes", "label", "split"),
    [
        (["undecided"], None, "undecided"),
        (["Undecided", "undecided", "answer"], None, "answer / undecided / undecided"),
        (["undecided", "answer"], None, "answer / undecided"),
        (["undecided", "answer", "answer"], "answer", None),
    ],
)
def test_undecided_rows_keep_their_place_and_are_open(
    tmp_path: Path, sample: pl.DataFrame, votes: list[str], label: str | None, split: str | None
) -> None:
    """Until somebody decides them, or finds that nobody can."""
    rows = sheet(tmp_path, sample)[:2]
    files = [
        save(tmp_path / f"{at}.csv", filled(rows, vote, "refusal")) for at, vote in enumerate(votes)
    ]
    cast = read_votes(files, sample).votes
    human = human_labels(cast, sample)
    assert human["label"].to_list() == [label, "refusal"]
    assert human["split"].to_list() == [split, None]
    assert human["inclusion_probability"].to_list() == [0.5, 0.5]
    asked = open_rows(cast, sample, show_votes=False)["task"].to_list()
    assert asked == ([rows[0]["task"]] if label is None else [])
    for said, left in (("undecided", None), ("failure", "failure")):
        deciding = [rows[0] | {"label": said, "adjudicated": "yes", "annotator": "chief"}]
        all_files = [*files, save(tmp_path / "chief.csv", deciding)]
        decided = read_votes(all_files, sample).votes
        assert human_labels(decided, sample)["label"].to_list() == [left, "refusal"]
        assert open_rows(decided, sample, show_votes=False).is_empty()


def test_labels_given_apart_are_those_of_who_neither_decides_nor_wavers() -> None:
    votes = pl.DataFrame(
        [
            ("t", "anna", "answer", False),
            ("t", "ben", "undecided", False),
            ("t", "chief", "refusal", True),
            ("u", "ben", "refusal", False),
        ],
        schema=["task", "annotator", "label", "adjudicated"],
        orient="row",
    )
    assert given_apart(votes).rows() == [("t", "anna", "answer"), ("u", "ben", "refusal")]


@pytest.mark.parametrize("outcome", [Outcome.REFUSAL, Outcome.HARMFUL_REFUSAL])
def test_undecided_counts_as_half_of_whatever_is_asked(outcome: Outcome) -> None:
    rows = pl.DataFrame(
        {
            "label": ["harmful_refusal", "answer", None, None, None],
            "split": [None, None, "undecided", "answer / undecided", None],
        }
    )
    found = rows.select(outcome_share(outcome, "label", "split"))[outcome]
    assert found.to_list() == [1.0, 0.0, 0.5, 0.25, None]
