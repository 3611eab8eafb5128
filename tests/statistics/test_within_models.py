"""Where people's labels correct some levels of a model, two families of tests decide."""

from __future__ import annotations

from typing import Any

import pytest
from reported import PEOPLE, a_row, found
from scipy.stats import t


def a_pair(p: float, **values: Any) -> dict[str, Any]:
    """A pair with the standard error that its p-value comes from."""
    error = 0.3 / t.isf(p / 2, 12)
    row = {"estimate": 0.3, "df": 12.0, "p_value": p, "p_adjusted": p, "std_error": error}
    return a_row(**row | values)


@pytest.mark.parametrize(("p", "verdict"), [(0.03, "not_shown"), (0.02, "shown")])
def test_neither_family_is_held_to_alpha_by_itself(p: float, verdict: str) -> None:
    people = a_pair(p, method=PEOPLE, family=f"primary: refusal by group, {PEOPLE}")
    rows = [people, a_pair(0.4, group="asian")]
    row = found(rows)
    assert (row["p_one_model"], row["p_adjusted"]) == (p, pytest.approx(2 * p))
    assert row["shared_alpha"] == 0.025
    assert row["verdict"] == verdict
    # The interval leaves 0 out exactly where the difference is shown.
    assert (row["ci_low"] > 0) == (verdict == "shown")
    assert "2 methods decide here, so that p-values are multiplied by 2" in row["note"]
    assert found(rows, "asian")["p_adjusted"] == pytest.approx(0.8)


def test_one_family_stays_as_it_is() -> None:
    people = a_pair(0.03, method=PEOPLE, family=f"primary: refusal by group, {PEOPLE}")
    for rows in ([people], [a_pair(0.03)]):
        row = found(rows)
        assert (row["p_adjusted"], row["p_one_model"], row["shared_alpha"]) == (0.03, None, None)
        assert (row["verdict"], row["note"]) == ("shown", None)
