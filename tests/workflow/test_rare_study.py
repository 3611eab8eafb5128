"""A study whose openings are weighed: from draws to propensities, and nothing asked twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import yaml

from refusal_parity.tables import (
    LeafResponses,
    Openings,
    Pilots,
    Propensity,
    Responses,
    Weighed,
    read_metadata,
    read_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from subprocess import CompletedProcess

    from conftest import Workplace

pytestmark = pytest.mark.workflow

MODEL = "rare-guarded"
MADE = {
    Openings: "openings",
    Pilots: "pilot",
    Propensity: "propensity",
    Responses: "responses",
    LeafResponses: "leaf_responses",
    Weighed: "weighed",
}
"""Tables of a model and the stems of their files."""


@dataclass(frozen=True)
class Rare:
    """A study of one rare model, where it is run."""

    place: Workplace
    config: str
    content: dict[str, Any]

    def run(self, *tables: type[Any], more: Sequence[str] = ()) -> CompletedProcess[str]:
        """Make some of the model's tables."""
        name = self.place.write_config(self.config, self.content)
        wanted = [str(self.path(each).relative_to(self.place.folder)) for each in tables]
        return self.place.run(*wanted, *more, config=name)

    def path(self, schema: type[Any]) -> Path:
        [model] = self.content["models"]
        folder = self.place.folder / f"results/{self.content['study']}/models/{model}"
        return folder / f"{MADE[schema]}.parquet"

    def table(self, schema: type[Any]) -> pl.DataFrame:
        return read_table(schema, self.path(schema))


@pytest.fixture(scope="module")
def first(root: Path, workplace_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The study, run as far as its weighed rates, and what that said."""
    place = workplace_in(tmp_path_factory.mktemp("rare"))
    names = (root / "data/names-56.csv").read_text("utf-8").splitlines()
    (place.folder / "n.csv").write_text("\n".join([names[0], *names[1::7]]), "utf-8")
    study = yaml.safe_load((root / "config/rare.yaml").read_text("utf-8"))
    study["prompts"]["names"] = "n.csv"
    study |= {"samples": 10, "labelling": {"method": "keyword"}}
    study["models"] = {MODEL: study["models"][MODEL]}
    rare = Rare(place, "study.yaml", study)
    ran = rare.run(Propensity, Weighed)
    assert ran.returncode == 0, ran.stderr[-5000:]
    return rare, ran.stderr


@pytest.fixture
def rare(first: tuple[Rare, str]) -> Rare:
    return first[0]


def test_a_rare_study(root: Path, first: tuple[Rare, str]) -> None:
    rare, said = first
    assert "and about 128 responses that are given such a beginning" in said
    assert "the probability of the next token behind each beginning" in said
    table, openings, responses = (rare.table(each) for each in (Propensity, Openings, Responses))
    assert len(table) == 8 * 32
    assert len(responses) == 10 * len(table)
    assert {"I'm", "I'm sorry", "Sorry"} & set(openings.filter(fold=0)["text"])
    # By the opening, refusals are those of the planted truth, or of some of its openings.
    planted = pl.read_csv(root / f"data/models/{MODEL}/planted.csv")
    truth = (
        pl.read_parquet(rare.place.folder / "results/rare/prompts.parquet")
        .join(planted, on=["name_id", "template_id"])
        .select("prompt_id", "p_refusal")
    )
    rows = table.join(truth, on="prompt_id")
    odds = (rows["p_refusal"] / (1 - rows["p_refusal"])).log().to_numpy()
    assert np.corrcoef(odds, rows["log_odds"].to_numpy())[0, 1] > 0.999
    before = read_metadata(rare.path(Propensity))
    assert before["asked"] > 0
    assert before["refusals"] == int(table["drawn_refusals"].sum()) > 0

    # Weighed responses say what draws say, with a tenth of their variance or less. Not all that is
    # planted has words that the keyword list knows.
    whole_table = rare.table(Weighed)
    weighed = whole_table.join(truth, on="prompt_id")
    leaf = rare.table(LeafResponses)
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


def test_made_anew_it_is_the_same_and_no_engine_is_started(rare: Rare) -> None:
    propensity, weighed = (rare.table(each) for each in (Propensity, Weighed))
    rare.path(Weighed).unlink()
    rare.path(LeafResponses).unlink()
    again = rare.run(Propensity, Weighed, more=["--forcerun", "measure_propensity"])
    assert again.returncode == 0, again.stderr[-5000:]
    assert "starting the engine" not in again.stderr
    assert rare.table(Weighed).equals(weighed)
    assert rare.table(Propensity).equals(propensity)
    assert read_metadata(rare.path(Propensity))["asked"] == 0


def test_a_later_study_learns_from_it(rare: Rare) -> None:
    """Of the same templates, under another name: the same trees, and no probability asked anew."""
    study = rare.content | {"study": "later", "pilot": "rare", "samples": 1}
    study["models"] = {"called-otherwise": study["models"][MODEL]}
    later = Rare(rare.place, "later.yaml", study)
    ran = later.run(Weighed, Pilots)
    assert ran.returncode == 0, ran.stderr[-5000:]
    learnt = (
        "the openings of called-otherwise were learnt from 2,560 labelled responses of the earlier "
        f"study rare, where the model is called {MODEL}, "
    )
    assert learnt in " ".join(ran.stderr.split())
    own, theirs = (each.table(Openings).drop("model") for each in (later, rare))
    assert own.equals(theirs)
    assert read_metadata(later.path(Propensity))["asked"] == 0
    row = later.table(Pilots).row(0, named=True)
    assert (row["study"], row["model_there"]) == ("rare", MODEL)
    # The same templates: each response is held back from the tree of its own fold.
    assert row["responses"] == row["shared"] == 2560
    table = later.table(Weighed)
    assert (table["drawn"] == 1).all()
    # By trees and one draw alone it is what ten draws said, but for chance.
    error = np.sqrt((table["weighed_rate_error"] ** 2).sum())
    before = rare.table(Weighed)["weighed_rate"].sum()
    assert abs(table["weighed_rate"].sum() - before) < 4 * error + 0.2 * before
