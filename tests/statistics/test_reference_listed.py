"""Differences between kinds of prompts of a list, a number of each held fixed, against R's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from reference_numbers import DISPARITY_KEYS, ReferenceStudy, Tolerances, hold
from reference_studies import LISTED, labels_table, numbers_of_r, own_rows

from refusal_parity.config import AnalysisConfig
from refusal_parity.expansion import list_prompts
from refusal_parity.listed import read_list
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.observations import observe

if TYPE_CHECKING:
    from pathlib import Path


def study(folder: Path, unit: str) -> ReferenceStudy:
    """The list, whose unit is the prompt, or what says which prompts belong together."""
    rows = own_rows(LISTED)
    texts = rows.unique("prompt", maintain_order=True).select(
        pl.col("prompt").alias("prompt_id"),
        pl.format("Do {}.", "prompt").alias("prompt"),
        *("kind", "length"),
        *([] if unit == "prompt" else [pl.col(unit).alias("set")]),
    )
    texts.write_csv(folder / "list.csv")
    prompts = list_prompts(read_list(folder / "list.csv"), {"plain": None})
    keys = prompts.select("prompt_id", pl.col("template_id").alias("prompt"))
    answered = rows.join(keys, on="prompt").with_columns(
        model=pl.lit("m"), response=pl.lit("word ").repeat_by("words").list.join("")
    )
    config = AnalysisConfig.model_validate(
        {
            "outcomes": [Outcome.REFUSAL, Outcome.ANSWER_LENGTH],
            "dimensions": {"kind": {"reference": "amber"}},
            "covariates": ["length"],
            **numbers_of_r()["meta"]["settings"],
        }
    )
    labels = labels_table(answered.select("model", "prompt_id", "sample", "label"))
    seen = observe(prompts, labels, config, answered)
    return ReferenceStudy(seen, config, numbers_of_r()[LISTED][unit], Tolerances())


@pytest.mark.parametrize("unit", ["prompt", "pair", "set"])
def test_rates_and_means_of_prompts_of_pairs_and_of_sets_of_several_kinds(
    tmp_path: Path, unit: str
) -> None:
    listed = study(tmp_path, unit)
    expected = listed.numbers
    found = listed.disparities.filter(method="unit_adjusted")
    hold(listed, expected, found, DISPARITY_KEYS)
    assert len(found) == len(expected) == 6
    assert found["note"].str.starts_with("adjusted for length").all()
    assert set(listed.observations["text_id"].unique()) == set(own_rows(LISTED)[unit])
