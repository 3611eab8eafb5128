"""The statistics find what was planted in the arms models, and nothing in their even twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from arms_files import FILES, arms_asked, arms_config, texts_of
from refusal_parity.config import AnalysisConfig
from refusal_parity.demo.arms import ARMS, GATES, arms_rows, template_sums
from refusal_parity.demo.arms_recipe import BASE
from refusal_parity.demo.rare import named
from refusal_parity.expansion import expand
from refusal_parity.guards.applying import twins_of
from refusal_parity.guards.requests import guarded_requests, open_prompts
from refusal_parity.prompts import read_stimuli
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.safeguards import safeguards, with_kind
from refusal_parity.tables import GuardStops, Labels, conform, empty
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import Arm


ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "white"}}}
)


class Study(NamedTuple):
    """The shipped study but for the classifier's arm, and what its guards stop by their laws."""

    names: list[dict[str, str]]
    arms: dict[str, Arm]
    prompts: pl.DataFrame
    stops: pl.DataFrame

    def even(self) -> Study:
        """What costs everybody alike, of harmless requests."""
        arms = {key: arm for key, arm in self.arms.items() if key != "guarded"}
        prompts = self.prompts.filter(pl.col("arm") != "guarded", kind="harmless")
        return self._replace(arms=arms, prompts=prompts)


@pytest.fixture(scope="module")
def study(root: Path) -> Study:
    data = root / "data"
    stimuli = read_stimuli(
        [data / each for each in FILES], root / arms_config(root)["prompts"]["names"]
    )
    arms = {key: arm for key, arm in arms_asked(root).items() if arm.guard != "classifier"}
    prompts = expand(stimuli.templates, stimuli.names, arms)
    names, templates = texts_of(root)
    guards = arms_config(root)["guards"]
    found = []
    for guard in ("uneven", "even"):
        law = GATES[guards[guard]["model"]["source"]["path"].rpartition("/")[2]]
        own = named(law.group, names, law.spread)
        of_template = template_sums(law, templates)
        requests = guarded_requests(prompts, arms, guard)
        said = [
            own[name] + of_template[template] > 0
            for name, template in requests.select("name", "template_id").iter_rows()
        ]
        found.append(
            requests.select(
                "prompt_id",
                guard=pl.lit(guard),
                stopped=pl.Series(said),
                p_harm=pl.lit(None, pl.Float64),
                answer=pl.lit(None, pl.String),
                error=pl.lit(None, pl.String),
            )
        )
    return Study(names, arms, prompts, conform(pl.concat(found), GuardStops, where="stops"))


def _drawn(study: Study, truth: list[dict[str, Any]], seed: int) -> pl.DataFrame:
    """What each arm changes, of one response to each prompt by a model that follows its law."""
    rates = pl.DataFrame(truth).drop("group")
    asked = open_prompts(study.prompts).join(
        rates, on=["name_id", "kind", "arm"], maintain_order="left"
    )
    refused = np.random.default_rng(seed).random(len(asked)) < asked["p_refusal"].to_numpy()
    said = asked.select(
        "prompt_id",
        label=pl.Series(np.where(refused, "refusal", "answer")),
        filtered=pl.lit(value=False),
    )
    behind = (
        twins_of(study.prompts)
        .join(said.rename({"prompt_id": "twin"}), on="twin")
        .join(study.stops, on="prompt_id")
        .select(
            "prompt_id", label=pl.when(~pl.col("stopped")).then("label"), filtered=pl.col("stopped")
        )
    )
    labels = pl.concat([said, behind]).with_columns(
        model=pl.lit("m"), sample=pl.lit(0, pl.Int32), truncated=pl.lit(value=False)
    )
    table = conform(
        pl.concat([empty(Labels), labels], how="diagonal_relaxed"), Labels, where="labels"
    )
    seen = with_kind(observe(study.prompts, table, ANALYSIS, everything=True), study.prompts)
    found = safeguards(seen, ANALYSIS, study.arms)
    return found.filter(scope=str(Scope.NEW_NAMES_AND_TEMPLATES))


def _costs(study: Study, truth: list[dict[str, Any]]) -> dict[tuple[str, str, str], float]:
    """What arms change by kind and group, as planted: p' - p, and behind a guard s (1 - p)."""
    rates = pl.DataFrame(truth).drop("group")
    plain = rates.filter(arm="plain").select("name_id", "kind", without="p_refusal")
    seen = (
        study.prompts.filter(pl.col("arm") != "plain")
        .join(rates, on=["name_id", "kind", "arm"], how="left")
        .join(plain, on=["name_id", "kind"])
        .join(study.stops.select("prompt_id", "stopped"), on="prompt_id", how="left")
        .with_columns(
            cost=pl.coalesce(
                pl.col("stopped") * (1 - pl.col("without")), pl.col("p_refusal") - pl.col("without")
            )
        )
    )
    means = seen.group_by("arm", "kind", "group").agg(pl.col("cost").mean())
    return {(arm, kind, group): cost for arm, kind, group, cost in means.iter_rows()}


def test_planted_costs_are_recovered_and_shown(study: Study) -> None:
    """Of the reminder, and of the guard that stops more of what is asked about some."""
    truth = arms_rows(ARMS[BASE], study.names)
    real = _costs(study, truth)
    held, shown = [], []
    for seed in range(3):
        table = _drawn(study, truth, seed)
        known = table.filter(pl.col("ci_low").is_not_null(), pl.col("group") != "all")
        for row in known.iter_rows(named=True):
            cost = real[row["arm"], row["kind"], row["group"]]
            if row["reference"] is not None:
                cost -= real[row["arm"], row["kind"], row["reference"]]
            held.append(row["ci_low"] <= cost <= row["ci_high"])
        found = table.filter(
            pl.col("p_adjusted") <= ANALYSIS.alpha,
            kind="harmless",
            estimand="disparity_difference",
            group="muslim",
        )
        shown.append(set(found["arm"]))
    # 95 % on average, of which those of one arm and kind go together.
    assert len(held) > 200
    assert np.mean(held) >= 0.9
    assert shown == [{"reminded", "guarded"}] * 3


def test_the_even_twins_raise_no_alarm(study: Study) -> None:
    truth = arms_rows(ARMS["arms-even"], study.names)
    alarms = []
    for seed in range(12):
        table = _drawn(study.even(), truth, seed)
        between = table.filter(estimand="disparity_difference")
        assert set(between["arm"]) == {"reminded", "guarded-alike"}
        alarms.append((between["p_adjusted"] <= ANALYSIS.alpha).any())
    assert sum(alarms) <= 2
