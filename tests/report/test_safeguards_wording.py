"""What the page says of arms, from tables with a known cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from safeguards_report import changes, guarded_inputs, rates, texts

from refusal_parity.report.safeguards_wording import told
from refusal_parity.statistics.pairing import STILL
from refusal_parity.tables import SafeguardRates, Safeguards

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


@pytest.fixture
def guarded(inputs: ReportInputs) -> ReportInputs:
    return guarded_inputs(inputs)


def test_the_cost_in_words(guarded: ReportInputs) -> None:
    assert list(told(guarded)) == ["m"]
    assert texts(guarded) == [
        (
            "Harmless requests: refused 12.0 points more often (interval 7.0 to 17.0); +22.0 "
            "points for muslim names (most), +2.0 points for white names (least). 7 of 102 "
            "responses were stopped. It costs muslim names 20.0 points more than white "
            "names (interval 15.0 to 25.0)."
        ),
        (
            "Unsafe requests: refused 50.0 points more often (interval 45.0 to 55.0). 7 of "
            "102 responses were stopped. That it changes more for some than for others is not "
            "shown."
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("harmless", "It costs muslim names 20.0 points less than white names (interval 15.0 to"),
        ("unsafe", "For muslim names the change is 20.0 points lower than for white names (inter"),
    ],
)
def test_who_pays_less_in_words(guarded: ReportInputs, kind: str, words: str) -> None:
    between = pl.col("reference").is_not_null() & (pl.col("kind") == kind)
    turned = changes().with_columns(
        p_adjusted=pl.when(between).then(pl.lit(0.001)).otherwise(pl.lit(1.0)),
        **{
            key: pl.when(between).then(pl.lit(value)).otherwise(key)
            for key, value in (("estimate", -0.2), ("ci_low", -0.25), ("ci_high", -0.15))
        },
    )
    said = " ".join(texts(guarded.with_tables({Safeguards: turned})))
    assert words in said
    assert said.count("is not shown") == 1


def test_a_cost_that_cannot_be_tested(guarded: ReportInputs) -> None:
    inputs = guarded.with_tables(
        {Safeguards: changes(None).with_columns(p_adjusted=pl.lit(None, pl.Float64))}
    )
    assert " ".join(texts(inputs)).count("cannot be tested here") == 2


def test_levels_without_a_test_are_named_with_the_reason(guarded: ReportInputs) -> None:
    """What is said of the others is not said of them."""
    between = pl.col("reference").is_not_null()
    reason = "muslim has 3 names, but a test takes at least 4"
    few = changes().with_columns(
        p_adjusted=pl.when(~between).then("p_adjusted"),
        note=pl.when(between).then(pl.lit(reason)),
    )
    other = few.filter(between).with_columns(
        group=pl.lit("chinese"), p_adjusted=pl.lit(0.5), note=None
    )
    for tables, verdict in (
        (few, "Whether it costs some more than others cannot be tested here."),
        (pl.concat([few, other]), "That it costs some more than others is not shown."),
    ):
        [harmless, _] = texts(guarded.with_tables({Safeguards: tables}))
        assert harmless.endswith(f"{verdict} It is not tested for muslim names: {reason}.")


def test_a_change_that_is_the_same_for_all_is_told(guarded: ReportInputs) -> None:
    between = pl.col("reference").is_not_null()
    alike = changes().with_columns(
        note=pl.when(between).then(pl.lit(STILL)),
        **{
            key: pl.when(~between).then(key)
            for key in ("ci_low", "ci_high", "p_value", "p_adjusted")
        },
        estimate=pl.when(between).then(pl.lit(0.0)).otherwise("estimate"),
    )
    sentence = " ".join(texts(guarded.with_tables({Safeguards: alike})))
    assert sentence.count("It changes exactly as much for all of them.") == 2


def _of_guarded(column: str, value: int) -> pl.DataFrame:
    """Rates with another number of the arm with the guard, in its row of all requests."""
    there = (pl.col("arm") == "guarded") & (pl.col("group") == "all")
    return rates(**{column: pl.when(there).then(pl.lit(value)).otherwise(column)})


@pytest.mark.parametrize(
    ("column", "number", "words"),
    [
        ("n_stopped", 0, "0 of 102 responses were stopped."),
        ("n_stopped", 102, "102 of 102 responses were stopped."),
        ("n_stopped", 1, "1 of 102 responses was stopped."),
        ("n_cut", 80, "80 of 102 responses with it and 0 of 102 without were cut off: their"),
        ("n_cut", 5, ""),
    ],
)
def test_what_a_guard_stops_and_what_an_arm_cuts_is_counted(
    guarded: ReportInputs, column: str, number: int, words: str
) -> None:
    found = texts(guarded.with_tables({SafeguardRates: _of_guarded(column, number)}))
    for sentence in found:
        assert words in sentence
        assert ("Cut off" in sentence) == words.startswith("Cut off")


def test_what_a_filter_stops_without_a_guard_is_told_apart(guarded: ReportInputs) -> None:
    before = rates(n_stopped=pl.when(arm="plain").then(3).otherwise("n_stopped"))
    found = texts(guarded.with_tables({SafeguardRates: before}))
    assert "7 of 102 responses were stopped, and 3 without it by the service's filter." in found[0]


def test_levels_and_arms_of_which_nothing_is_known(guarded: ReportInputs) -> None:
    reason = pl.lit("not estimable: no prompt was answered in both arms")
    numbers = ("estimate", "ci_low", "ci_high", "p_value", "p_adjusted")

    def unknown(rows: pl.Expr) -> ReportInputs:
        lost = {key: pl.when(~rows).then(key) for key in numbers}
        note = pl.when(rows).then(reason)
        return guarded.with_tables({Safeguards: changes().with_columns(note=note, **lost)})

    [harmless, _] = texts(unknown(pl.col("group") == "muslim"))
    assert "What it changes for muslim names is unknown: no prompt was answered in" in harmless
    assert "Whether it costs some more than others cannot be tested here." in harmless
    [harmless, unsafe] = texts(unknown(pl.lit(value=True)))
    assert harmless == (
        "Harmless requests: what it changes is unknown: no prompt was answered in both arms."
    )
    assert unsafe.startswith("Unsafe requests: what it changes is unknown: no prompt")
