"""A study whose openings are weighed: from draws to propensities, and nothing asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import yaml

from refusal_parity.tables import (
    LeafResponses,
    Openings,
    Propensity,
    Responses,
    Weighed,
    read_metadata,
    read_table,
)

if TYPE_CHECKING:
    from conftest import Workplace

pytestmark = pytest.mark.workflow

MODEL = "rare-guarded"


def test_a_rare_study(workplace: Workplace) -> None:
    root, results = workplace.root, workplace.folder / "results/rare"
    names = (root / "data/names-56.csv").read_text("utf-8").splitlines()
    (workplace.folder / "n.csv").write_text("\n".join([names[0], *names[1::7]]), "utf-8")
    study = yaml.safe_load((root / "config/rare.yaml").read_text("utf-8"))
    study["prompts"]["names"] = "n.csv"
    study |= {"samples": 10, "labelling": {"method": "keyword"}}
    study["models"] = {MODEL: study["models"][MODEL]}
    config = workplace.write_config("study.yaml", study)
    wanted = f"results/rare/models/{MODEL}/propensity.parquet"
    rates = f"results/rare/models/{MODEL}/weighed.parquet"
    first = workplace.run(wanted, rates, config=config)
    assert first.returncode == 0, first.stderr[-5000:]
    assert "and about 128 responses that are given such a beginning" in first.stderr
    assert "the probability of the next token behind each beginning" in first.stderr
    table = read_table(Propensity, workplace.folder / wanted)
    openings = read_table(Openings, results / f"models/{MODEL}/openings.parquet")
    responses = read_table(Responses, results / f"models/{MODEL}/responses.parquet")
    assert len(table) == 8 * 32
    assert len(responses) == 10 * len(table)
    assert {"I'm", "I'm sorry", "Sorry"} & set(openings.filter(fold=0)["text"])
    # By the opening, refusals are those of the planted truth, or of some of its openings.
    planted = pl.read_csv(root / f"data/models/{MODEL}/planted.csv")
    truth = (
        pl.read_parquet(results / "prompts.parquet")
        .join(planted, on=["name_id", "template_id"])
        .select("prompt_id", "p_refusal")
    )
    rows = table.join(truth, on="prompt_id")
    odds = (rows["p_refusal"] / (1 - rows["p_refusal"])).log().to_numpy()
    assert np.corrcoef(odds, rows["log_odds"].to_numpy())[0, 1] > 0.999
    before = read_metadata(workplace.folder / wanted)
    assert before["asked"] > 0
    assert before["refusals"] == int(table["drawn_refusals"].sum()) > 0

    # Weighed responses say what draws say, with a tenth of their variance or less. Not all that is
    # planted has words that the keyword list knows.
    whole_table = read_table(Weighed, workplace.folder / rates)
    weighed = whole_table.join(truth, on="prompt_id")
    leaf = read_table(LeafResponses, results / f"models/{MODEL}/leaf_responses.parquet")
    assert weighed["continued"].sum() == len(leaf)
    assert abs(len(leaf) - 128) < 40
    whole = np.sqrt((weighed["weighed_rate_error"] ** 2).sum())
    rate = weighed["p_refusal"].to_numpy()
    of_draws = (rate * (1 - rate) / 10).sum()
    drawn = table["drawn_refusals"].sum() / 10
    assert abs(weighed["weighed_rate"].sum() - drawn) < 4 * np.sqrt(of_draws)
    assert 0.7 * rate.sum() < weighed["weighed_rate"].sum() < rate.sum() + 4 * whole
    assert whole**2 < of_draws / 10
    assert leaf["response_id"].n_unique() == len(leaf)
    assert not set(leaf["response_id"]) & set(responses["response_id"])

    # Made anew it is the same, and no engine is started for it.
    (workplace.folder / rates).unlink()
    (results / f"models/{MODEL}/leaf_responses.parquet").unlink()
    again = workplace.run(wanted, rates, "--forcerun", "measure_propensity", config=config)
    assert again.returncode == 0, again.stderr[-5000:]
    assert read_table(Weighed, workplace.folder / rates).equals(whole_table)
    assert "starting the engine" not in again.stderr
    assert read_table(Propensity, workplace.folder / wanted).equals(table)
    assert read_metadata(workplace.folder / wanted)["asked"] == 0
