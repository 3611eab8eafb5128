"""All pairs of groups of the released 7B study and their corrections, each as R gives it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from reference_numbers import Reference, relative

from refusal_parity.statistics.adjust import benjamini_hochberg, holm


def either_way(disparities: pl.DataFrame, method: str, one: str, other: str) -> dict[str, Any]:
    """The row of a pair, whichever of the two is called the reference."""
    rows = disparities.filter(
        pl.col("group").is_in([one, other]),
        pl.col("reference").is_in([one, other]),
        outcome="refusal",
        dimension="group",
        method=method,
    )
    return rows.row(0, named=True) if rows.height == 1 else pytest.fail(f"{rows.height} rows")


def test_all_pairs_by_chi_square(released_disparities: pl.DataFrame, llama7: Reference) -> None:
    pairs = llama7.numbers["item2"]["pairwise10"]
    assert len(pairs) == 10
    for expected in pairs:
        mine = either_way(released_disparities, "chi_square", expected["a"], expected["b"])
        assert mine["statistic"] == relative(expected["chi2"], llama7.closed_form)
        assert mine["p_value"] == relative(expected["p"], llama7.closed_form)


def test_all_pairs_by_exact_permutation(
    released_disparities: pl.DataFrame, llama7: Reference
) -> None:
    pairs = llama7.numbers["item6"]["exact_pairwise_name_permutation"]
    assert len(pairs) == 10
    for pair, expected in pairs.items():
        mine = either_way(released_disparities, "permutation_names_exact", *pair.split("-"))
        assert mine["p_value"] == relative(expected["p"], 1e-9)


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_adjustments_of_all_pairs(llama7: Reference, method: str) -> None:
    adjusts = {"holm": holm, "bh": benjamini_hochberg}[method]
    chi_square = llama7.numbers["item2"]["pairwise10"]
    exact = llama7.numbers["item6"]["exact_pairwise_name_permutation"].values()
    mine = adjusts(np.array([each["p"] for each in chi_square]))
    assert mine == pytest.approx([each[f"p_{method}"] for each in chi_square], rel=1e-9, abs=0)
    mine = adjusts(np.array([each["p"] for each in exact]))
    assert mine == pytest.approx([each[f"p_{method}10"] for each in exact], rel=1e-9, abs=0)
    against = chi_square_against_white(llama7)
    mine = adjusts(np.array(list(against.values())))
    expected = llama7.numbers["item2"]["vs_white_adj"][method]
    assert mine == pytest.approx([expected[group] for group in against], rel=1e-9, abs=0)


def chi_square_against_white(llama7: Reference) -> dict[str, float]:
    entries = llama7.numbers["item2"]["vs_white"]
    return {group: entry["p_nocorr"] for group, entry in entries.items()}
