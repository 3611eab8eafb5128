"""Configs of studies in which every key has a place."""

from __future__ import annotations

import copy
from typing import Any, Final

HASH: Final = "0123456789abcdef" * 4
VLLM: Final = {"engine": "vllm", "prompt_mode": "chat"}
BASE: Final[dict[str, Any]] = {
    "study": "s",
    "prompts": {"templates": "t.csv", "names": "n.csv"},
    "models": {
        "v": VLLM
        | {
            "source": {"path": "weights"},
            "thinking": {"start": "<a>", "end": "</a>"},
            "lora": {"path": "adapter"},
        },
        "h": VLLM | {"source": {"hub": "owner/name", "revision": HASH[:40]}},
        "w": VLLM
        | {"source": {"package": "p", "version": "1.0", "file": "p/m.gguf", "sha256": HASH}},
        "i": {
            "engine": "import",
            "path": "r.csv",
            "format": "table",
            "columns": {"response": "r", "prompt": "p", "label": "l"},
            "download": {"url": "https://localhost/r.csv", "sha256": HASH},
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


STOPPING: Final[dict[str, Any]] = BASE | {
    "models": {key: model for key, model in BASE["models"].items() if key != "i"},
    "analysis": BASE["analysis"]
    | {"stop_when": {"half_width": 0.05, "grow": "templates", "stages": [24, 36]}},
}
"""The base config with a stopping rule, and without what has its responses already."""

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
    "StopRule": "analysis.stop_when",
    "ModelContrast": "analysis.model_contrasts.0",
    "AssumedVariance": "analysis.assumed",
    "ReportConfig": "report",
}
"""Where the base config has each section, or takes it."""


def config_with(path: str, value: Any) -> dict[str, Any]:
    """The base config with a value at a place, and what must stand around it."""
    raw = copy.deepcopy(
        AUDIT
        if path.startswith("preference")
        else TRAINING
        if path.startswith("train.")
        else GUARDED
        if path.startswith(("guards", "prompts.arms."))
        else STOPPING
        if path.startswith("analysis.stop_when")
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
        raw["models"]["v2"] = VLLM | {"source": {"path": "weights"}}
    if parents == ["prompts"] and last in {"list", "columns", "sheet", "download"}:
        # A sheet is one of a workbook.
        raw["prompts"] = {"list": "l.ods" if last == "sheet" else "l.csv", last: value}
    if path == "models.i.sheet":
        raw["models"]["i"]["path"] = "r.xlsx"
    if path == "prompts" and isinstance(value, dict) and "from_model" in value:
        raw["models"]["c"] = {"engine": "import", "path": "r.csv", "format": "chehbouni-2024"}
    return raw
