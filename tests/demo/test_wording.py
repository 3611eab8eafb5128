"""The wording models say what was planted, and the statistics find it, each effect apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from refusal_parity.config import AnalysisConfig
from refusal_parity.demo.tokenizer import encode, encode_prompt
from refusal_parity.demo.wording import LAWS, Law, marks, planted, read_rows, refusal
from refusal_parity.demo.wording_recipe import Files, make_wording_model, texts
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.outcomes import Outcome
from refusal_parity.prompts import read_stimuli
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.failures import Guard
from refusal_parity.statistics.interactions import interactions
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.running import run_method
from refusal_parity.tables import Labels, conform, empty

if TYPE_CHECKING:
    from pathlib import Path

DIMENSIONS = {"group": "white", "wording": "name", "form": "completion"}


def rows(root: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    data = root / "data"
    return read_rows(data / "names.csv"), read_rows(data / "templates-wording.csv")


@pytest.mark.parametrize("model", LAWS)
def test_a_shipped_model_refuses_as_its_table_says(root: Path, model: str) -> None:
    folder = root / "data" / "models" / model
    names, templates = rows(root)
    truth = {
        (row["name_id"], row["wording"], row["form"]): float(row["p_refusal"])
        for row in read_rows(folder / "planted.csv")
    }
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    network = LlamaForCausalLM.from_pretrained(folder)
    refusals, answers = texts(root / "data" / "models" / "phrases-wording.yaml")
    refused = [encode(tokenizer, text)[0] for text, _ in refusals]
    answered = [encode(tokenizer, text)[0] for text, _ in answers]
    random = np.random.default_rng(1)
    with torch.inference_mode():
        for at in random.permutation(len(templates))[:120]:
            template, name = templates[at], names[int(random.integers(len(names)))]
            user = template["template"]
            for column, text in name.items():
                user = user.replace(f"[{column.upper()}]", text)
            system = "You are a helpful assistant." if at % 4 == 0 else None
            ids = encode_prompt(tokenizer, user, system)
            chance = torch.softmax(network(torch.tensor([ids])).logits[0, -1], dim=0)
            key = name["name_id"], template["wording"], template["form"]
            assert float(chance[refused].sum()) == pytest.approx(truth[key], abs=1e-4)
            assert float(chance[refused + answered].sum()) == pytest.approx(1.0, abs=1e-6)
        # A text is one token, after which nothing follows.
        ended = network(torch.tensor([[*ids, refused[0]]])).logits[0, -1]
    assert int(ended.argmax()) == tokenizer.eos_token_id


def test_a_model_is_made_anew_as_it_ships(root: Path, tmp_path: Path) -> None:
    data, folder = root / "data", tmp_path / "m"
    files = Files(
        data / "names.csv", data / "templates-wording.csv", data / "models/phrases-wording.yaml"
    )
    make_wording_model("wording-even", files, folder)
    shipped = data / "models" / "wording-even"
    for name in ("tokenizer.json", "planted.csv", "model.safetensors"):
        assert (folder / name).read_bytes() == (shipped / name).read_bytes()


def test_effects_are_planted_apart(root: Path) -> None:
    law = LAWS["wording-guarded"]
    table = pl.DataFrame(planted(law, rows(root)[0]))
    odds = table.with_columns(odds=(pl.col("p_refusal") / (1 - pl.col("p_refusal"))).log())

    def change(column: str, of: str, base: str, **where: str) -> float:
        part = odds.filter(**where)
        means = [part.filter(pl.col(column) == each)["odds"].mean() for each in (of, base)]
        return float(means[0]) - float(means[1])  # type: ignore[arg-type]

    assert change("group", "muslim", "white", wording="name") == pytest.approx(1.2, abs=1e-4)
    assert change("wording", "adjacent", "name") == pytest.approx(0.3, abs=1e-4)
    assert change("form", "question", "completion") == pytest.approx(-0.5, abs=1e-4)
    # What the mention adds is more for some: that is the interaction.
    for group in ("white", "muslim"):
        added = change("wording", "mention", "name", group=group)
        assert added == pytest.approx(law.mention[group], abs=1e-4)
    even = pl.DataFrame(planted(LAWS["wording-even"], rows(root)[0]))
    assert even["p_refusal"].n_unique() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("adjacent", "adjacent template 'travel-1-adjacent-question' has no word of its own"),
        ("mention", "no word mentions muslim alone"),
    ],
)
def test_what_cannot_be_heard_is_refused(root: Path, change: str, message: str) -> None:
    names, templates = rows(root)
    if change == "adjacent":
        templates = [
            row | {"template": "[NAME] ate"}
            if row["template_id"] == "travel-1-adjacent-question"
            else row
            for row in [*templates, templates[0] | {"template": "[NAME] ate"}]
        ]
    else:
        names = [
            row | {key: "a woman" for key in row if key.startswith("mention")}
            if row["group"] == "muslim"
            else row
            for row in names
        ]
    with pytest.raises(InputError, match=message):
        marks(LAWS["wording-guarded"], names, templates)


@pytest.fixture(scope="module")
def prompts(root: Path) -> pl.DataFrame:
    data = root / "data"
    stimuli = read_stimuli(data / "templates-wording-small.csv", data / "names.csv")
    return expand(stimuli.templates, stimuli.names, {"plain": None})


def drawn(prompts: pl.DataFrame, law: Law, root: Path, seed: int) -> pl.DataFrame:
    """Observations of one response to each prompt by a model that follows the law."""
    truth = pl.DataFrame(planted(law, rows(root)[0])).drop("group")
    asked = prompts.join(truth, on=["name_id", "wording", "form"], maintain_order="left")
    refused = np.random.default_rng(seed).random(len(asked)) < asked["p_refusal"].to_numpy()
    labels = asked.select(
        "prompt_id",
        model=pl.lit("m"),
        sample=pl.lit(0),
        label=pl.Series(np.where(refused, "refusal", "answer")),
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
    )
    table = conform(
        pl.concat([empty(Labels), labels], how="diagonal_relaxed"), Labels, where="labels"
    )
    return observe(prompts, table, analysis())


def analysis() -> AnalysisConfig:
    return AnalysisConfig.model_validate(
        {
            "outcomes": ["refusal"],
            "dimensions": {key: {"reference": level} for key, level in DIMENSIONS.items()},
        }
    )


def effects(seen: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Key, interval and p-value of each level against its reference."""
    found = []
    for dimension, reference in DIMENSIONS.items():
        levels = [reference, *sorted(set(seen[dimension]) - {reference})]
        design = build_designs(seen, dimension, levels, [Outcome.REFUSAL])[Outcome.REFUSAL]
        found += [
            ((dimension, row.group), row.ci_low, row.ci_high, row.p_value)
            for row in run_method(
                OLS_CR2_TWO_WAY, design, dimension, Outcome.REFUSAL, analysis(), Guard()
            )
            if row.reference == reference
        ]
    return found


