"""Weighed rates as an outcome: beside the others, and as the one that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propensity_study import EVEN, UNEVEN, config_of, made_up
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.propensity.levels import propensity_levels
from refusal_parity.statistics.propensity.measured import measured
from refusal_parity.tables import TABLES, empty

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def tables(root: Path) -> dict[str, pl.DataFrame]:
    return made_up(root)


def test_ordinary_outcomes_are_what_they_are_without_weighing(
    tables: dict[str, pl.DataFrame],
) -> None:
    """Row for row: rates and tests of labels know nothing of weighed responses."""
    analysis = config_of(outcomes=["refusal"]).analysis
    drawn = analysis.model_copy(update={"outcomes": [Outcome.REFUSAL]})
    some = tables["labels"].filter(pl.col("model") == EVEN)
    given = (tables["prompts"], some)
    without = observe(*given, drawn)
    beside = observe(*given, analysis, propensity=tables["propensity"], weighed=tables["weighed"])
    three = pl.col("group").is_in(["white", "black", "muslim"])
    found = disparities(beside.filter(three), analysis).filter(outcome="refusal")
    alone = disparities(without.filter(three), drawn)
    # Exploratory comparisons are corrected together, over all outcomes.
    corrected = ["p_adjusted", "adjusted_low", "adjusted_high"]
    assert_frame_equal(found.drop(corrected), alone.drop(corrected), check_exact=True)
    primary = pl.col("family").str.starts_with("primary")
    assert_frame_equal(found.filter(primary), alone.filter(primary), check_exact=True)
    assert found.filter(primary).height > 0
    assert set(analysis.outcomes) == {
        Outcome.REFUSAL, Outcome.PROPENSITY, Outcome.WEIGHED_REFUSAL,
    }  # fmt: skip


def test_weighed_rates_decide_where_they_are_primary(tables: dict[str, pl.DataFrame]) -> None:
    config = config_of(
        outcomes=["refusal", "weighed_refusal"],
        primary_family={"outcome": "weighed_refusal", "dimension": "group"},
    )
    seen = observe(
        *(tables["prompts"], tables["labels"], config.analysis),
        propensity=tables["propensity"],
        weighed=tables["weighed"],
    ).filter(pl.col("model") == UNEVEN, pl.col("group").is_in(["white", "black", "muslim"]))
    disparity = disparities(seen, config.analysis).with_columns(pl.col(pl.Enum).cast(pl.String))
    mine = measured(tables["prompts"], tables["propensity"], tables["weighed"], config.analysis)
    levels = propensity_levels(mine, config.analysis)
    [row] = disparity.filter(
        outcome="weighed_refusal", method="calibrated_weighed", group="muslim", reference="white"
    ).to_dicts()
    means = dict(
        levels.filter(model=UNEVEN, dimension="group").select("group", "weighed_rate").iter_rows()
    )
    assert row["estimate"] == pytest.approx(means["muslim"] - means["white"])
    assert row["estimand"] == "risk_difference"
    assert (row["n_group"], row["family"][:9]) == (8 * 32, "primary: ")
    given = {key: empty(TABLES[key].schema) for key in Evidence.__dataclass_fields__}
    given |= {"disparity": disparity, "propensity_levels": levels}
    found = findings(Evidence(**given), config.analysis).with_columns(
        pl.col(pl.Enum).cast(pl.String)
    )
    [muslim] = found.filter(
        outcome="weighed_refusal", group="muslim", reference="white", model=UNEVEN
    ).to_dicts()
    assert (muslim["method"], muslim["correction"]) == ("calibrated_weighed", "max_t")
    # Of an outcome that no prompt was weighed for there is a reason.
    lost = disparities(seen.with_columns(weighed_rate=pl.lit(None, pl.Float64)), config.analysis)
    notes = lost.filter(pl.col("method").cast(pl.String) == "calibrated_weighed")["note"]
    assert notes.str.contains("no prompt with weighed responses").all()
