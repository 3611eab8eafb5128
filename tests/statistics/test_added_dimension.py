from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.dimensions import DIMENSIONS, Dimension, Unit, composed, declare, of_unit
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.rates import rates
from refusal_parity.tables import Labels, Prompts, conform, empty

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def added() -> Iterator[Dimension]:
    """A dimension that somebody adds: nothing but its declaration."""
    yield declare(
        Dimension(
            key="group_commonness",
            unit=Unit.NAME,
            one="{level} name",
            many="{level} names",
            parts=("group", "commonness"),
        )
    )
    del DIMENSIONS["group_commonness"]


def study() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two groups of eight names, half of them rare, who are refused more often."""
    cells = pl.DataFrame(
        [
            {
                "name": f"{group}{at}",
                "group": group,
                "commonness": "rare" if at % 2 else "common",
                "template_id": f"t{template}",
                "letter": "refusal"
                if (at % 2 and template < 3) or (at + template) % 7 == 0
                else "answer",
            }
            for group in "xy"
            for at in range(8)
            for template in range(6)
        ]
    ).with_columns(prompt_id=pl.concat_str("name", "template_id"))
    prompts = cells.with_columns(
        family=pl.lit("f"),
        template=pl.lit("[NAME]"),
        name_id="name",
        gender=pl.lit(None, pl.String),
        arm=pl.lit("plain"),
        system_prompt=pl.lit(None, pl.String),
        prompt="name",
    )
    labels = cells.select(
        "prompt_id",
        model=pl.lit("m"),
        sample=pl.lit(0),
        label="letter",
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
    )
    return (
        conform(prompts, Prompts, where="prompts"),
        conform(pl.concat([empty(Labels), labels], how="diagonal_relaxed"), Labels, where="labels"),
    )


def test_an_added_dimension_goes_wherever_dimensions_go(added: Dimension) -> None:
    analysis = AnalysisConfig.model_validate(
        {
            "outcomes": ["refusal"],
            "dimensions": {added.key: {"reference": "x common"}},
            "primary_family": {"dimension": added.key},
            "permutations": 99,
            "bootstraps": 99,
        }
    )
    observations = observe(*study(), analysis)
    levels = ["x common", "x rare", "y common", "y rare"]
    counted = rates(observations, analysis).filter(dimension=added.key)
    assert counted["group"].to_list() == levels
    table = disparities(observations, analysis).filter(method="ols_cr2_two_way")
    first = table.filter(group="x rare", reference="x common").row(0, named=True)
    of_level = dict(counted.select("group", "rate").iter_rows())
    assert first["estimate"] == pytest.approx(of_level["x rare"] - of_level["x common"])
    assert first["family"].startswith(f"primary: refusal by {added.key}")
    # Its levels are those of names: these can be permuted.
    methods = set(disparities(observations, analysis)["method"].cast(str))
    assert "permutation_names" in methods


def test_a_dimension_is_declared_once(added: Dimension) -> None:
    with pytest.raises(ValueError, match="dimension group_commonness is declared twice"):
        declare(added)


def test_composed_levels_are_null_where_a_part_is() -> None:
    frame = pl.DataFrame({"group": ["x", "x", None], "gender": ["woman", None, "man"]})
    assert frame.with_columns(composed())["group_gender"].to_list() == ["x woman", None, None]


def test_units() -> None:
    assert of_unit(Unit.NAME, ["group"]) == ["group", "gender", "group_gender", "commonness"]
    assert of_unit(Unit.NAME, own=True) == ["group", "gender", "commonness"]
    assert of_unit(Unit.TEMPLATE) == ["family"]
    assert of_unit(Unit.PROMPT) == ["arm"]


@pytest.mark.parametrize("dimension", DIMENSIONS.values(), ids=lambda each: each.key)
def test_levels_in_words(dimension: Dimension) -> None:
    assert "blue" in dimension.words("blue")
    assert "blue" in dimension.words("blue", plural=False)
