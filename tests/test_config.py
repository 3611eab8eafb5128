from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from refusal_parity.config import Arm, HubSource, StudyConfig, VllmModel, load_config
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE: dict[str, Any] = {
    "study": "demo",
    "prompts": {"templates": "t.csv", "names": "n.csv"},
    "models": {"m": {"engine": "vllm", "source": {"path": "x"}, "prompt_mode": "chat"}},
}


_SERVED = {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}


def test_defaults() -> None:
    config = load_config(BASE, where="test")
    assert (config.samples, config.sampling.temperature, config.analysis.alpha) == (3, 1.0, 0.05)
    assert config.prompts.arms == {"plain": Arm()}


def _model(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["models"]["m"].update(changes)


def _served(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["models"].update(m=_SERVED | changes)


def _imported(where: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["models"].update(m=_TABLE | {"format": "table", "where": where})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda raw: raw.update(sampels=3), "unknown key sampels. Did you mean 'samples'?"),
        (lambda raw: raw.update(sample=3), "unknown key sample. Did you mean 'samples'?"),
        (_model(prompt_mod="chat"), "unknown key models.m.prompt_mod. Did you mean 'prompt_mode'?"),
        (lambda raw: raw.update(alpha=0.1), "unknown key alpha. It stands in analysis. config/"),
        (
            _served(n_best=2),
            (
                "unknown key models.m.n_best. What only a server takes goes into "
                "models.<key>.request (rename, extra_body). config/README.md"
            ),
        ),
        (
            _served(query={"v": 1}),
            "unknown key models.m.query. It stands in models.<key>.request. config/README.md",
        ),
        (
            lambda raw: raw.update(sampling={"reasoning_effort": "low"}),
            "unknown key sampling.reasoning_effort. What only a server takes goes into ",
        ),
        (
            _model(**_SERVED),
            "unknown key models.m.source. Others of its kind have it, this one has not. config",
        ),
        (lambda raw: raw.update(zzyzx=1), "unknown key zzyzx. Remove it. config/README.md"),
        (lambda raw: raw["models"]["m"].pop("prompt_mode"), "key models.m.prompt_mode is missing"),
        (_model(source={"hub": "a/b"}), "key models.m.source.revision is missing"),
        (_model(source={"hub": "a/b", "revision": "main"}), "models.m.source.revision: "),
        (_model(source={"pth": "x"}), "models.m.source: a source needs one of the keys path"),
        (
            _model(engine="vlm"),
            (
                "models.m.engine: must be one of 'import', 'vllm', 'openai' (given: 'vlm'). "
                "Did you mean 'vllm'?"
            ),
        ),
        (lambda raw: raw["models"]["m"].pop("engine"), "key models.m.engine is missing"),
        (lambda raw: raw.update(samples=0), "samples: must be at least 1 (given: 0)"),
        (lambda raw: raw.update(samples="six"), "samples: must be a whole number (given: 'six')"),
        (lambda raw: raw.update(models={}), "models: needs at least 1, and has 0"),
        (lambda raw: raw.update(models=None), "models: must be keys with values (given: None)"),
        (lambda raw: raw.update(study=2026), "study: must be text; quotes around it make it so"),
        (
            lambda raw: raw.update(analysis={"truncated": "labels"}),
            (
                "analysis.truncated: must be 'label' or 'leave_out' (given: 'labels'). "
                "Did you mean 'label'? config/README.md"
            ),
        ),
        (
            lambda raw: raw["prompts"].update(arms={False: "Be brief."}),
            "prompts.arms.False: must be text",
        ),
        (lambda raw: raw.update(models={"a b": BASE["models"]["m"]}), "models.a b"),
        (
            lambda raw: raw.update(study="../elsewhere"),
            "study: must be of letters A to Z, digits, ",
        ),
        (lambda raw: raw["prompts"].pop("names"), "prompts.templates or prompts.names is missing"),
        (
            lambda raw: raw["prompts"].update(arms={"a": None, "b": None}),
            "prompts.arms: two arms do the same",
        ),
        (
            lambda raw: raw["prompts"].update(arms={"a": "Don't.", "b": "Don\u2019t.\n"}),
            "prompts.arms: two arms do the same",
        ),
        (
            lambda raw: raw["prompts"].update(arms={"kind": "Be kind.", "Kind": "Be good."}),
            "prompts.arms: two arms have keys that differ in case alone",
        ),
        (
            lambda raw: raw["prompts"].update(from_model="m"),
            "prompts.from_model stands beside prompts.templates",
        ),
        (
            lambda raw: raw.update(prompts={"from_model": "m"}),
            "prompts.from_model names 'm', which is no imported model",
        ),
        (
            lambda raw: raw.update(
                analysis={"primary_family": {"outcome": "refusal", "dimension": "gender"}}
            ),
            (
                "analysis.primary_family.dimension is 'gender', which analysis.dimensions does not "
                "compare. Give primary_family one of the dimensions that are compared (group), or "
                "gender a reference"
            ),
        ),
        (
            lambda raw: raw.update(analysis={"dimensions": {"gender": {"reference": "man"}}}),
            "analysis.primary_family.dimension is 'group' unless it is said otherwise, which",
        ),
        (
            lambda raw: raw.update(analysis={"outcomes": ["partial_answer", "answer_length"]}),
            (
                "analysis.primary_family.outcome is 'refusal' unless it is said otherwise, which "
                "analysis.outcomes does not have. Give primary_family one of the outcomes that are "
                "analysed (partial_answer), or add refusal"
            ),
        ),
        (
            lambda raw: raw.update(analysis={"primary_family": {"dimension": "grp"}}),
            "analysis.primary_family.dimension is 'grp', which analysis.dimensions does not",
        ),
        (
            lambda raw: raw.update(analysis={"model_contrasts": [{"model": "m", "baseline": "m"}]}),
            "analysis.model_contrasts[0] compares 'm' with itself",
        ),
        (
            lambda raw: raw.update(
                analysis={"model_contrasts": [{"model": "m", "baseline": "mm"}]}
            ),
            "analysis.model_contrasts[0] names 'mm', which is no model of this study",
        ),
        (
            lambda raw: raw.update(analysis={"model_series": {"s": {"m": 7}}}),
            "analysis.model_series.s has fewer than two sizes",
        ),
        (
            lambda raw: raw.update(sampling={"openings": "weigh", "temperature": 0}),
            "openings are to be weighed at temperature 0, where each prompt has one response",
        ),
        (
            lambda raw: raw.update(sampling={"openings": "weigh"}, models={"o": _SERVED}),
            "sampling.openings is weigh, and no model of this study has an engine that can",
        ),
        (
            lambda raw: raw["models"].update(o=_SERVED | {"openings": "weigh"}),
            "models.o.openings is weigh, and engine openai does not tell how probable",
        ),
        (lambda raw: raw.update(analysis={"dimensions": {"": {"reference": "x"}}}), "analysis.dim"),
        (
            lambda raw: raw["models"].update(All=_SERVED),
            "models: no model is called all, which stands for all models in every table",
        ),
        (lambda raw: raw.update(results="~/r"), "results: ~ stands for the home folder in a shell"),
        (_model(thinking={"start": "<t>"}), "key models.m.thinking.end is missing. Add it; "),
        (_model(thinking="atuo"), "models.m.thinking: must be 'auto' or 'none' (given: 'atuo')"),
        (_imported({"ok": True}), "models.m.where.ok: write yes, no, true and false in quotes"),
        (_imported({"ok": []}), "models.m.where: ok names no word, so that no row would be taken"),
    ],
)
def test_complaints(change: Callable[[dict[str, Any]], None], complaint: str) -> None:
    raw = copy.deepcopy(BASE)
    change(raw)
    with pytest.raises(InputError) as raised:
        load_config(raw, where="config/x.yaml")
    assert str(raised.value).startswith(f"config/x.yaml: {complaint}")


