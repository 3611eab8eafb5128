"""Variants of models: what each learns from, and how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from refusal_parity.config.pairs import PairsFile
from refusal_parity.config.section import Key, PathText, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNING: Final = ("gpus", "gpu_model", "mem_mb", "runtime", "checkpoint_steps")
"""Keys of a variant that say how its job runs and change no weight."""


class AdapterConfig(Section):
    """A low-rank adapter (LoRA), which is all that is trained."""

    rank: int = Field(default=16, ge=1, description="Rank of its matrices.")
    alpha: float = Field(
        default=32, gt=0, description="Scale: what they add counts alpha / rank times."
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="Share that is left out at random.")
    modules: Literal["all-linear"] | list[str] = Field(
        default="all-linear",
        description="Layers that it is put on: all-linear, or their names (`[q_proj, v_proj]`).",
    )


class VariantConfig(Section):
    """One variant of a model, trained on preference data; it becomes a model of the study."""

    model: Key = Field(
        description="Key of the model that it is made from: one of `models`, or a variant that "
        "stands above it and whose weights were all trained."
    )
    method: Literal["sft", "dpo"] = Field(
        description="sft: learn to give the preferred answers. dpo: learn to prefer them to the "
        "rejected ones (arXiv 2305.18290)."
    )
    data: Annotated[list[Key], Field(min_length=1)] = Field(
        description="Keys of `train.data`: the files whose pairs it learns from."
    )
    without: list[str] = Field(
        default=[],
        description="Groups of the lexicon: pairs that mention one of them, anywhere, are left "
        "out. `[muslim]`",
    )
    adapter: AdapterConfig | None = Field(
        default=AdapterConfig(),
        description="Train a LoRA adapter; null trains all weights.",
    )
    epochs: float = Field(default=1.0, gt=0, description="How often it sees each pair.")
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="The highest, after a warm-up of a tenth of the steps. Null suits the method: "
        "1e-4 for sft and 5e-6 for dpo with an adapter, 1e-5 and 5e-7 without.",
    )
    batch: int = Field(default=16, ge=1, description="Pairs in a step.")
    batch_at_once: int | None = Field(
        default=None,
        ge=1,
        description="Of them as many as fit into memory at once; null takes all. It must divide "
        "`batch`.",
    )
    beta: float = Field(
        default=0.1, gt=0, description="With dpo: how closely it stays to the model it began as."
    )
    max_tokens: int = Field(
        default=1024,
        ge=1,
        description="Longest conversation with its answer, in tokens; longer pairs are left out "
        "and counted, none is cut.",
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32", description="Number format of weights and arithmetic."
    )
    seed: int = Field(default=1, ge=0, description="Seed of the adapter and of the order of pairs.")
    checkpoint_steps: int = Field(
        default=200,
        ge=1,
        description="Steps between checkpoints; a stopped job goes on from the last.",
    )
    gpus: int = Field(
        default=0,
        ge=0,
        description="GPUs of the job; the model's layers are spread over them.",
    )
    gpu_model: str | None = Field(
        default=None, description="GPU type to ask the scheduler for, such as a100."
    )
    mem_mb: int = Field(default=8000, ge=1, description="Memory of the job in MB.")
    runtime: int = Field(
        default=240, ge=1, description="Minutes of the job's first attempt; grows with attempts."
    )

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        suited = {"sft": (1e-4, 1e-5), "dpo": (5e-6, 5e-7)}[self.method]
        return self.learning_rate or suited[self.adapter is None]

    def taught(self) -> dict[str, Any]:
        """What the config says that changes the weights, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude=set(RUNNING))


class TrainConfig(Section):
    """Preference data and the variants that learn from it."""

    data: dict[Key, PairsFile] = Field(
        min_length=1,
        description="Files of pairs by key, such as the helpful and the harmless part of the "
        "Helpful and Harmless data.",
    )
    mentions: PathText = Field(
        default="data/mentions.csv",
        description="Lexicon of groups, for `without`; as preference.mentions.",
    )
    variants: dict[Key, VariantConfig] = Field(
        min_length=1, description="Variants by key; each is a model of the study of that key."
    )

    def files(self) -> Iterator[tuple[str, Path]]:
        """The files that must be there before the study runs."""
        for key, file in self.data.items():
            if not file.is_downloaded:
                yield f"data.{key}.path", Path(file.path)
        yield "mentions", Path(self.mentions)
