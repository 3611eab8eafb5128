from __future__ import annotations

import polars as pl

from refusal_parity.labelling.tally import Tally
from refusal_parity.tables import Labels


def part(*reasons: str | None) -> pl.DataFrame:
    left = [None if reason == "filtered" else reason for reason in reasons]
    return pl.DataFrame(
        {"filtered": [reason == "filtered" for reason in reasons], "exclusion": left},
        schema_overrides={"exclusion": Labels.columns()["exclusion"].dtype},
    )


def test_all_parts_are_counted_by_what_came_of_them() -> None:
    tally = Tally()
    parts = [part(None, "error", "empty"), part("filtered", None, "empty")]
    assert [len(each) for each in tally.counting(parts)] == [3, 3]
    assert tally.sentence() == (
        "2 of 6 responses labelled; 2 empty, 1 failed, 1 refused by the service"
    )


def test_nothing_else_is_said_where_all_have_a_label() -> None:
    tally = Tally()
    list(tally.counting([part(None, None)]))
    assert tally.sentence() == "2 of 2 responses labelled"
