"""One variant of a model: SFT or DPO by trl, of all weights or of an adapter by peft."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import torch
import transformers
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from refusal_parity.errors import InputError
from refusal_parity.inference.stopping import Sigterm
from refusal_parity.tables import Lessons, read_table
from refusal_parity.training.checkpoints import (
    SafeCheckpoints,
    StopAtStep,
    keep_checkpoints_of,
    last_checkpoint,
)
from refusal_parity.training.rendering import conversations
from refusal_parity.training.weights import settings_of, write_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.config import VariantConfig
    from refusal_parity.training.job import TrainingJob
    from refusal_parity.training.lessons import Account


class _Sft(SafeCheckpoints, SFTTrainer):  # type: ignore[misc]
    pass


class _Dpo(SafeCheckpoints, DPOTrainer):  # type: ignore[misc]
    pass


def train_variant(
    job: TrainingJob, weights: Path, account: Account, say: Callable[[str], None]
) -> None:
    """Train a variant and write the folder of its weights or its adapter.

    Args:
        job: what it learns from, and how.
        weights: folder to write, in Hugging Face layout; `training.json` in it says all that
            made it.
        account: of the pairs; those that the model cannot read are moved in it.
        say: takes a line of progress.

    Raises:
        InputError: the folder holds no such model, or no pair is left.
        Stopped: the job was asked to stop, and left a checkpoint.
    """
    variant = job.variant
    if variant.gpus and not torch.cuda.is_available():
        raise InputError(
            f"the config asks for {variant.gpus} GPUs and this machine shows none",
            where=f"train.variants.{job.key}",
            remedy="Set gpus: 0 to train on the CPU, or run where GPUs are.",
        )
    torch.set_num_threads(job.threads)
    transformers.set_seed(variant.seed)
    tokenizer = _tokenizer(job)
    kept = conversations(read_table(Lessons, job.lessons), tokenizer, variant, account)
    say(account.sentence())
    if not kept:
        raise InputError(
            f"no pair is left ({account.sentence()})",
            where=f"train.variants.{job.key}",
            remedy="Raise max_tokens, or give a chat_template that takes such turns.",
        )
    settings = settings_of(job)
    keep_checkpoints_of(job.checkpoints, settings)
    with Sigterm() as stop:
        trainer = _trainer(job, tokenizer, kept, stop)
        begun = last_checkpoint(job.checkpoints)
        say(f"going on from {begun.name}" if begun else f"training on {trainer.args.device}")
        with stop.held():
            trainer.train(resume_from_checkpoint=None if begun is None else str(begun))
        done, total = trainer.state.global_step, trainer.state.max_steps
        if stop.asked and done < total:
            say(f"stopped by {stop.by} after step {done} of {total}; run again to go on")
            stop.check()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    _refuse_diverged(trainer, losses, job)
    said = {
        "variant": job.key,
        **settings,
        "pairs": account.table(job.key).drop("model").to_dicts(),
        "steps": total,
        "losses": losses,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }
    write_weights(trainer, job, weights, said)
    shutil.rmtree(job.checkpoints)
    say(f"{total} steps; loss {losses[0]} at first, {losses[-1]} at last")


def _refuse_diverged(trainer: Any, losses: list[float], job: TrainingJob) -> None:
    """Raise an InputError where weights or losses are no numbers any more."""
    learnt = (each for each in trainer.model.parameters() if each.requires_grad)
    if all(map(math.isfinite, losses)) and all(bool(each.isfinite().all()) for each in learnt):
        return
    # Going on from there would be of no use.
    shutil.rmtree(job.checkpoints)
    raise InputError(
        "training went astray: losses or weights are no numbers any more",
        where=f"train.variants.{job.key}",
        remedy=f"Lower learning_rate, which was {job.variant.rate:g}, or take dtype float32.",
    )


def _tokenizer(job: TrainingJob) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(
        job.base, local_files_only=True, trust_remote_code=False
    )
    if job.chat_template is not None:
        tokenizer.chat_template = job.chat_template.read_text(encoding="utf-8")
    if not tokenizer.chat_template:
        raise InputError(
            "there is no chat template",
            where=f"model folder {job.base}",
            remedy="Give the model a chat_template in the config.",
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _trainer(job: TrainingJob, tokenizer: Any, rows: list[dict[str, Any]], stop: Sigterm) -> Any:
    variant = job.variant
    at_once = variant.batch_at_once or variant.batch
    common: dict[str, Any] = {
        "output_dir": str(job.checkpoints),
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": variant.batch // at_once,
        "num_train_epochs": variant.epochs,
        "learning_rate": variant.rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.1,
        "seed": variant.seed,
        "data_seed": variant.seed,
        # Longer ones were left out and counted.
        "max_length": None,
        "bf16": variant.dtype == "bfloat16",
        "use_cpu": not variant.gpus,
        "gradient_checkpointing": bool(variant.gpus),
        "save_strategy": "steps",
        "save_steps": variant.checkpoint_steps,
        "save_total_limit": 2,
        "logging_steps": 10,
        "logging_first_step": True,
        # A loss that is no number would be logged as one of before.
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": bool(variant.gpus),
        "trust_remote_code": False,
    }
    network = AutoModelForCausalLM.from_pretrained(
        job.base,
        dtype=getattr(torch, variant.dtype),
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        device_map="auto" if variant.gpus > 1 else None,
    )
    _refuse_strange_modules(job, network)
    given = {
        "model": network,
        "train_dataset": Dataset.from_list(rows),
        "processing_class": tokenizer,
        "peft_config": _lora(variant),
        "callbacks": [StopAtStep(stop)],
    }
    if variant.method == "sft":
        return _Sft(args=SFTConfig(**common), **given)
    return _Dpo(args=DPOConfig(beta=variant.beta, **common), **given)


def _refuse_strange_modules(job: TrainingJob, network: Any) -> None:
    """Raise an InputError where an adapter is to be put on layers that are not there.

    The library that makes adapters says nothing as long as one of the names is there.
    """
    adapter = job.variant.adapter
    if adapter is None or isinstance(adapter.modules, str):
        return
    linear = [name for name, each in network.named_modules() if isinstance(each, torch.nn.Linear)]
    there = {name.rpartition(".")[2] for name in linear}
    strange = [
        name
        for name in adapter.modules
        if not any(each == name or each.endswith(f".{name}") for each in linear)
    ]
    if strange or not adapter.modules:
        raise InputError(
            f"adapter.modules names {strange[0]!r}, which is no linear layer of this model"
            if strange
            else "adapter.modules names no layer",
            where=f"train.variants.{job.key}",
            remedy=f"Name some of: {', '.join(sorted(there))}; or write all-linear.",
        )


def _lora(variant: VariantConfig) -> LoraConfig | None:
    adapter = variant.adapter
    if adapter is None:
        return None
    return LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=adapter.modules,
        task_type="CAUSAL_LM",
    )
