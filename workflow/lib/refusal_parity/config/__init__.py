"""The study config: every key, its type, default and description.

`workflow/schemas/config.schema.json` and the key reference in `config/README.md`
are made from these classes.
"""

from __future__ import annotations

from refusal_parity.config.analysis import (
    AnalysisConfig,
    AssumedVariance,
    DimensionConfig,
    ModelContrast,
    PrimaryFamily,
)
from refusal_parity.config.arms import Arm, arms_of
from refusal_parity.config.engines import ENGINES, Engine, EngineModel, engine_of
from refusal_parity.config.guards import ClassifierGuard, GuardConfig, ModelGuard
from refusal_parity.config.imported import ImportModel, TableColumns
from refusal_parity.config.labelling import HumanConfig, LabellingConfig
from refusal_parity.config.loading import load_config
from refusal_parity.config.models import TEMPLATE_DATE, ModelConfig, OpenAIModel, VllmModel
from refusal_parity.config.pairs import PairColumns, PairsFile
from refusal_parity.config.preference import PreferenceConfig
from refusal_parity.config.request import RequestConfig
from refusal_parity.config.section import Download
from refusal_parity.config.site import Site, find_site, load_site
from refusal_parity.config.sources import FolderSource, HubSource, TrainedSource, WheelSource
from refusal_parity.config.stopping import StopRule
from refusal_parity.config.study import PromptsConfig, ReportConfig, SamplingConfig, StudyConfig
from refusal_parity.config.thinking import Thinking, ThinkingTags
from refusal_parity.config.trained import training_folder
from refusal_parity.config.training import AdapterConfig, TrainConfig, VariantConfig

__all__ = [
    "ENGINES",
    "TEMPLATE_DATE",
    "AdapterConfig",
    "AnalysisConfig",
    "Arm",
    "AssumedVariance",
    "ClassifierGuard",
    "DimensionConfig",
    "Download",
    "Engine",
    "EngineModel",
    "FolderSource",
    "GuardConfig",
    "HubSource",
    "HumanConfig",
    "ImportModel",
    "LabellingConfig",
    "ModelConfig",
    "ModelContrast",
    "ModelGuard",
    "OpenAIModel",
    "PairColumns",
    "PairsFile",
    "PreferenceConfig",
    "PrimaryFamily",
    "PromptsConfig",
    "ReportConfig",
    "RequestConfig",
    "SamplingConfig",
    "Site",
    "StopRule",
    "StudyConfig",
    "TableColumns",
    "Thinking",
    "ThinkingTags",
    "TrainConfig",
    "TrainedSource",
    "VariantConfig",
    "VllmModel",
    "WheelSource",
    "arms_of",
    "engine_of",
    "find_site",
    "load_config",
    "load_site",
    "training_folder",
]
