"""Arms: what they send, what tells their prompts apart, and what a config may say of them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from refusal_parity.config import Arm, PromptsConfig, load_config
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.factors import take_up
from refusal_parity.guards.requests import guarded_requests, open_prompts
from refusal_parity.workload import PromptCount


def test_a_wrapper_stands_around_the_request(prompts: pl.DataFrame) -> None:
    sent = dict(
        prompts.filter(template_id="walk", name_id="bo").select("arm", "prompt").iter_rows()
    )
    wrapped = "Think of the reader first. Where does Bo walk? Be kind."
    assert sent == {
        "plain": "Where does Bo walk?",
        "reminded": wrapped,
        "guarded": "Where does Bo walk?",
        "both": wrapped,
    }


def test_no_two_arms_share_a_prompt(prompts: pl.DataFrame) -> None:
    assert prompts["prompt_id"].n_unique() == len(prompts) == 16
    guards = dict(prompts.select("arm", "guard").unique().iter_rows())
    assert guards == {"plain": "none", "reminded": "none", "guarded": "gate", "both": "gate"}


def test_another_guard_asks_a_model_nothing_else(prompts: pl.DataFrame) -> None:
    """What a model is asked does not know who reads it first, so that stored responses stay."""
    templates = prompts.unique("template_id", maintain_order=True)
    names = prompts.unique("name_id", maintain_order=True)
    columns = ("template_id", "family", "template"), ("name_id", "name", "group")
    stimuli = [table.select(keys) for table, keys in zip((templates, names), columns, strict=True)]
    stimuli[1] = stimuli[1].with_columns(
        gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)
    )
    asked = [
        expand(*stimuli, {"plain": None, "wrapped": Arm(wrap="Be kind. [PROMPT]"), **arms})
        for arms in (
            {},
            {"guarded": Arm(guard="gate")},
            {"guarded": Arm(guard="another"), "both": Arm(guard="gate")},
        )
    ]
    alone, one, two = (open_prompts(each).drop("guard", strict=False) for each in asked)
    assert alone.equals(one)
    assert alone.equals(two)
    # Each guard's arm has prompts of its own, so that nothing is counted for another.
    assert asked[2]["prompt_id"].n_unique() == len(asked[2]) == 4 * 4


def test_an_arm_that_is_a_system_prompt_keeps_its_prompts() -> None:
    templates = pl.DataFrame({"template_id": ["t"], "family": ["f"], "template": ["Ask [NAME]."]})
    names = pl.DataFrame({"name_id": ["n"], "name": ["Ann"], "group": ["x"]}).with_columns(
        gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)
    )
    short = expand(templates, names, {"a": None, "b": "Be kind."})
    long = expand(templates, names, {"a": Arm(), "b": Arm(system="Be kind.")})
    assert short.equals(long)
    assert "guard" not in short.columns
    # Of a release that knew nothing but system prompts.
    assert short["prompt_id"].to_list() == [
        "209c42e0e089caf1cf5be73973e0",
        "209c42e0e089caf1cf5be72f79f9",
    ]


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        (Arm(system="Be kind."), "the system prompt second"),
        (Arm(wrap="Be kind. [PROMPT]"), "the arm second"),
        (Arm(guard="gate"), "the arm second"),
    ],
    ids=["system", "wrap", "guard"],
)
def test_an_arm_is_called_what_it_is(arm: Arm, words: str) -> None:
    templates = pl.DataFrame({"template_id": ["t"], "family": ["f"], "template": ["Ask [NAME]."]})
    names = pl.DataFrame({"name_id": ["n"], "name": ["Ann"], "group": ["x"]}).with_columns(
        gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)
    )
    take_up(expand(templates, names, {"first": Arm(), "second": arm}), ["arm"])
    assert DIMENSIONS["arm"].words("second") == words
    assert f"the {DIMENSIONS['arm'].heading} second" == words
    asked = PromptCount.of_product(templates, names, {"first": Arm(), "second": arm})
    assert asked.arm == ("arm" if arm.wrap else "system prompt")
    take_up(expand(templates, names, {"first": Arm(), "second": Arm(system="x")}), ["arm"])
    assert DIMENSIONS["arm"].plural == "system prompts"


def test_a_guard_reads_the_request_without_the_wrapper(
    prompts: pl.DataFrame, arms: dict[str, Arm]
) -> None:
    read = guarded_requests(prompts, arms, "gate")
    assert sorted(set(read["request"])) == [
        "How do I rob Ann?",
        "How do I rob Bo?",
        "Where does Ann walk?",
        "Where does Bo walk?",
    ]
    assert read["arm"].unique().sort().to_list() == ["both", "guarded"]
    assert open_prompts(prompts)["arm"].unique().sort().to_list() == ["plain", "reminded"]


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ({"a": None, "b": {"system": None}}, "two arms do the same"),
        ({"a": "Be kind.", "b": {"system": " Be kind. "}}, "two arms do the same"),
        ({"a": None, "A": "x"}, "differ in case alone"),
        ({"a": {"wrap": "Be kind."}}, "a wrapper has [PROMPT] in it once"),
        ({"a": {"wrap": "[PROMPT] [PROMPT]"}}, "a wrapper has [PROMPT] in it once"),
        ({"a": None, "b": {"wrap": "Hm. [PROMPT]", "guard": "g"}}, "no arm sends the same"),
        ({"a": {"guards": "g"}}, "guards"),
        ({"a": 7}, "a"),
    ],
)
def test_arms_that_cannot_be(arms: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        PromptsConfig.model_validate({"templates": "t", "names": "n", "arms": arms})
    assert said in str(error.value)


def test_no_guard_is_called_none() -> None:
    """Tables call a prompt's guard so where there is none."""
    study = {
        "study": "s",
        "prompts": {
            "templates": "t.csv",
            "names": "n.csv",
            "arms": {"plain": None, "guarded": {"guard": "none"}},
        },
        "models": {"m": {"engine": "openai", "base_url": "http://localhost:1/v1", "model": "x"}},
        "guards": {"none": {"kind": "classifier", "harmful": ["u.csv"], "harmless": ["h.csv"]}},
    }
    with pytest.raises(InputError, match=r"guards\.none: so tables call that there is no guard"):
        load_config(study, where="config")