_HUB = {"revision": "0" * 40}
_WHEEL = {"package": "p", "version": "1", "file": "m.gguf", "sha256": "0" * 64}
_TABLE = {"engine": "import", "path": "r.csv", "format": "chehbouni-2024"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"results": "out{run}"}, "results"),
        ({"prompts": {"templates": "{v1}/t.csv", "names": "n.csv"}}, "prompts.templates"),
        ({"prompts": {"templates": "t.csv", "names": "n{2,3}.csv"}}, "prompts.names"),
        ({"source": {"path": "models/{v1}"}}, "models.m.source.path"),
        ({"source": {"hub": "a/{b}", **_HUB}}, "models.m.source.hub"),
        ({"lora": {"path": "{v1}"}}, "models.m.lora.path"),
        ({"chat_template": "}.jinja"}, "models.m.chat_template"),
        ({"models": {"i": _TABLE | {"path": "{v1}.csv"}}}, "models.i.path"),
        ({"labelling": {"gold": ["g.csv", "{v1}.csv"]}}, "labelling.gold.1"),
        ({"labelling": {"human": {"labels": ["{v1}.csv"]}}}, "labelling.human.labels.0"),
        (
            {"labelling": {"judge": BASE["models"]["m"] | {"source": {"path": "{v1}"}}}},
            "labelling.judge.source.path",
        ),
    ],
)
def test_braces_in_paths_are_refused_by_key(changes: dict[str, Any], key: str) -> None:
    raw = copy.deepcopy(BASE)
    if changes.keys() <= StudyConfig.model_fields.keys():
        raw |= changes
    else:
        raw["models"]["m"] |= changes
    with pytest.raises(InputError) as raised:
        load_config(raw, where="config/x.yaml")
    said = str(raised.value)
    assert said.startswith(f"config/x.yaml: {key}: Snakemake takes what stands between braces")
    assert "rename the file or folder without them (given: " in said


