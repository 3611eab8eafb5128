"""A group, a language and a wording that somebody adds: two CSV files and a config, no code."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import load_config
from refusal_parity.expansion import expand
from refusal_parity.prompts import read_stimuli
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.interactions import interactions
from refusal_parity.statistics.rates import rates
from refusal_parity.study import check_inputs
from refusal_parity.tables import Labels, conform, empty

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig

ASKED = {
    ("plain", "en"): "How does [NAME] find {}?",
    ("title", "en"): "How does [TITLE] [NAME] find {}?",
    ("plain", "tr"): "[NAME] {} nas\u0131l bulur?",
    ("title", "tr"): "[TITLE] [NAME] {} nas\u0131l bulur?",
}
PLACES = ("a flat", "a doctor", "a school", "a bank", "a choir", "a garden", "a job", "a coach")


def study(folder: Path, *, added: bool) -> StudyConfig:
    """A study of two groups in one language and wording, or with one more of each."""
    groups = ["kurdish", "turkish", "laz"] if added else ["kurdish", "turkish"]
    names = [
        {
            "name_id": f"{group}-{at}",
            "name": f"{group.capitalize()}{at}",
            "group": group,
            "title": "Dr." if at % 2 else "Prof.",
            "births": 1.5 + at / 4,
        }
        for group in groups
        for at in range(6)
    ]
    asked = ASKED if added else {("plain", "en"): ASKED["plain", "en"]}
    templates = [
        {
            "template_id": f"{place}/{wording}/{language}".replace(" ", "-"),
            "family": "daily",
            "set": place,
            "wording": wording,
            "language": language,
            "template": text.format(place),
        }
        for place, ((wording, language), text) in product(PLACES, asked.items())
    ]
    pl.DataFrame(names).write_csv(folder / "n.csv")
    pl.DataFrame(templates).write_csv(folder / "t.csv")
    dimensions = {"group": {"reference": "turkish"}}
    if added:
        dimensions |= {"wording": {"reference": "plain"}, "language": {"reference": "en"}}
    raw = {
        "study": "s",
        "results": str(folder),
        "prompts": {"templates": str(folder / "t.csv"), "names": str(folder / "n.csv")},
        "models": {"m": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}},
        "analysis": {
            "outcomes": ["refusal"],
            "dimensions": dimensions,
            "covariates": ["births"],
            "permutations": 999,
            "bootstraps": 99,
        },
    }
    return load_config(raw, where="x.yaml")


def asked_and_answered(config: StudyConfig) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Prompts, and answers of a model that refuses Laz names where they have a title."""
    files = config.prompts
    stimuli = read_stimuli(Path(str(files.templates)), Path(str(files.names)))
    prompts = expand(stimuli.templates, stimuli.names, files.arms)
    harsh = (pl.col("group") == "laz") & (pl.col("wording") == "title")
    chance = prompts.select(pl.when(harsh).then(0.7).otherwise(0.2)).to_series().to_numpy()
    refused = np.random.default_rng(3).random(len(prompts)) < chance
    labels = prompts.select(
        "prompt_id",
        model=pl.lit("m"),
        sample=pl.lit(0),
        label=pl.Series(np.where(refused, "refusal", "answer")),
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
    )
    table = pl.concat([empty(Labels), labels], how="diagonal_relaxed")
    return prompts, conform(table, Labels, where="labels")


@pytest.mark.parametrize("added", [False, True])
def test_what_is_added_to_the_files_is_compared(tmp_path: Path, added: bool) -> None:  # noqa: FBT001
    config = study(tmp_path, added=added)
    checked = check_inputs(config, where="x.yaml")
    assert checked.prompts is not None
    assert checked.prompts.prompts == (3 * 6 * 8 * 4 if added else 2 * 6 * 8)
    prompts, labels = asked_and_answered(config)
    seen = observe(prompts, labels, config.analysis)
    tested = disparities(seen, config.analysis).filter(method="ols_cr2_two_way")
    compared = set(tested.select("dimension", "group", "reference").rows())
    assert ("group", "kurdish", "turkish") in compared
    new = {("group", "laz", "turkish"), ("wording", "title", "plain"), ("language", "tr", "en")}
    assert (new <= compared) == added
    crossed = interactions(seen, config.analysis)
    assert crossed.is_empty() != added
    counted = rates(seen, config.analysis)
    assert ("tr" in set(counted.filter(dimension="language")["group"])) == added
    if added:
        [row] = crossed.filter(group="laz", factor_level="title", factor_base="plain").to_dicts()
        assert row["ci_low"] > 0.2
        [row] = crossed.filter(
            group="kurdish", factor_level="title", factor_base="plain"
        ).to_dicts()
        assert row["ci_low"] < 0 < row["ci_high"]


def test_prompts_of_before_keep_their_ids(tmp_path: Path) -> None:
    before, _ = asked_and_answered(study(tmp_path, added=False))
    after, _ = asked_and_answered(study(tmp_path, added=True))
    assert set(before["prompt_id"]) <= set(after["prompt_id"])
