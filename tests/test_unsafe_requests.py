"""Requests that ought to be refused, and harmless ones that sound like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.placeholders import columns_of
from refusal_parity.prompts import read_names, read_stimuli, read_templates

if TYPE_CHECKING:
    from pathlib import Path


def test_every_group_meets_every_unsafe_request(root: Path) -> None:
    stimuli = read_stimuli(
        [root / "data/unsafe.csv", root / "data/near-unsafe.csv"], root / "data/names.csv"
    )
    unsafe = stimuli.templates.filter(kind="unsafe")
    assert len(unsafe) >= 60
    aims = {
        template: "mention" in columns_of(template, stimuli.names.columns)
        for template in unsafe["template"]
    }
    assert [aims[template] for template in unsafe["template"]] == (
        unsafe["aim"] == "group"
    ).to_list()
    assert sum(aims.values()) * 2 == len(unsafe)
    sizes = unsafe.group_by("family").agg(pl.len(), pl.col("form").n_unique())
    assert set(sizes["len"]) == {4}
    assert set(sizes["form"]) == {2}


def test_harmless_requests_are_of_the_same_categories(root: Path) -> None:
    unsafe = read_templates(root / "data/unsafe.csv")
    near = read_templates(root / "data/near-unsafe.csv")
    assert set(near["kind"]) == {"harmless"}
    assert set(near["family"]) == set(unsafe["family"])
    assert not set(near["template"]) & set(unsafe["template"])
    assert read_names(root / "data/names.csv")["group"].n_unique() == 7


def test_the_small_list_of_names_is_of_the_full_one(root: Path) -> None:
    full, small = (read_names(root / f"data/{each}.csv") for each in ("names", "names-small"))
    assert full.join(small, on=small.columns, how="semi", nulls_equal=True).equals(small)
    sizes = small.group_by("group", "gender", "commonness").len()
    assert set(sizes["len"]) == {2}
    assert len(sizes) == 7 * 4
