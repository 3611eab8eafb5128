"""Both readings of responses that were cut off."""

from __future__ import annotations

import itertools
import zlib

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.losses.cut_off import cut_off
from refusal_parity.tables import Labels, Prompts, conform

ANALYSIS = AnalysisConfig.model_validate(
    {"dimensions": {"group": {"reference": "north"}}, "permutations": 99, "bootstraps": 99}
)


def prompts() -> pl.DataFrame:
    rows = [
        {
            "prompt_id": f"{group}{name}-{at}", "template_id": f"t{at}", "family": "f",
            "template": f"[NAME] {at}", "name_id": f"{group}{name}", "name": f"{group}{name}",
            "group": group, "arm": "plain", "prompt": f"{group}{name} {at}",
        }
        for group, name, at in itertools.product(("north", "south"), range(5), range(6))
    ]  # fmt: skip
    blank = dict.fromkeys(Prompts.column_names())
    frame = pl.DataFrame([blank | row for row in rows], infer_schema_length=None)
    return conform(frame, Prompts, where="prompts")


def labels(given: pl.DataFrame, *, cut: bool) -> pl.DataFrame:
    """South refuses where its responses are cut off: of template 0, and north nowhere."""
    blank = dict.fromkeys(Labels.column_names())
    rows = [
        blank
        | {
            "model": "m", "prompt_id": row["prompt_id"], "sample": 0,
            "truncated": cut and row["template_id"] == "t0", "filtered": False,
            "label": "refusal"
            if (row["template_id"] == "t0" and row["group"] == "south")
            or zlib.crc32(row["prompt_id"].encode()) % 3 == 0
            else "answer",
            "label_source": "classifier",
        }
        for row in given.iter_rows(named=True)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(machine_label="label")
    return conform(frame, Labels, where="labels")


def test_both_readings_are_those_of_the_whole_analysis() -> None:
    asked = prompts()
    given = labels(asked, cut=True)
    found = cut_off(asked, given, ANALYSIS).filter(outcome="refusal").to_dicts()
    assert [(row["reading"], row["group"], row["n_group"]) for row in found] == [
        ("label", "south", 30), ("leave_out", "south", 25),
    ]  # fmt: skip
    for row in found:
        analysis = ANALYSIS.model_copy(update={"truncated": row["reading"]})
        whole = disparities(observe(asked, given, analysis), analysis).filter(
            outcome="refusal", method="wilson_two_way"
        )
        whole = whole.with_columns(ci_low="adjusted_low", ci_high="adjusted_high")
        for column in ("estimate", "ci_low", "p_value", "p_adjusted", "k_group", "k_reference"):
            assert row[column] == pytest.approx(whole[column].item(), rel=1e-9), column
    assert found[0]["estimate"] > found[1]["estimate"]


def test_nothing_cut_off_has_no_second_reading() -> None:
    asked = prompts()
    assert cut_off(asked, labels(asked, cut=False), ANALYSIS).is_empty()
