"""One variant of a model: SFT or DPO by trl, of all weights or of an adapter by peft."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
import transformers
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from refusal_parity.errors import InputError
from refusal_parity.files import new_folder
from refusal_parity.inference.provenance import (
    file_hash,
    package_versions,
    small_files_hash,
    weights_hash,
)
from refusal_parity.inference.stopping import Sigterm
from refusal_parity.tables import Lessons, read_table
from refusal_parity.training.checkpoints import (
    SafeCheckpoints,
    StopAtStep,
    keep_checkpoints_of,
    last_checkpoint,
)
from refusal_parity.training.rendering import conversations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.config import VariantConfig
    from refusal_parity.training.lessons import Account

PROVENANCE: Final = "training.json"
"""In the folder of the weights: what they were made from, and how."""

_PACKAGES: Final = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers")
_COPIED: Final = (".json", ".jinja", ".model", ".txt")


class _Sft(SafeCheckpoints, SFTTrainer):  # type: ignore[misc]
    pass


class _Dpo(SafeCheckpoints, DPOTrainer):  # type: ignore[misc]
    pass


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """A variant to be trained.

    Attributes:
        key: of the variant.
        variant: its part of the config.
        base: folder of the model that it is made from.
        chat_template: file with a template in place of the model's own.
        lessons: the table of pairs to learn from.
        checkpoints: folder from which a stopped job goes on.
        threads: of the CPU.
    """

    key: str
    variant: VariantConfig
    base: Path
    chat_template: Path | None
    lessons: Path
    checkpoints: Path
    threads: int


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
    settings = _settings(job)
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
    _write(trainer, job, weights, said)
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


def _settings(job: TrainingJob) -> dict[str, Any]:
    """All that changes the weights."""
    found = weights_hash(job.base)
    if found is None:
        raise InputError(
            "there are no weights (*.safetensors)",
            where=str(job.base),
            remedy="Get the model anew; pickled weights are not loaded.",
        )
    return {
        "config": job.variant.taught(),
        "learning_rate": job.variant.rate,
        "base": {"weights_sha256": found, "files_sha256": small_files_hash(job.base)},
        "chat_template_sha256": job.chat_template and file_hash(job.chat_template),
        "lessons_sha256": file_hash(job.lessons),
        "threads": job.threads,
        "packages": package_versions(_PACKAGES),
    }


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


def _write(trainer: Any, job: TrainingJob, weights: Path, said: dict[str, Any]) -> None:
    """The folder, whole or not at all."""
    with new_folder(weights) as folder:
        network = trainer.accelerator.unwrap_model(trainer.model)
        network.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        if job.variant.adapter is None:
            # As the base has them: tokenizer and template are not trained.
            for path in sorted(job.base.iterdir()):
                own = path.name.startswith(("config.", "generation_config.", "model"))
                if path.suffix in _COPIED and not own:
                    shutil.copyfile(path, folder / path.name)
        else:
            _in_order(folder / "adapter_config.json", job.variant.model)
        text = json.dumps(said, indent=1, sort_keys=True)
        (folder / PROVENANCE).write_text(text + "\n", encoding="utf-8")
        for path in folder.iterdir():
            # safetensors writes files that only their owner may read.
            path.chmod(0o644)


def _in_order(path: Path, base: str) -> None:
    """An adapter's settings, the same in every run: peft writes sets, and where the base lay."""
    said = json.loads(path.read_text(encoding="utf-8"))
    said["base_model_name_or_path"] = base
    ordered = {key: sorted(each) if isinstance(each, list) else each for key, each in said.items()}
    path.write_text(json.dumps(ordered, indent=1, sort_keys=True) + "\n", encoding="utf-8")
