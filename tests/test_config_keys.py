"""Every key of a study's config: what it takes, and what is said of what it does not take."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import pytest

from refusal_parity.config import EngineModel, Site, TrainedSource, load_config
from refusal_parity.config.section import Section
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HASH: Final = "0123456789abcdef" * 4
_VLLM: Final = {"engine": "vllm", "prompt_mode": "chat"}
BASE: Final[dict[str, Any]] = {
    "study": "s",
    "prompts": {"templates": "t.csv", "names": "n.csv"},
    "models": {
        "v": _VLLM
        | {
            "source": {"path": "weights"},
            "thinking": {"start": "<a>", "end": "</a>"},
            "lora": {"path": "adapter"},
        },
        "h": _VLLM | {"source": {"hub": "owner/name", "revision": _HASH[:40]}},
        "w": _VLLM
        | {"source": {"package": "p", "version": "1.0", "file": "p/m.gguf", "sha256": _HASH}},
        "i": {
            "engine": "import",
            "path": "r.csv",
            "format": "table",
            "columns": {"response": "r", "prompt": "p", "label": "l"},
            "download": {"url": "https://localhost/r.csv", "sha256": _HASH},
        },
        "o": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"},
    },
    "analysis": {"dimensions": {"group": {"reference": "a"}, "gender": {"reference": "b"}}},
}

GUARDED: Final[dict[str, Any]] = BASE | {
    "prompts": BASE["prompts"]
    | {
        "arms": {
            "a": None,
            "w": {"system": "x", "wrap": "Hm. [PROMPT]"},
            "taught": {"guard": "t"},
            "asked": {"guard": "m"},
        }
    },
    "guards": {
        "t": {"kind": "classifier", "harmful": ["u.csv"], "harmless": ["t.csv"]},
        "m": {
            "kind": "model",
            "model": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"},
        },
    },
}
"""The same with guards before its models."""

TRAINING: Final[dict[str, Any]] = BASE | {
    "train": {
        "data": {"p": {"path": "pairs.jsonl", "format": "transcripts"}},
        "variants": {
            "t": {"model": "h", "method": "sft", "data": ["p"], "adapter": {"rank": 4}},
            "u": {"model": "h", "method": "dpo", "data": ["p"], "adapter": None},
        },
    },
}
"""The base config with variants that it trains."""

AUDIT: Final[dict[str, Any]] = {
    "study": "s",
    "preference": {
        "path": "pairs.jsonl",
        "format": "answers",
        "columns": {"prompt": "p", "answers": ["a", "b"], "better": "c"},
    },
}
"""The base config of an audit of preference data."""

PLACES: Final = {
    "StudyConfig": "",
    "PromptsConfig": "prompts",
    "Arm": "prompts.arms.w",
    "ClassifierGuard": "guards.t",
    "ModelGuard": "guards.m",
    "SamplingConfig": "sampling",
    "VllmModel": "models.v",
    "FolderSource": "models.v.source",
    "HubSource": "models.h.source",
    "WheelSource": "models.w.source",
    "ThinkingTags": "models.v.thinking",
    "ImportModel": "models.i",
    "TableColumns": "models.i.columns",
    "Download": "models.i.download",
    "OpenAIModel": "models.o",
    "RequestConfig": "models.o.request",
    "PreferenceConfig": "preference",
    "PairColumns": "preference.columns",
    "TrainConfig": "train",
    "PairsFile": "train.data.p",
    "VariantConfig": "train.variants.t",
    "AdapterConfig": "train.variants.t.adapter",
    "LabellingConfig": "labelling",
    "HumanConfig": "labelling.human",
    "AnalysisConfig": "analysis",
    "DimensionConfig": "analysis.dimensions.group",
    "PrimaryFamily": "analysis.primary_family",
    "ModelContrast": "analysis.model_contrasts.0",
    "AssumedVariance": "analysis.assumed",
    "ReportConfig": "report",
}
"""Where the base config has each section, or takes it."""

_WORD = (["x"], [7, None, ["x"]])
_WORD_OR_NONE = (["x", None], [7, ["x"]])
_PATH = (["a/b c.csv"], [7, "a{b}.csv"])
_PATH_OR_NONE = (["a/b c.csv", None], [7, "{a}"])
_YES_OR_NO = ([True, False], ["perhaps", 7])
_COUNT = ([1, 999_999], [0, -1, 1.5, "many", None])
_COUNT_OR_0 = ([0, 7], [-1, 1.5, None])
_VARIANCE = ([0, 0.25], [-0.1, "wide", None])
_SEED = ([0, -3, 2**40], [1.5, "x", None])
_PRICE = ([0, 0.15, None], [-1, "cheap"])
_SHA = ([_HASH], ["abc", _HASH.upper(), None])
_THINKING = (
    ["auto", "none", {"start": "a", "end": "b"}],
    ["yes", {"start": "a"}, {"start": "", "end": "b"}],
)
_KEY = (["a-1.b_c"], ["", "a b", "../a", "-a", None])
_OUTCOMES = (["refusal", "any_refusal"], ["refusals", None, 3])

KEYS: Final[dict[str, tuple[list[Any], list[Any]]]] = {
    "study": _KEY,
    "results": _PATH,
    "prompts": (
        [{"templates": "a", "names": "b"}, {"from_model": "c"}, {"list": "l.csv"}],
        ["t.csv", {}, {"list": "l.csv", "names": "n.csv"}, {"list": "l.csv", "from_model": "i"}],
    ),
    "preference": ([AUDIT["preference"], None], [{}, [], "pairs.jsonl"]),
    "preference.path": _PATH,
    "preference.format": (["answers"], ["transcripts", "messages", "csv", None]),
    "preference.columns": (
        [{"prompt": "p"}, {"prompt": "p", "answers": ["a", "b"], "strength": "s"}],
        [
            {},
            {"prompt": "p", "answers": ["a", "b"]},
            {"prompt": "p", "answers": ["a", "b"], "strength": "s", "better": "c"},
            {"prompt": "p", "better": "c"},
            None,
        ],
    ),
    "preference.mentions": _PATH,
    "preference.mentioned_in": (["request", "conversation"], ["answer", None]),
    "preference.download": (
        [{"url": "https://localhost/p.gz", "sha256": _HASH}, None],
        ["https://localhost/p.gz", {"url": "https://x"}],
    ),
    "preference.columns.chosen": _WORD,
    "preference.columns.rejected": _WORD,
    "preference.columns.prompt": (["q"], [None, 7]),
    "preference.columns.answers": ([["c", "d"]], [["c"], ["c", "d", "e"], "c", None]),
    "preference.columns.better": (["w"], [None, 7]),
    "preference.columns.first_is": (["model_a"], [True, "1", None]),
    "preference.columns.second_is": (["model_b"], [True, "0", None]),
    "preference.columns.tie_is": ([[], ["tie", "both"]], [["0"], ["x", "x"], "tie", None]),
    "preference.columns.strength": ([None], ["s", 7]),
    "train": (
        [TRAINING["train"], None],
        [[], {"data": TRAINING["train"]["data"]}, {"variants": TRAINING["train"]["variants"]}],
    ),
    "train.data": ([TRAINING["train"]["data"]], [{}, [], {"q": {}}, None]),
    "train.mentions": _PATH,
    "train.variants": ([TRAINING["train"]["variants"]], [{}, [], {"v": {}}, None]),
    "train.data.p.path": _PATH,
    "train.data.p.format": (["transcripts", "messages"], ["answers", "csv", None]),
    "train.data.p.columns": (
        [{"chosen": "c", "rejected": "r"}],
        [{"prompt": "p"}, {"answers": ["a", "b"]}, None],
    ),
    "train.data.p.download": (
        [{"url": "https://localhost/p.gz", "sha256": _HASH}, None],
        ["https://localhost/p.gz", {"url": "https://x"}],
    ),
    "train.variants.t.model": (["h", "v2"], ["i", "o", "v", "x", "t", "a b", None]),
    "train.variants.t.method": (["sft", "dpo"], ["ppo", None]),
    "train.variants.t.data": ([["p"]], [[], "p", ["x"], ["p", "p"], None]),
    "train.variants.t.without": ([[], ["muslim"]], ["muslim", [7], None]),
    "train.variants.t.adapter": ([None, {}, {"rank": 8}], [[], "lora", {"rank": 0}]),
    "train.variants.t.adapter.rank": _COUNT,
    "train.variants.t.adapter.alpha": ([0.5, 32], [0, -1, None]),
    "train.variants.t.adapter.dropout": ([0, 0.1], [1, -0.1, None]),
    "train.variants.t.adapter.modules": (["all-linear", ["q_proj"]], ["all", 7, None]),
    "train.variants.t.epochs": ([0.5, 3], [0, "many", None]),
    "train.variants.t.learning_rate": ([1e-5, None], [0, "fast"]),
    "train.variants.t.batch": _COUNT,
    "train.variants.t.batch_at_once": ([1, 8, 16, None], [0, 3, 32, "all"]),
    "train.variants.t.beta": ([0.1, 1], [0, -1, None]),
    "train.variants.t.max_tokens": _COUNT,
    "train.variants.t.dtype": (["float32", "bfloat16"], ["float16", "auto", None]),
    "train.variants.t.seed": ([0, 7], [-1, 1.5, None]),
    "train.variants.t.checkpoint_steps": _COUNT,
    "train.variants.t.gpus": _COUNT_OR_0,
    "train.variants.t.gpu_model": _WORD_OR_NONE,
    "train.variants.t.mem_mb": _COUNT,
    "train.variants.t.runtime": _COUNT,
    "samples": _COUNT,
    "sampling": ([{}, {"seed": 2}], [[], None, 3]),
    "models": ([{"o": BASE["models"]["o"]}], [{}, [], {"a b": BASE["models"]["o"]}]),
    "labelling": ([{}, {"seed": 2}], [[], None]),
    "analysis": ([{}, {"seed": 2}], [[], None]),
    "report": ([{}], [[], None]),
    "prompts.templates": ([*_PATH[0], ["a.csv", "b.xlsx"]], [*_PATH[1], [], ["a", "a"], ["{a}"]]),
    "prompts.names": _PATH,
    "prompts.group_column": _WORD,
    "prompts.arms": (
        [{"a": None}, {"a": None, "b": ""}, {"a": "Be kind.", "b": "Be\nstrict."}],
        [{}, {"a b": None}, {"a": 7}, {"a": None, "b": None}, {"a": "x", "A": "y"}, None, ["x"]],
    ),
    "guards": ([GUARDED["guards"]], [[], {"t": {}}, None]),
    "guards.t.kind": (["classifier"], ["rules", None]),
    "guards.t.harmful": ([["a.csv", "b.csv"]], [[], "a.csv", ["{a}.csv"], None]),
    "guards.t.harmless": ([["a.csv"]], [[], "a.csv", None]),
    "guards.t.names": _PATH_OR_NONE,
    "guards.t.harmful_groups": ([[], ["x"]], ["x", [7], None]),
    "guards.t.harmless_groups": ([[], ["x"]], ["x", [7], None]),
    "guards.t.threshold": ([0.1, 0.9], [0, 1, "half", None]),
    "guards.m.kind": (["model"], ["models", None]),
    "guards.m.model": ([BASE["models"]["o"]], ["gpt", {}, BASE["models"]["i"], None]),
    "guards.m.system": _WORD_OR_NONE,
    "guards.m.prompt": (["Safe? [PROMPT]"], ["Safe?", "[PROMPT] [PROMPT]", None]),
    "guards.m.stops": ([["bad"]], [[], "bad", ["Safe"], None]),
    "guards.m.passes": ([["good"]], [[], "good", ["UNSAFE"], None]),
    "guards.m.max_tokens": _COUNT,
    "prompts.arms.w.system": (["y", None], [7, ["x"]]),
    "prompts.arms.w.wrap": (["Ha! [PROMPT]"], ["Hm.", 7, ["[PROMPT]"]]),
    "prompts.arms.w.guard": ([None], ["a b", 7]),
    "prompts.list": _PATH,
    "prompts.columns": ([{"prompt_id": "id", "kind": "label"}], [{"kind": 7}, "label", None]),
    "prompts.sheet": (["runs", None], [7]),
    "prompts.download": (
        [{"url": "https://localhost/l.csv", "sha256": _HASH}, None],
        ["https://localhost/l.csv", {"url": "https://x"}],
    ),
    "prompts.from_model": ([None], ["i", "v", "nobody", 7]),
    "sampling.temperature": ([0, 0.7, 2], [-0.1, "hot", None]),
    "sampling.top_p": ([0.1, 1], [0, 1.1, None]),
    "sampling.top_k": ([-1, 0, 50], [-2, 0.5, None]),
    "sampling.max_tokens": ([1, 4096, None], [0, -1, 1.5, "many"]),
    "sampling.seed": _SEED,
    "sampling.openings": (["draw", "weigh"], ["both", None, 3]),
    "models.v.openings": (["draw", "weigh", None], ["both", 3]),
    "models.v.variant_of": ([None, "h"], ["x", "v", "a b", 7]),
    "models.v.engine": (["vllm"], ["vlm", None]),
    "models.v.source": (
        [{"path": "a"}, {"hub": "a/b", "revision": "0" * 40}],
        [{}, {"pth": "a"}, "a", None, {"path": "a", "hub": "b"}],
    ),
    "models.v.prompt_mode": (["chat", "completion"], ["talk", None]),
    "models.v.chat_template": _PATH_OR_NONE,
    "models.v.date": (["2024-02-29"], ["2023-02-29", "today", None]),
    "models.v.lora": ([{"path": "a"}, None], [{"package": "a"}, "a"]),
    "models.v.stop": ([[], ["\n", "Q:"]], ["\n", [7], None]),
    "models.v.thinking": _THINKING,
    "models.v.dtype": (["auto", "float32", "bfloat16", "float16"], ["int8", None]),
    "models.v.quantization": _WORD_OR_NONE,
    "models.v.batch_invariant": _YES_OR_NO,
    "models.v.gpus": _COUNT_OR_0,
    "models.v.gpu_model": _WORD_OR_NONE,
    "models.v.mem_mb": _COUNT,
    "models.v.runtime": _COUNT,
    "models.v.shards": _COUNT,
    "models.v.max_model_len": ([1, 4096, None], [0, "long"]),
    "models.v.trust_remote_code": _YES_OR_NO,
    "models.v.source.path": _PATH,
    "models.h.source.hub": (["a/b"], [7, "a/{b}", None]),
    "models.h.source.revision": (["f" * 40], ["main", "f" * 39, "F" * 40, None]),
    "models.w.source.package": (["llm-small"], ["a b", "a @ file:///x", "-r x", None]),
    "models.w.source.version": (["1.2.3", "0.1rc1"], ["1.x", ">=1", None]),
    "models.w.source.wheel_sha256": ([_HASH, None], ["abc"]),
    "models.w.source.file": (["p/m.gguf"], [7, None]),
    "models.w.source.sha256": _SHA,
    "models.v.thinking.start": (["<b>"], ["", 7, None]),
    "models.v.thinking.end": (["</b>"], ["", 7, None]),
    "models.i.openings": (["draw", None], ["weigh", "both", 3]),
    "models.i.variant_of": ([None, "v"], ["x", "i", "a b", 7]),
    "models.i.engine": (["import"], ["imports", None]),
    "models.i.path": _PATH,
    "models.i.format": (["table"], ["csv", "chehbouni-2024", None]),
    "models.i.columns": (
        [{"response": "r", "template": "t", "name": "n"}],
        [None, {}, {"response": "r"}, {"response": "r", "template": "t"}],
    ),
    "models.i.where": ([{}, {"split": "test"}, {"a": ["x", 1]}], [{"a": None}, "test", None]),
    "models.i.called": _WORD_OR_NONE,
    "models.i.sheet": _WORD_OR_NONE,
    "models.i.columns.model": _WORD_OR_NONE,
    "models.i.labels": (
        [{}, {"yes": "answer", "no": "refusal", "1": None}],
        [{"x": "rude"}, {True: "answer"}, {"A": "answer", "a ": "refusal"}, None],
    ),
    "models.i.thinking": _THINKING,
    "models.i.download": ([None], ["https://localhost/r.csv", {"url": "https://x"}]),
    "models.i.columns.response": _WORD,
    "models.i.columns.prompt": (["p"], [None, 7]),
    "models.i.columns.template": ([None], ["t", 7]),
    "models.i.columns.name": ([None], ["n", 7]),
    "models.i.columns.system_prompt": _WORD_OR_NONE,
    "models.i.columns.sample": _WORD_OR_NONE,
    "models.i.columns.label": _WORD_OR_NONE,
    "models.i.columns.thinking": _WORD_OR_NONE,
    "models.i.columns.finish_reason": _WORD_OR_NONE,
    "models.i.download.url": (["http://localhost/a"], ["file:///etc/passwd", "a", None]),
    "models.i.download.sha256": _SHA,
    "models.o.openings": (["draw", None], ["weigh", "both", 3]),
    "models.o.variant_of": ([None, "v"], ["x", "o", "a b", 7]),
    "models.o.engine": (["openai"], ["open-ai", None]),
    "models.o.base_url": (
        ["https://localhost:8000/v1"],
        ["localhost", "ftp://x", "http://user:pw@x", "http://x/v1?key=1", "http://", None],
    ),
    "models.o.model": _WORD,
    "models.o.service": ([None, "second"], ["", 7]),
    "models.o.api_key_env": (["MY_KEY", "A_TOKEN", None], ["HOME", "MY KEY", "sk-abcdefghijk", 7]),
    "models.o.request": ([{}, "azure", {"presets": ["azure"]}], ["mine", [], None]),
    "models.o.thinking": _THINKING,
    "models.o.concurrency": _COUNT,
    "models.o.retries": _COUNT_OR_0,
    "models.o.timeout_s": ([0.5, 60], [0, -1, "long", None]),
    "models.o.patience_s": ([0.5, 60], [0, -1, "long", None]),
    "models.o.reuse_within": _COUNT_OR_0,
    "models.o.prompt_price": _PRICE,
    "models.o.response_price": _PRICE,
    "models.o.request.presets": ([[], ["azure", "openai-reasoning"]], ["azure", ["own"], None]),
    "models.o.request.rename": (
        [{"max_tokens": "max_new_tokens"}],
        [{"model": "m"}, {"seed": 7}, {"seed": "sk-abcdefghijk"}, None],
    ),
    "models.o.request.leave_out": ([["seed", "top_p"]], [["messages"], "seed", None]),
    "models.o.request.extra_body": (
        [{"reasoning": {"effort": "low"}}],
        [{"model": "x"}, {"api_key": "x"}, {"note": "sk-abcdefghijk"}, None],
    ),
    "models.o.request.query": ([{"api-version": "2024-10-21"}], [{"key": "x"}, {"a": [1]}, None]),
    "labelling.method": (["classifier", "keyword"], ["people", None]),
    "labelling.gold": ([[], ["a.csv"]], ["a.csv", [7], ["{a}.csv"], None]),
    "labelling.starter": _YES_OR_NO,
    "labelling.seed": _SEED,
    "labelling.human": ([{}], [[], None]),
    "labelling.judge": ([None, BASE["models"]["o"]], ["gpt", {}, BASE["models"]["i"]]),
    "labelling.judge_max_tokens": _COUNT,
    "labelling.judge_draws": _COUNT,
    "labelling.abstain_below": ([0, 0.5, 1], [-0.1, 1.1, "half", None]),
    "labelling.human.labels": ([[], ["a.json"]], ["a.json", [7], None]),
    "labelling.human.probability": _COUNT,
    "labelling.human.floor": _COUNT,
    "labelling.human.informative": _COUNT_OR_0,
    "labelling.human.show_votes": _YES_OR_NO,
    "labelling.human.mask_names": _YES_OR_NO,
    "labelling.human.seed": _SEED,
    "analysis.outcomes": (
        [["refusal"], ["refusal", "answer_length"]],
        [[], ["refusals"], ["any_refusal"], ["refusal", "refusal"], "refusal", None],
    ),
    "analysis.dimensions": (
        [{"group": {"reference": "a"}}],
        [{}, {"colour": {"reference": "a"}}, {"gender": {"reference": "a"}}, {"group": "a"}, None],
    ),
    "analysis.covariates": ([[], ["log_frequency", "births"]], ["births", ["a", "a"], [""], None]),
    "analysis.filtered": (["refusal", "excluded"], ["answer", None]),
    "analysis.truncated": (["label", "leave_out"], ["drop", None]),
    "analysis.alpha": ([0.01, 0.1], [0, 0.5, 5, None]),
    "analysis.margin": ([0.02, 0.5], [0, 1, 5, None]),
    "analysis.length_margin": ([0.5, 20], [0, -1, None]),
    "analysis.odds_margin": ([1.1, 3], [1, 0.5, -2, None]),
    "analysis.primary_family": ([{}, {"dimension": "gender"}], [[], {"dimension": "arm"}, None]),
    "analysis.across_models": (["none", "fdr_bh", "fdr_by"], ["fdr", True, None]),
    "analysis.permutations": ([99, 10_000], [98, 0, None]),
    "analysis.bootstraps": ([99, 10_000], [98, 0, None]),
    "analysis.model_contrasts": (
        [[], [{"model": "v", "baseline": "h"}]],
        [
            [{"model": "v"}],
            [{"model": "v", "baseline": "v"}],
            [{"model": "v", "baseline": "h"}, {"model": "v", "baseline": "h"}],
            {"model": "v"},
            None,
        ],
    ),
    "analysis.model_series": (
        [{}, {"sizes": {"v": 1, "h": 7.5}}],
        [{"sizes": {"v": 1}}, {"sizes": {"v": 1, "x": 2}}, {"sizes": {"v": 0, "h": 1}}, [], None],
    ),
    "analysis.mixed_model": _YES_OR_NO,
    "analysis.selfcheck": _COUNT_OR_0,
    "analysis.selfcheck_outcomes": ([[], ["refusal"]], [["answer_length"], ["x"], None]),
    "analysis.assumed": ([{}], [[], None]),
    "analysis.seed": _SEED,
    "analysis.dimensions.group.reference": _WORD,
    "analysis.primary_family.outcome": (_OUTCOMES[0], [*_OUTCOMES[1], "answer_length"]),
    "analysis.primary_family.dimension": (["group", "gender"], ["family", "colour", None]),
    "analysis.model_contrasts.0.model": (["w"], ["x", "a b", None]),
    "analysis.model_contrasts.0.baseline": (["w"], ["x", "v", None]),
    "analysis.assumed.rate": ([0.01, 0.99], [0, 1, None]),
    "analysis.assumed.name": _VARIANCE,
    "analysis.assumed.template": _VARIANCE,
    "analysis.assumed.template_group": _VARIANCE,
    "analysis.assumed.cell": _VARIANCE,
    "analysis.assumed.sample": _VARIANCE,
    "report.characters": _COUNT_OR_0,
}
"""For each key, values that it takes, and values that it does not take."""


def _sections(of: type[Section] = Section) -> Iterator[type[Section]]:
    for each in of.__subclasses__():
        yield each
        yield from _sections(each)


def _with(path: str, value: Any) -> dict[str, Any]:
    """The base config with a value at a place, and what must stand around it."""
    raw = copy.deepcopy(
        AUDIT
        if path.startswith("preference")
        else TRAINING
        if path.startswith("train.")
        else GUARDED
        if path.startswith(("guards", "prompts.arms."))
        else BASE
    )
    if path == "preference" and value is None:
        raw = copy.deepcopy(BASE)
    if path.startswith("analysis.model_contrasts."):
        raw["analysis"]["model_contrasts"] = [{"model": "v", "baseline": "h"}]
    place: Any = raw
    *parents, last = path.split(".")
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[last] = value
    if value == "v2":
        # A model whose weights are whole.
        raw["models"]["v2"] = _VLLM | {"source": {"path": "weights"}}
    if parents == ["prompts"] and last in {"list", "columns", "sheet", "download"}:
        raw["prompts"] = {"list": "l.csv", last: value}
    if path == "prompts" and isinstance(value, dict) and "from_model" in value:
        raw["models"]["c"] = {"engine": "import", "path": "r.csv", "format": "chehbouni-2024"}
    return raw


def test_every_key_is_in_the_table() -> None:
    sections = [each for each in _sections() if each not in {EngineModel, Site, TrainedSource}]
    known = {each.__name__ for each in sections if each.__module__.startswith("refusal_parity.")}
    assert known == PLACES.keys()
    keys = {
        f"{PLACES[each.__name__]}.{key}".lstrip(".")
        for each in sections
        if each.__name__ in PLACES
        for key in each.model_fields
    }
    assert keys == KEYS.keys()
    assert all(right and wrong for right, wrong in KEYS.values())


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, (right, _) in KEYS.items() for value in right]
)
def test_what_a_key_takes(key: str, value: Any) -> None:
    config = load_config(_with(key, value), where="x.yaml")
    given: Any = config.model_dump(mode="json", exclude_unset=True)
    for part in key.split("."):
        given = given[int(part)] if isinstance(given, list) else given[part]
    if not isinstance(value, dict) and key != "models.o.request":
        assert given == value


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, (_, wrong) in KEYS.items() for value in wrong]
)
def test_what_is_said_of_what_a_key_does_not_take(key: str, value: Any) -> None:
    with pytest.raises(InputError) as raised:
        load_config(_with(key, value), where="x.yaml")
    error = raised.value
    assert error.where == "x.yaml"
    # The key itself, the section that it does not fit, or what lies within it.
    said = error.what.replace("[0]", ".0").replace(": columns", ".columns")
    parent = key.rpartition(".")[0]
    assert key in said or (parent and parent in said), said
    assert error.remedy.endswith((".", ".)"))
    assert len(error.remedy) > 10
    assert "Traceback" not in str(error)
    assert "\n" not in str(error)
