"""The folder of a variant's weights or adapter, and what it was made from."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.files import new_folder
from refusal_parity.inference.provenance import (
    file_hash,
    package_versions,
    small_files_hash,
    weights_hash,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.training.job import TrainingJob

PROVENANCE: Final = "training.json"
"""In the folder of the weights: what they were made from, and how."""

_PACKAGES: Final = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers")
_COPIED: Final = (".json", ".jinja", ".model", ".txt")


def settings_of(job: TrainingJob) -> dict[str, Any]:
    """All that changes the weights.

    Raises:
        InputError: the base has no weights that may be loaded.
    """
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


def write_weights(trainer: Any, job: TrainingJob, weights: Path, said: dict[str, Any]) -> None:
    """Write the folder, whole or not at all.

    Args:
        trainer: that has trained.
        job: says whether these are all weights or an adapter.
        weights: the folder.
        said: what made them, for `training.json`.
    """
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
