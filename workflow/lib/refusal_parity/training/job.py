"""What is to be trained: a variant, and the files that it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import VariantConfig


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