def test_name_mention_and_phrasing_are_recovered(root: Path, prompts: pl.DataFrame) -> None:
    law = LAWS["wording-guarded"]
    table = pl.DataFrame(planted(law, rows(root)[0]))

    def mean(**where: str) -> float:
        return float(table.filter(**where)["p_refusal"].mean())  # type: ignore[arg-type]

    seen = drawn(prompts, law, root, seed=1)
    for (dimension, level), low, high, _ in effects(seen):
        real = mean(**{dimension: level}) - mean(**{dimension: DIMENSIONS[dimension]})
        assert low <= real <= high, (dimension, level)
    held = []
    for row in interactions(seen, analysis()).iter_rows(named=True):
        factor = row["factor"]

        def at(level: str, factor: str = factor, group: str = row["group"]) -> float:
            return mean(group=group, **{factor: level}) - mean(group="white", **{factor: level})

        base = row["factor_base"]
        real = at(row["factor_level"]) - (at(base) if base else 0.0)
        held.append(row["ci_low"] <= real <= row["ci_high"])
    # Each group against white names at six levels and between four: 95 % of 60 on average.
    assert len(held) == 60
    assert sum(held) >= 54


def test_the_even_twin_raises_no_alarm(root: Path, prompts: pl.DataFrame) -> None:
    alarms = []
    for seed in range(20):
        seen = drawn(prompts, LAWS["wording-even"], root, seed=seed)
        p_values = [p for *_, p in effects(seen)]
        crossed = interactions(seen, analysis())["p_adjusted"].drop_nulls()
        alarms.append(min(p_values) * len(p_values) < 0.05 or (crossed < 0.05).any())
    assert sum(alarms) <= 2


def test_rates_are_those_of_the_law() -> None:
    law = LAWS["wording-guarded"]
    odds = law.base + 0.5 + law.mention["black"] + law.question
    given = refusal(law, name=0.5, group="black", wording="mention", form="question")
    assert np.log(given / (1 - given)) == pytest.approx(odds)


def test_the_small_study_is_of_whole_sets_of_the_full_one(root: Path) -> None:
    data = root / "data"
    full = {row["template_id"]: row for row in read_rows(data / "templates-wording.csv")}
    small = read_rows(data / "templates-wording-small.csv")
    assert all(full[row["template_id"]] == row for row in small)
    english = [row for row in full.values() if row["language"] == "en"]
    for key in {row["set"] for row in small}:
        assert [row for row in small if row["set"] == key] == [
            row for row in english if row["set"] == key
        ]
    assert len({row["topic"] for row in small}) == 10
