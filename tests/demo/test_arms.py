"""The arms models, their adapter and guards do what was planted, and the statistics find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from refusal_parity.config import AnalysisConfig, Arm, arms_of
from refusal_parity.demo.arms import ARMS, GATES, arms_rows, template_sums
from refusal_parity.demo.arms_recipe import BASE, STOPS, make_adapter, make_arms_model
from refusal_parity.demo.rare import named
from refusal_parity.demo.tokenizer import encode, encode_prompt
from refusal_parity.demo.wording import read_rows
from refusal_parity.demo.wording_recipe import texts
from refusal_parity.errors import InputError
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

FILES = ("near-unsafe.csv", "unsafe.csv")
FREED = "arms-freed"


def _texts_of(root: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    data = root / "data"
    return read_rows(data / "names.csv"), [row for each in FILES for row in read_rows(data / each)]


def _config(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / "config/safeguards.yaml").read_text("utf-8"))
    return found


def _arms(root: Path) -> dict[str, Arm]:
    return arms_of(_config(root)["prompts"]["arms"])


def _asked(template: dict[str, str], name: dict[str, str], arm: Arm) -> str:
    request = template["template"]
    for column, text in name.items():
        request = request.replace(f"[{column.upper()}]", text)
    before, behind = arm.around
    return before + request + behind


def _network(folder: Path, adapter: Path | None = None) -> LlamaForCausalLM:
    network = LlamaForCausalLM.from_pretrained(folder)
    if adapter is not None:
        tensors = load_file(adapter / "adapter_model.safetensors")
        state = network.state_dict()
        for key in [key for key in tensors if key.endswith("lora_A.weight")]:
            part = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            added = tensors[key.replace("lora_A", "lora_B")] @ tensors[key]
            state[f"{part}.weight"] += added
        network.load_state_dict(state)
    return network


@pytest.mark.parametrize("model", [*ARMS, FREED])
def test_a_shipped_model_refuses_as_its_table_says(root: Path, model: str) -> None:
    models = root / "data/models"
    folder = models / (BASE if model == FREED else model)
    names, templates = _texts_of(root)
    truth = {
        (row["name_id"], row["kind"], row["arm"]): float(row["p_refusal"])
        for row in read_rows(models / model / "planted.csv")
    }
    arms = _arms(root)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = _network(folder, models / FREED if model == FREED else None)
    refusals, answers = texts(models / "phrases-arms.yaml")
    refused = [encode(tokenizer, text)[0] for text, _ in refusals]
    answered = [encode(tokenizer, text)[0] for text, _ in answers]
    random = np.random.default_rng(3)
    with torch.inference_mode():
        # Every template, each with some name, in both arms that a model is asked in.
        for template in templates:
            name = names[int(random.integers(len(names)))]
            for arm in ("plain", "reminded"):
                ids = encode_prompt(tokenizer, _asked(template, name, arms[arm]))
                chance = torch.softmax(network(torch.tensor([ids])).logits[0, -1], dim=0)
                key = name["name_id"], template["kind"], arm
                assert float(chance[refused].sum()) == pytest.approx(truth[key], abs=2e-4), key
                assert float(chance[refused + answered].sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("guard", GATES)
def test_a_shipped_guard_stops_as_its_table_says(root: Path, guard: str) -> None:
    folder = root / "data/models" / guard
    names, templates = _texts_of(root)
    shares = {
        (row["group"], row["template_id"]): float(row["p_stopped"])
        for row in read_rows(folder / "planted.csv")
    }
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = LlamaForCausalLM.from_pretrained(folder)
    words = {encode(tokenizer, word)[0]: word for word in STOPS}
    stopped: dict[tuple[str, str], list[bool]] = {}
    split = sorted({template for (_, template), share in shares.items() if 0 < share < 1})
    with torch.inference_mode():
        for template in templates:
            # All names where these differ, in some templates; one of each group in the others.
            which = template["template_id"]
            if which in split and which not in split[::5]:
                continue
            for name in names if which in split else names[::24]:
                ids = encode_prompt(tokenizer, _asked(template, name, Arm()))
                said = int(network(torch.tensor([ids])).logits[0, -1].argmax())
                key = name["group"], which
                stopped.setdefault(key, []).append(words[said] == STOPS[0])
    for (group, template), those in stopped.items():
        assert np.mean(those) == pytest.approx(shares[group, template], abs=1e-6), template
    assert (guard == "gate-even") == (not split)


def test_they_are_made_anew_as_they_ship(root: Path, tmp_path: Path) -> None:
    data = root / "data"
    given = {
        "names": data / "names.csv",
        "templates": [data / each for each in FILES],
        "phrases": data / "models/phrases-arms.yaml",
    }
    for model in (*ARMS, *GATES):
        make_arms_model(model, **given, directory=tmp_path / model)
    made = LlamaForCausalLM.from_pretrained(tmp_path / BASE)
    make_adapter(
        network=made,
        base=data.relative_to(root) / "models" / BASE,
        names=data / "names.csv",
        directory=tmp_path / FREED,
    )
    for folder in tmp_path.iterdir():
        for path in folder.iterdir():
            if path.name in {"config.json", "generation_config.json", "tokenizer_config.json"}:
                continue
            assert path.read_bytes() == (data / "models" / folder.name / path.name).read_bytes()


def test_an_unsafe_template_that_cannot_be_told(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "template_id,kind,template\na,harmless,Do I greet [NAME] now?\n"
        "b,unsafe,Do I greet [NAME]?\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="unsafe template 'b' has no word of its own"):
        make_arms_model(
            BASE,
            names=root / "data/names.csv",
            templates=[path],
            phrases=root / "data/models/phrases-arms.yaml",
            directory=tmp_path / "m",
        )


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
        [data / each for each in FILES], root / _config(root)["prompts"]["names"]
    )
    arms = {key: arm for key, arm in _arms(root).items() if arm.guard != "classifier"}
    prompts = expand(stimuli.templates, stimuli.names, arms)
    names, templates = _texts_of(root)
    guards = _config(root)["guards"]
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
