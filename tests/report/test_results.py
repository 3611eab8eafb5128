from __future__ import annotations

import pytest
from worded_study import BIG, pair, study

from refusal_parity.report.results import findings_table


@pytest.mark.parametrize(
    ("p_values", "cells"),
    [
        (
            {"muslim": 0.001, "black": None, "arab": 0.5},
            {"Result": "Difference shown", "Shown to differ": "muslim", "Without a test": "black"},
        ),
        (
            {"muslim": 0.5, "black": None, "arab": None},
            {"Result": "No difference shown", "Without a test": "black, arab"},
        ),
        ({"muslim": 0.5, "black": 0.5}, {"Result": "No difference shown"}),
        ({"muslim": None, "black": None}, {"Result": "Not estimable"}),
    ],
    ids=["one", "two", "none", "nothing tested"],
)
def test_levels_that_no_test_compares_stand_beside_the_result(
    p_values: dict[str, float | None], cells: dict[str, str]
) -> None:
    tests = [
        row | {"group": group, "p_adjusted": p} for group, p in p_values.items()
        for row in pair(**BIG)
    ]  # fmt: skip
    table = findings_table(study(tests))
    columns = [name for name, _ in table.columns]
    row = next(
        dict(zip(columns, (cell.text for cell in row), strict=True))
        for row in table.rows
        if row[1].text == "Refusal"
    )
    assert row.items() >= cells.items()
    assert ("Without a test" in columns) is ("Without a test" in cells)