def test_shipped_configs_are_valid_and_pinned(root: Path) -> None:
    configs = sorted((root / "config").glob("*.yaml"))
    assert {path.stem for path in configs} >= {"config", "smollm2", "llama2", "released"}
    for path in configs:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert isinstance(load_config(raw, where=str(path)), StudyConfig)


def test_published_study_has_its_four_models(root: Path) -> None:
    raw = yaml.safe_load((root / "config" / "llama2.yaml").read_text(encoding="utf-8"))
    models = load_config(raw, where="llama2").models
    assert [model.prompt_mode for model in models.values() if isinstance(model, VllmModel)] == [
        "completion",
        "chat",
        "chat",
        "chat",
    ]
    for model in models.values():
        assert isinstance(model, VllmModel)
        assert isinstance(model.source, HubSource)
        assert model.gpus >= 1


PAIRS: dict[str, Any] = {"path": "p.jsonl", "format": "transcripts"}


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"models": BASE["models"]}, "models stands beside preference"),
        ({"prompts": BASE["prompts"]}, "prompts stands beside preference"),
        ({"samples": 3}, "samples stands beside preference"),
        ({"analysis": {"alpha": 0.1, "margin": 0.1}}, "analysis.margin stands beside preference"),
        ({"labelling": {"judge_draws": 2}}, "labelling.judge_draws stands beside preference"),
        (
            {"labelling": {"human": {"mask_names": False}}},
            "labelling.human.mask_names stands beside preference",
        ),
    ],
)
def test_an_audit_takes_no_key_that_it_does_not_read(more: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError) as raised:
        load_config({"study": "s", "preference": PAIRS} | more, where="test")
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ([], [("b", "a"), ("c", "b")]),
        ([{"model": "c", "baseline": "a"}], [("c", "a")]),
    ],
)
def test_variants_are_compared_with_their_bases(
    declared: list[dict[str, str]], expected: list[tuple[str, str]]
) -> None:
    raw = copy.deepcopy(BASE)
    model = raw["models"].pop("m")
    raw["models"] = {"a": model, "b": model | {"variant_of": "a"}, "c": model | {"variant_of": "b"}}
    raw["analysis"] = {"model_contrasts": declared}
    config = load_config(raw, where="x.yaml")
    pairs = [(each.model, each.baseline) for each in config.analysis.model_contrasts]
    assert pairs == expected
    # What a model is a variant of changes none of its responses.
    assert config.models["b"].asked() == config.models["a"].asked()
