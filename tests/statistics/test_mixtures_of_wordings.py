"""Tests of levels that are other mixtures, of wordings too, in every table that compares levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from matched_study import Law, config, labelled, prompts
from test_mixtures import ANALYSIS, RATES, of_arm
from test_mixtures import observed as in_arms

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.interactions import interactions
from refusal_parity.statistics.losses.cut_off import cut_off
from refusal_parity.statistics.safeguards import safeguards
from refusal_parity.statistics.template_effects import template_effects

if TYPE_CHECKING:
    from collections.abc import Callable

ACROSS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}, "permutations": 199}
)
BY_WORDING = Law(wording=(0.0, 0.1, 0.5), name=0.02, text=0.04, text_wording=0.02)
BY_FORM = Law(form=(0.0, 0.1, 0.5), name=0.02, text=0.04, text_wording=0.02)
STEADY = Law(name=0.02, text=0.04)
SOUTH, MENTION = pl.col("group") == "south", pl.col("wording") == "mention"
INSTRUCTION = pl.col("form") == "instruction"
PROMPTS = prompts(names=8, sets=12)
NONE = pl.lit(value=False)


def labels_of(law: Law, lost: pl.Expr, *, cut: bool = False, model: str = "m") -> pl.DataFrame:
    """Labels of a model that follows a law, without those that are lost, or that are cut off."""
    rows = labelled(PROMPTS, law, seed=1, model=model)
    gone = rows.join(PROMPTS.select("prompt_id", gone=lost), on="prompt_id", maintain_order="left")
    if cut:
        return gone.with_columns(truncated="gone").drop("gone")
    return gone.with_columns(label=pl.when(~pl.col("gone")).then("label")).drop("gone")


def seen(law: Law, lost: pl.Expr, model: str = "m") -> pl.DataFrame:
    return observe(PROMPTS, labels_of(law, lost, model=model), config())


def disparity(law: Law, lost: pl.Expr) -> pl.DataFrame:
    return disparities(seen(law, lost), config())


def crossed(law: Law, lost: pl.Expr) -> pl.DataFrame:
    return interactions(seen(law, lost), config())


def against_steady(law: Law, lost: pl.Expr) -> pl.DataFrame:
    both = pl.concat([seen(STEADY, NONE), seen(law, lost, "n")])
    return compare(both, config(), ["m", "n"])


def trend(law: Law, lost: pl.Expr) -> pl.DataFrame:
    both = pl.concat([seen(STEADY, NONE), seen(law, lost, "n")])
    sizes = config(model_series={"size": {"m": 7.0, "n": 14.0}})
    return compare(both, sizes, ["m", "n"]).filter(contrast="size")


def cut(law: Law, lost: pl.Expr) -> pl.DataFrame:
    return cut_off(PROMPTS, labels_of(law, lost, cut=True), config()).filter(reading="leave_out")


def arm_changes(law: Law, lost: pl.Expr) -> pl.DataFrame:
    """What an arm changes in which the law holds, from one in which it does not."""
    both = pl.concat(
        observe(PROMPTS.with_columns(arm=pl.lit(arm)), labels_of(of_arm, gone), config())
        for arm, of_arm, gone in (("plain", STEADY, NONE), ("other", law, lost))
    ).with_columns(kind=pl.lit("harmless"))
    return safeguards(both, config(), arms_of({"plain": None, "other": "Be kind."}))


TABLES = [disparity, crossed, against_steady, trend, cut, arm_changes]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("law", "lost", "of", "pairs"),
    [
        pytest.param(BY_WORDING, SOUTH & MENTION, "group", {"south"}, id="wordings of a group"),
        pytest.param(
            BY_FORM, INSTRUCTION & MENTION, "wording", {"mention"}, id="forms of a wording"
        ),
    ],
)
def test_no_difference_is_one_between_the_wordings_that_are_left(
    table: Callable[[Law, pl.Expr], pl.DataFrame],
    law: Law,
    lost: pl.Expr,
    of: str,
    pairs: set[str],
) -> None:
    rows = table(law, lost).filter(dimension=of).filter(pl.col("group").is_not_null())
    if table is crossed:
        rows = rows.filter(factor="form")
        assert rows.height or of == "wording"
    torn = rows.filter(pl.col("group").is_in(pairs) | pl.col("reference").is_in(pairs))
    torn = torn.filter(pl.col("reference").is_not_null())
    assert torn.height or table is crossed
    assert torn["p_value"].null_count() == torn.height
    others = rows.filter(~pl.col("group").is_in(pairs), ~pl.col("reference").is_in(pairs))
    assert others["p_value"].drop_nulls().len() or table is crossed


@pytest.mark.parametrize("table", TABLES)
def test_losses_that_leave_wordings_alike_leave_the_tests(
    table: Callable[[Law, pl.Expr], pl.DataFrame],
) -> None:
    # Whole sets are lost, which are taken off.
    lost = SOUTH & (pl.col("set") == "s00")
    rows = table(BY_WORDING, lost).filter(pl.col("group") == "south", reference="north")
    notes = [note for note in rows["note"] if note and "different shares" in note]
    assert notes == []
    assert rows["p_value"].drop_nulls().len()


def test_a_model_that_lost_an_arm_of_a_group_differs_in_no_difference() -> None:
    steady = in_arms(lambda _cell: True, lambda _cell: 0.2).with_columns(model=pl.lit("m"))
    lossy = in_arms(
        lambda cell: cell["group"] != "y" or cell["arm"] == "plain", of_arm, seed=1
    ).with_columns(model=pl.lit("n"))
    table = compare(pl.concat([steady, lossy]), ANALYSIS, ["m", "n"])
    torn = table.filter(dimension="group", group="y")
    assert torn["p_value"].null_count() == torn.height == 2
    assert "their changes differ by \N{MINUS SIGN}0." in torn["note"][0]
    assert table.filter(dimension="group", group="z")["p_value"].null_count() == 0


def test_a_difference_of_which_mixtures_make_little_stands() -> None:
    """Names of y are refused less: what an arm lacks of them is no tenth of its effect."""
    rates = {"strict": RATES["strict"], "plain": 0.2}
    study = in_arms(
        lambda cell: cell["group"] != "y" or cell["arm"] == "plain" or cell["name_id"] == "y0",
        lambda cell: 0.0 if cell["group"] == "y" and cell["arm"] == "plain" else rates[cell["arm"]],
    )
    rows = disparities(study, ANALYSIS).filter(dimension="arm", method="ols_cr2_two_way")
    [row] = rows.to_dicts()
    assert row["p_value"] < 0.001
    assert row["note"].startswith("strict and plain have different shares of the names, by which")


@pytest.mark.parametrize(("whole", "left_out"), [(12, 4), (0, 16)])
def test_templates_of_which_names_have_other_arms_make_no_difference_vary(
    whole: int, left_out: int
) -> None:
    """In the first templates all arms are there; of the others y has one or the other."""

    def asked(cell: dict[str, Any]) -> bool:
        at = int(cell["template_id"][1:])
        return cell["group"] != "y" or at < whole or (at % 4 < 2) == (cell["arm"] == "plain")

    table = template_effects(in_arms(asked, of_arm, templates=16), ACROSS)
    ours, others = (table.filter(group=group).row(0, named=True) for group in "yz")
    assert (ours["left_out"], others["left_out"]) == (left_out, 0)
    assert f"{left_out} templates without responses of every name in the same arms" in ours["note"]
    assert ours["p_value"] is None if whole == 0 else ours["p_value"] > 0.05
