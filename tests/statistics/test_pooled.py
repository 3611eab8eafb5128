"""The table of pooled rates, and in simulations how often its intervals hold the truth."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from programs import program_of

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.pooled import pooled_rates
from refusal_parity.statistics.pooling.weighing import pool


def _drawn(names: int, templates: int, rates: tuple[float, ...], seed: int = 5) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        [
            {
                "model": "m", "group": f"g{group}", "name_id": f"g{group}n{name}",
                "template_id": f"t{at}", "text_id": f"t{at}", "arm": "plain",
                "label": "refusal" if random.random() < rate else "answer",
                "filtered": False, "exclusion": None,
            }
            for group, rate in enumerate(rates) for name in range(names)
            for at in range(templates) for _ in range(3)
        ],
        schema_overrides={"exclusion": pl.String},
    )  # fmt: skip


ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "g0"}}}
)


def test_rates_are_those_of_the_primary_outcome_and_of_no_prompt_list() -> None:
    drawn = _drawn(4, 6, (0.2, 0.3)).with_columns(
        label=pl.when(pl.int_range(pl.len()) % 7 == 0)
        .then(pl.lit("harmful_refusal"))
        .otherwise("label")
    )
    asked = {"outcomes": ["harmful_refusal", "refusal"]}
    dimensions = {"dimensions": {"group": {"reference": "g0"}}}
    family = {"primary_family": {"outcome": "refusal", "dimension": "group"}}
    analysis = AnalysisConfig.model_validate(asked | dimensions | family)
    found = pooled_rates(drawn, analysis)
    assert set(found["outcome"].cast(pl.String)) == {"refusal"}
    assert found["note"].null_count() == len(found) == 8 + 6
    assert found.filter(unit="name")["k"].sum() == drawn["label"].str.ends_with("refusal").sum()
    listed = drawn.with_columns(name_id=pl.lit(None, pl.String), model=pl.lit("list"))
    assert set(pooled_rates(pl.concat([listed, drawn]), analysis)["model"]) == {"m"}


def test_the_table_has_what_pooling_the_counts_gives() -> None:
    """Names without a group are one of their own, whatever the others are called."""
    drawn = _drawn(4, 6, (0.2, 0.5)).with_columns(
        group=pl.when(pl.col("group") == "g0").then(pl.lit("a"))
    )
    found = pooled_rates(drawn, AnalysisConfig.model_validate(
        {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "a"}}}
    ))  # fmt: skip
    names, templates = (sorted(drawn[each].unique()) for each in ("name_id", "template_id"))
    n, k = np.zeros((2, len(names), len(templates)))
    for name, template, label in drawn.select("name_id", "template_id", "label").iter_rows():
        at = names.index(name), templates.index(template)
        n[at] += 1
        k[at] += label == "refusal"
    level = np.array([name.startswith("g1") for name in names], dtype=np.intp)
    pooled = pool(Grid(("a", ""), level, n), k, 0.05)
    assert pooled is not None
    for unit, keys, rates in (
        ("name", names, pooled.names), ("template", templates, pooled.templates),
    ):  # fmt: skip
        rows = found.filter(unit=unit)
        assert rows["key"].to_list() == keys
        columns = rows.select("pooled", "pooled_low", "pooled_high").to_numpy().T
        # Five decimals: those beyond hang on where sweeps end.
        assert np.abs(columns - np.array(rates)).max() < 2e-5
        assert np.abs(columns - np.array(rates)).max() > 1e-9


@pytest.mark.parametrize(
    ("names", "templates", "is_pooled"), [(2, 4, True), (4, 3, False), (1, 9, False)]
)
def test_four_names_and_templates_are_enough(
    names: int, templates: int, *, is_pooled: bool
) -> None:
    """Two groups: names of both count."""
    found = pooled_rates(_drawn(names, templates, (0.3, 0.4)), ANALYSIS)
    assert (found["pooled"].null_count() == 0) is is_pooled


def test_names_are_drawn_towards_their_group_and_groups_towards_nothing() -> None:
    rows = pooled_rates(_drawn(8, 16, (0.05, 0.4)), ANALYSIS).filter(unit="name")
    for (_group,), names in rows.group_by("group"):
        seen, pooled = names["rate"].to_numpy(), names["pooled"].to_numpy()
        assert pooled.std() < 0.6 * seen.std()
        assert pooled.mean() == pytest.approx(seen.mean(), abs=0.006)
    assert ((rows["pooled_low"] < rows["pooled"]) & (rows["pooled"] < rows["pooled_high"])).all()


def test_what_never_occurred_may_have_a_rate_of_nothing() -> None:
    drawn = _drawn(6, 8, (0.2, 0.3))
    quiet = (pl.col("name_id") == "g0n2") | (pl.col("template_id") == "t5")
    loud = pl.col("name_id") == "g1n4"
    label = pl.when(quiet).then(pl.lit("answer")).when(loud).then(pl.lit("refusal"))
    found = pooled_rates(drawn.with_columns(label=label.otherwise("label")), ANALYSIS)
    rows = {row["key"]: row for row in found.to_dicts()}
    assert rows["g0n2"]["pooled_low"] == rows["t5"]["pooled_low"] == 0
    assert min(rows[key]["pooled"] for key in ("g0n2", "t5")) > 0
    assert rows["g1n4"]["pooled_high"] < 1
    every = drawn.with_columns(label=pl.when(loud).then(pl.lit("refusal")).otherwise("label"))
    always = pooled_rates(every, ANALYSIS).filter(key="g1n4")
    assert always["pooled_high"][0] == 1


def test_missing_responses_neither_vanish_nor_count() -> None:
    drawn = _drawn(5, 6, (0.2, 0.3))
    gone = (pl.col("name_id") == "g0n1") | (
        (pl.col("group") == "g1") & (pl.col("template_id") < "t3")
    )
    lost = drawn.with_columns(label=pl.when(gone).then(None).otherwise("label"))
    found = pooled_rates(lost, ANALYSIS)
    assert len(found) == 16
    without = found.filter(key="g0n1").row(0, named=True)
    assert (without["n"], without["rate"], without["pooled"]) == (0, None, None)
    assert without["note"] == "no response that counts (all without a label)"
    rest = found.filter(pl.col("key") != "g0n1")
    assert rest["pooled"].null_count() == 0
    other = pooled_rates(lost.sample(fraction=1, shuffle=True, seed=2), ANALYSIS)
    assert found.equals(other)


@pytest.mark.parametrize(
    ("study", "note"),
    [
        (_drawn(8, 3, (0.2, 0.2)), "not estimable: 3 templates, fewer than 4 have nothing to pool"),
        (_drawn(1, 8, (0.2,)), "not estimable: 1 name, fewer than 4 have nothing to pool"),
        (_drawn(4, 8, (0.0, 0.0)), "not estimable: the outcome does not vary"),
        (_drawn(4, 8, (1.0, 1.0)), "not estimable: the outcome does not vary"),
    ],
    ids=["templates", "names", "never", "always"],
)
def test_what_cannot_be_pooled_has_its_rate_and_the_reason(study: pl.DataFrame, note: str) -> None:
    found = pooled_rates(study, ANALYSIS)
    assert set(found["note"]) == {note}
    assert found["pooled"].null_count() == len(found)
    assert found["rate"].null_count() == 0


def test_answers_that_never_differ_are_pooled_too() -> None:
    """As at temperature 0, where nothing is left to single responses."""
    drawn = _drawn(8, 12, (0.3, 0.3)).with_columns(
        label=pl.col("label").first().over("name_id", "template_id")
    )
    found = pooled_rates(drawn, ANALYSIS)
    assert found["pooled"].null_count() == 0
    names = found.filter(unit="name")
    widths = names["pooled_high"] - names["pooled_low"]
    assert widths.min() > 0.1


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("design", "pattern", "rate", "missing"),
    [("6x12", "STRONG", 0.2, 0.0), ("20x24", "MODERN", 0.02, 0.18), ("6x12", "MILD", 0.98, 0.18)],
)
def test_intervals_hold_the_truth(design: str, pattern: str, rate: float, missing: float) -> None:
    """Three scenarios of `benchmarks/pooled.py`, of 30 studies each."""
    benchmark = program_of("pooled")
    scenario = benchmark.Scenario(design, pattern, rate, missing=missing)
    with np.errstate(all="ignore"):
        seen = benchmark.seen(scenario, 30)
    assert seen.covered > 0.9
    assert seen.covered_templates > 0.88
    assert seen.off < 1.05 * seen.off_raw
