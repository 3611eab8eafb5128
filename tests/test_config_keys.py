"""Every key of a study's config: what it takes, and what is said of what it does not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from config_keys_of_models import MODEL_KEYS
from config_studies import AUDIT, BASE, GUARDED, HASH, PLACES, TRAINING, config_with
from config_values import (
    COUNT,
    COUNT_OR_0,
    KEY,
    OUTCOMES,
    PATH,
    PATH_OR_NONE,
    SEED,
    VARIANCE,
    WORD,
    WORD_OR_NONE,
    YES_OR_NO,
)
from refusal_parity.config import EngineModel, Site, TrainedSource, load_config
from refusal_parity.config.section import Section
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS: Final[dict[str, tuple[list[Any], list[Any]]]] = MODEL_KEYS | {
    "study": KEY,
    "results": PATH,
    "prompts": (
        [{"templates": "a", "names": "b"}, {"from_model": "c"}, {"list": "l.csv"}],
        ["t.csv", {}, {"list": "l.csv", "names": "n.csv"}, {"list": "l.csv", "from_model": "i"}],
    ),
    "preference": ([AUDIT["preference"], None], [{}, [], "pairs.jsonl"]),
    "preference.path": PATH,
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
    "preference.mentions": PATH,
    "preference.mentioned_in": (["request", "conversation"], ["answer", None]),
    "preference.judge_others": ([0, 500, None], [-1, "all", 1.5]),
    "preference.download": (
        [{"url": "https://localhost/p.gz", "sha256": HASH}, None],
        ["https://localhost/p.gz", {"url": "https://x"}],
    ),
    "preference.columns.chosen": WORD,
    "preference.columns.rejected": WORD,
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
    "train.mentions": PATH,
    "train.variants": ([TRAINING["train"]["variants"]], [{}, [], {"v": {}}, None]),
    "train.data.p.path": PATH,
    "train.data.p.format": (["transcripts", "messages"], ["answers", "csv", None]),
    "train.data.p.columns": (
        [{"chosen": "c", "rejected": "r"}],
        [{"prompt": "p"}, {"answers": ["a", "b"]}, None],
    ),
    "train.data.p.download": (
        [{"url": "https://localhost/p.gz", "sha256": HASH}, None],
        ["https://localhost/p.gz", {"url": "https://x"}],
    ),
    "train.variants.t.model": (["h", "v2"], ["i", "o", "v", "x", "t", "a b", None]),
    "train.variants.t.method": (["sft", "dpo"], ["ppo", None]),
    "train.variants.t.data": ([["p"]], [[], "p", ["x"], ["p", "p"], None]),
    "train.variants.t.without": ([[], ["muslim"]], ["muslim", [7], None]),
    "train.variants.t.adapter": ([None, {}, {"rank": 8}], [[], "lora", {"rank": 0}]),
    "train.variants.t.adapter.rank": COUNT,
    "train.variants.t.adapter.alpha": ([0.5, 32], [0, -1, None]),
    "train.variants.t.adapter.dropout": ([0, 0.1], [1, -0.1, None]),
    "train.variants.t.adapter.modules": (["all-linear", ["q_proj"]], ["all", 7, None]),
    "train.variants.t.epochs": ([0.5, 3], [0, "many", None]),
    "train.variants.t.learning_rate": ([1e-5, None], [0, "fast"]),
    "train.variants.t.batch": COUNT,
    "train.variants.t.batch_at_once": ([1, 8, 16, None], [0, 3, 32, "all"]),
    "train.variants.t.beta": ([0.1, 1], [0, -1, None]),
    "train.variants.t.max_tokens": COUNT,
    "train.variants.t.dtype": (["float32", "bfloat16"], ["float16", "auto", None]),
    "train.variants.t.seed": COUNT_OR_0,
    "train.variants.t.checkpoint_steps": COUNT,
    "train.variants.t.gpus": COUNT_OR_0,
    "train.variants.t.gpu_model": WORD_OR_NONE,
    "train.variants.t.mem_mb": COUNT,
    "train.variants.t.runtime": COUNT,
    "samples": COUNT,
    "sampling": ([{}, {"seed": 2}], [[], None, 3]),
    "models": ([{"o": BASE["models"]["o"]}], [{}, [], {"a b": BASE["models"]["o"]}]),
    "labelling": ([{}, {"seed": 2}], [[], None]),
    "analysis": ([{}, {"seed": 2}], [[], None]),
    "report": ([{}], [[], None]),
    "prompts.templates": ([*PATH[0], ["a.csv", "b.xlsx"]], [*PATH[1], [], ["a", "a"], ["{a}"]]),
    "prompts.names": PATH,
    "prompts.group_column": WORD,
    "prompts.arms": (
        [{"a": None}, {"a": None, "b": ""}, {"a": "Be kind.", "b": "Be\nstrict."}],
        [{}, {"a b": None}, {"a": 7}, {"a": None, "b": None}, {"a": "x", "A": "y"}, None, ["x"]],
    ),
    "guards": ([GUARDED["guards"]], [[], {"t": {}}, None]),
    "guards.t.kind": (["classifier"], ["rules", None]),
    "guards.t.harmful": ([["a.csv", "b.csv"]], [[], "a.csv", ["{a}.csv"], None]),
    "guards.t.harmless": ([["a.csv"]], [[], "a.csv", None]),
    "guards.t.names": PATH_OR_NONE,
    "guards.t.harmful_groups": ([[], ["x"]], ["x", [7], None]),
    "guards.t.harmless_groups": ([[], ["x"]], ["x", [7], None]),
    "guards.t.threshold": ([0.1, 0.9], [0, 1, "half", None]),
    "guards.m.kind": (["model"], ["models", None]),
    "guards.m.model": ([BASE["models"]["o"]], ["gpt", {}, BASE["models"]["i"], None]),
    "guards.m.system": WORD_OR_NONE,
    "guards.m.prompt": (["Safe? [PROMPT]"], ["Safe?", "[PROMPT] [PROMPT]", None]),
    "guards.m.stops": ([["bad"]], [[], "bad", ["Safe"], None]),
    "guards.m.passes": ([["good"]], [[], "good", ["UNSAFE"], None]),
    "guards.m.max_tokens": COUNT,
    "prompts.arms.w.system": (["y", None], [7, ["x"]]),
    "prompts.arms.w.wrap": (["Ha! [PROMPT]"], ["Hm.", 7, ["[PROMPT]"]]),
    "prompts.arms.w.guard": ([None], ["a b", 7]),
    "prompts.list": PATH,
    "prompts.columns": ([{"prompt_id": "id", "kind": "label"}], [{"kind": 7}, "label", None]),
    "prompts.sheet": (["runs", None], [7]),
    "prompts.download": (
        [{"url": "https://localhost/l.csv", "sha256": HASH}, None],
        ["https://localhost/l.csv", {"url": "https://x"}],
    ),
    "prompts.from_model": ([None], ["i", "v", "nobody", 7]),
    "sampling.temperature": ([0, 0.7, 2], [-0.1, "hot", None]),
    "sampling.top_p": ([0.1, 1], [0, 1.1, None]),
    "sampling.top_k": ([-1, 0, 50], [-2, 0.5, None]),
    "sampling.max_tokens": ([1, 4096, None], [0, -1, 1.5, "many"]),
    "sampling.seed": SEED,
    "pilot": ([None], ["earlier", "a b", 7]),
    "sampling.openings": (["draw", "weigh"], ["both", None, 3]),
    "labelling.method": (["classifier", "keyword"], ["people", None]),
    "labelling.gold": ([[], ["a.csv"]], ["a.csv", [7], ["{a}.csv"], None]),
    "labelling.starter": YES_OR_NO,
    "labelling.seed": COUNT_OR_0,
    "labelling.human": ([{}], [[], None]),
    "labelling.judge": ([None, BASE["models"]["o"]], ["gpt", {}, BASE["models"]["i"]]),
    "labelling.judge_max_tokens": COUNT,
    "labelling.judge_draws": COUNT,
    "labelling.abstain_below": ([0, 0.5, 1], [-0.1, 1.1, "half", None]),
    "labelling.human.labels": ([[], ["a.json"]], ["a.json", [7], None]),
    "labelling.human.leaf_labels": ([[]], ["a.json", [7], None]),
    "labelling.human.leaves": COUNT,
    "labelling.human.probability": COUNT,
    "labelling.human.floor": COUNT,
    "labelling.human.informative": COUNT_OR_0,
    "labelling.human.show_votes": YES_OR_NO,
    "labelling.human.mask_names": YES_OR_NO,
    "labelling.human.seed": SEED,
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
    "analysis.stop_when": (
        [None, {"half_width": 0.1, "grow": "samples", "stages": [1, 3]}],
        [{}, {"half_width": 0.1, "grow": "names"}, "names", {"p_value": 0.05}],
    ),
    "analysis.stop_when.half_width": ([0.01, 0.5], [0, 1, 5, None]),
    "analysis.stop_when.grow": (["templates", "names", "samples"], ["models", None]),
    "analysis.stop_when.stages": (
        [[24, 36, 48], [1, 2]],
        [[24], [24, 24], [36, 24], [0, 24], 24, None],
    ),
    "analysis.stop_when.seed": SEED,
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
    "analysis.mixed_model": YES_OR_NO,
    "analysis.selfcheck": COUNT_OR_0,
    "analysis.selfcheck_outcomes": ([[], ["refusal"]], [["answer_length"], ["x"], None]),
    "analysis.assumed": ([{}], [[], None]),
    "analysis.seed": COUNT_OR_0,
    "analysis.dimensions.group.reference": WORD,
    "analysis.primary_family.outcome": (OUTCOMES[0], [*OUTCOMES[1], "answer_length"]),
    "analysis.primary_family.dimension": (["group", "gender"], ["family", "colour", None]),
    "analysis.model_contrasts.0.model": (["w"], ["x", "a b", None]),
    "analysis.model_contrasts.0.baseline": (["w"], ["x", "v", None]),
    "analysis.assumed.rate": ([0.01, 0.99], [0, 1, None]),
    "analysis.assumed.name": VARIANCE,
    "analysis.assumed.template": VARIANCE,
    "analysis.assumed.template_group": VARIANCE,
    "analysis.assumed.cell": VARIANCE,
    "analysis.assumed.sample": VARIANCE,
    "report.characters": COUNT_OR_0,
}
"""For each key, values that it takes, and values that it does not take."""


def _sections(of: type[Section] = Section) -> Iterator[type[Section]]:
    for each in of.__subclasses__():
        yield each
        yield from _sections(each)


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
    config = load_config(config_with(key, value), where="x.yaml")
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
        load_config(config_with(key, value), where="x.yaml")
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
