"""Variants that a study trains, as models of the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from refusal_parity.config.models import VllmModel
from refusal_parity.config.sources import TrainedSource
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from refusal_parity.config.study import StudyConfig
    from refusal_parity.config.training import VariantConfig


def training_folder(config: StudyConfig, variant: str) -> Path:
    """Where a variant's pairs, checkpoints and weights lie."""
    return Path(config.results) / config.study / "training" / variant


def with_trained(config: StudyConfig, where: str) -> StudyConfig:
    """The study with its variants among its models, each run as what it was made from.

    Args:
        config: the study.
        where: the config file, for error texts.

    Raises:
        InputError: a variant names a model or data that are not there, or a model that cannot
            be trained.
    """
    if config.train is None:
        return config
    models = dict(config.models)
    for key, variant in config.train.variants.items():
        here = f"train.variants.{key}"
        if key in models:
            raise InputError(
                f"{here} has the key of another model",
                where=where,
                remedy="Give each its own.",
            )
        for name in variant.data:
            if name not in config.train.data:
                raise InputError(
                    f"{here}.data names {name!r}, which is not in train.data",
                    where=where,
                    remedy=f"Name some of: {', '.join(config.train.data)}.",
                )
        if len(set(variant.data)) < len(variant.data):
            raise InputError(f"{here}.data names a file twice", where=where, remedy="Name it once.")
        if variant.batch % (variant.batch_at_once or 1):
            raise InputError(
                f"{here}.batch_at_once does not divide batch, which is {variant.batch}",
                where=where,
                remedy="Give one of its divisors.",
            )
        base = _trainable(config, models.get(variant.model), variant, where=where, here=here)
        made = TrainedSource(path=str(training_folder(config, key) / "weights"))
        place = "source" if variant.adapter is None else "lora"
        models[key] = base.model_copy(update={place: made, "variant_of": variant.model})
    return config.model_copy(update={"models": models})


def _trainable(
    config: StudyConfig, base: object, variant: VariantConfig, *, where: str, here: str
) -> VllmModel:
    """The model that a variant is made from."""
    if base is None:
        raise InputError(
            f"{here}.model names {variant.model!r}, which is no model of this study and no "
            "variant above",
            where=where,
            remedy=f"Name one of: {', '.join(config.models)}.",
        )
    reason = None
    if not isinstance(base, VllmModel):
        reason = "whose weights this study does not have"
    elif base.lora is not None:
        reason = "which is an adapter on other weights"
    elif base.prompt_mode != "chat":
        reason = "which has no turns: pairs are conversations"
    elif base.quantization is not None:
        reason = "whose weights are quantised"
    if reason is None and isinstance(base, VllmModel):
        return base
    raise InputError(
        f"{here}.model names {variant.model!r}, {reason}",
        where=where,
        remedy="Name a model with engine vllm, whole weights and prompt_mode chat (a base model "
        "can be given a chat_template).",
    )
