"""Responses to openings beside ordinary draws: what people and machines are compared on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.agreement.leaves import read_of_both
from refusal_parity.agreement.ratings import LabelFiles, Ratings, gather_ratings
from refusal_parity.agreement.table import measure_agreement
from refusal_parity.config import AnalysisConfig
from refusal_parity.tables import (
    HumanLabels,
    Labels,
    LeafHumanLabels,
    LeafLabels,
    Prompts,
    Responses,
    WeighedResponses,
    filled,
    write_table,
)

if TYPE_CHECKING:
    from pathlib import Path

DRAWN = 3


def study(seed: int = 0) -> pl.DataFrame:
    """All responses to 60 prompts that open so with 5 % and then refuse half of the time.

    The classifier misses two fifths of the refusals there, and all elsewhere.
    """
    random = np.random.default_rng(seed)
    made: list[dict[str, Any]] = []
    chance, expected = 0.05, 2.0
    inside = {"leaf": "7", "weight": chance / (DRAWN * chance + expected)}
    outside = {"leaf": "", "weight": 1 / DRAWN}
    for at in range(60):
        key = {"model": "m", "prompt_id": f"p{at}", "template_id": f"t{at % 6}",
               "name_id": f"n{at % 10}", "group": "ab"[at % 2]}  # fmt: skip
        for opening, number in (("", DRAWN), ("7", int(expected))):
            for sample in range(number):
                opens = bool(opening) or random.random() < chance
                refuses = random.random() < (0.5 if opens else 0.02)
                missed = random.random() < (0.4 if opens else 1.0)
                made.append(
                    key | (inside if opens else outside)
                    | {
                        "opening": opening, "sample": sample,
                        "truth": "refusal" if refuses else "answer",
                        "machine_label": "refusal" if refuses and not missed else "answer",
                    }
                )  # fmt: skip
    return pl.DataFrame(made)


def ratings(
    responses: pl.DataFrame, folder: Path, *, leaves_read: bool = True, draws_read: bool = True
) -> Ratings:
    """What a study's files say of them; people read those with an `inclusion_probability`."""
    rows = responses.with_columns(
        label="machine_label", keyword_refusal=pl.lit(value=False), truncated=pl.lit(value=False),
        filtered=pl.lit(value=False), share=pl.lit(0.5), response=pl.lit("text"),
        status=pl.lit("ok"),
        **{f"p_{each}": (pl.col("machine_label") == each).cast(pl.Float64)
           for each in ("refusal", "answer")},
    )  # fmt: skip
    others = [
        name for name in Labels.column_names() if name.startswith("p_") and name not in rows.columns
    ]
    rows = rows.with_columns(**dict.fromkeys(others, pl.lit(0.0)))
    prompts = responses.unique("prompt_id", maintain_order=True).with_columns(
        prompt="prompt_id", template="template_id", name="name_id", arm=pl.lit("plain"),
        family=pl.lit("f"),
    )  # fmt: skip
    given = pl.col("opening") != ""
    people = rows.drop_nulls("inclusion_probability").with_columns(
        label="truth", stratum=pl.lit("s"), n_annotators=pl.lit(1)
    )
    tables = {
        "prompts": (prompts, Prompts),
        "responses": (rows.filter(~given), Responses),
        "labels": (rows.filter(~given), Labels),
        "leaf_labels": (rows.filter(given), LeafLabels),
        "standing": (rows, WeighedResponses),
        "human": (people.filter(~given & draws_read), HumanLabels),
        "leaf_human": (people.filter(given & leaves_read), LeafHumanLabels),
    }
    for key, (frame, schema) in tables.items():
        write_table(filled(frame, schema, where=key), schema, folder / f"{key}.parquet")
    paths = {key: folder / f"{key}.parquet" for key in tables}
    several = ("responses", "labels", "leaf_labels", "standing")
    return gather_ratings(
        LabelFiles(**{key: [path] if key in several else path for key, path in paths.items()})
    )


def missed(found: Ratings) -> dict[str, Any]:
    table = measure_agreement(found, AnalysisConfig())
    [row] = table.filter(
        pl.col("coefficient").cast(pl.String) == "missed_refusal_rate",
        yardstick="human", rater="classifier", dimension="all",
    ).to_dicts()  # fmt: skip
    return row


def test_read_whole_it_is_what_responses_do_as_they_are_drawn(tmp_path: Path) -> None:
    responses = study().with_columns(inclusion_probability=pl.lit(1.0))
    row = missed(ratings(responses, tmp_path))
    refusals = responses.filter(truth="refusal")
    weight = DRAWN * refusals["weight"].to_numpy()
    wrong = (refusals["machine_label"] != "refusal").to_numpy()
    assert row["estimate"] == pytest.approx(weight[wrong].sum() / weight.sum())
    assert (row["n"], row["n_of"], row["wrong"]) == (300, len(refusals), wrong.sum())
    # Counted alike, responses to openings would make it another number.
    assert abs(wrong.mean() - row["estimate"]) > 0.05


@pytest.mark.parametrize("read", [{"leaves_read": False}, {"draws_read": False}])
def test_one_sample_alone_speaks_for_nothing_more(tmp_path: Path, read: dict[str, bool]) -> None:
    responses = study().with_columns(inclusion_probability=pl.lit(1.0))
    found = ratings(responses, tmp_path, **read)
    assert found.read is None
    if "leaves_read" in read:
        draws = responses.filter(pl.col("opening") == "", truth="refusal")
        wrong = (draws["machine_label"] != "refusal").mean()
        assert missed(found)["estimate"] == pytest.approx(wrong)
        return
    table = measure_agreement(found, AnalysisConfig())
    assert "human" not in set(table["yardstick"])


def test_samples_of_both_estimate_it_better_than_one() -> None:
    """Totals of missed refusals: no bias, and less variance than ordinary draws alone have."""
    responses = study(1).rename({"machine_label": "classifier", "truth": "human"})
    given = pl.col("opening") != ""
    miss = (pl.col("human") == "refusal") & (pl.col("classifier") == "answer")
    counted = (miss / pl.col("inclusion_probability")).sum()
    truth = DRAWN * responses.filter(miss)["weight"].sum()
    random = np.random.default_rng(3)
    both, alone = [], []
    for _ in range(200):
        read = pl.Series(random.random(len(responses)) < 0.4)
        drawn = responses.with_columns(inclusion_probability=pl.when(read).then(0.4))
        ordinary = drawn.filter(~given).drop("opening", "weight")
        found = read_of_both(ordinary, drawn.filter(given).drop("weight"), responses)
        assert found is not None
        both.append(found.select(counted).item())
        alone.append(ordinary.select(counted).item())
    error = np.std(both) / np.sqrt(len(both))
    assert abs(np.mean(both) - truth) < 3.5 * error
    assert np.std(both) < np.std(alone)
