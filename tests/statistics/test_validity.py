from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.outcomes import OUTCOMES
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.validity import ANSWERS, WIDEST, validity, validity_of
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from pathlib import Path

CHECKED = ["caveat", "moralising", "reading_grade"]


@pytest.mark.parametrize("outcome", CHECKED)
def test_every_measure_was_held_against_answers_of_all_groups(outcome: str) -> None:
    found = validity_of(outcome)
    assert found is not None
    assert sum(each.n for each in found.groups) >= 600
    assert len(found.groups) == 7
    assert min(each.n for each in found.groups) >= 85
    assert all(0 < each.having < each.n for each in found.groups)
    assert len(found.differences) == 21


@pytest.mark.parametrize("outcome", ["refusal", "answer_length"])
def test_what_has_no_measure_needs_no_check(outcome: str) -> None:
    assert validity_of(outcome) is None


def test_answers_are_all_different_and_read() -> None:
    answers = pl.read_csv(ANSWERS)
    assert answers["response"].n_unique() == answers["answer_id"].n_unique() == len(answers)
    readings = answers.select("has_caveat", "moralises", "demanding").unpivot()["value"]
    assert set(readings) == {"yes", "no"}


@pytest.mark.parametrize(("n", "missed", "wide"), [(60, 6, True), (2000, 100, False)])
def test_errors_of_groups_and_the_width_of_their_difference(
    tmp_path: Path, n: int, missed: int, *, wide: bool
) -> None:
    rows = [
        {
            "answer_id": f"{group}{at}",
            "group": group,
            "name": "Ann",
            # What people read as a caveat is nothing that the list knows.
            "response": "I am just an AI." if at % 2 else "A loaf of bread.",
            "has_caveat": "yes" if at % 2 or at < 2 * missed * (group == "a") else "no",
        }
        for group in "ab"
        for at in range(n)
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "answers.csv")
    found = validity("caveat", tmp_path / "answers.csv")
    assert found is not None
    ours, others = found.groups
    assert (ours.missed, ours.found_wrongly, others.wrong) == (missed, 0, 0)
    [difference] = found.differences
    assert difference.estimate == pytest.approx(missed / n)
    assert difference.low < difference.estimate < difference.high
    assert found.only_describes == (difference.width > WIDEST) == wide


def test_a_description_keeps_its_numbers_and_no_test() -> None:
    shown = Finding(
        model="m",
        outcome="caveat",
        dimension="group",
        verdict=Verdict.SHOWN,
        estimate=12.0,
        ci_low=3.0,
        ci_high=21.0,
        p_value=0.001,
        p_adjusted=0.004,
        within_margin=True,
    )
    told = shown.described("errors are not known to be alike")
    assert not told.shown
    assert told.verdict is Verdict.DESCRIBED
    assert (told.estimate, told.ci_low, told.ci_high) == (12.0, 3.0, 21.0)
    assert (told.p, told.within_margin) == (None, False)
    unknown = Finding(model="m", outcome="caveat", dimension="group", reason="no answer")
    assert unknown.described("whatever") is unknown


@pytest.mark.parametrize("outcome", CHECKED)
def test_studies_that_do_not_ask_have_none_of_it(outcome: str) -> None:
    assert not OUTCOMES[outcome].usual
