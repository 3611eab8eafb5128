"""Checkpoints of a training that hold no pickles, and stops that leave one behind."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import TrainerCallback

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from refusal_parity.inference.stopping import Sigterm

_STATE: Final = "training_state.safetensors"
_NAME: Final = re.compile(r"checkpoint-(\d+)")


class SafeCheckpoints:
    """For a `transformers.Trainer`: state of optimizer, schedule and chance in safetensors.

    The trainer's own files are pickles. Random numbers are torch's alone: no other is drawn
    while it trains.
    """

    optimizer: Any
    lr_scheduler: Any

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        state = self.optimizer.state_dict()
        tensors = {
            f"{parameter}/{name}": torch.as_tensor(value).contiguous()
            for parameter, values in state["state"].items()
            for name, value in values.items()
        }
        tensors["random/cpu"] = torch.random.get_rng_state()
        if torch.cuda.is_available():
            for at, each in enumerate(torch.cuda.get_rng_state_all()):
                tensors[f"random/cuda-{at}"] = each
        said = {"groups": state["param_groups"], "schedule": self.lr_scheduler.state_dict()}
        save_file(tensors, Path(output_dir) / _STATE, metadata={"state": json.dumps(said)})

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        with safe_open(Path(checkpoint) / _STATE, framework="pt") as file:
            said = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            parameter, _, key = name.partition("/")
            if parameter != "random":
                state.setdefault(int(parameter), {})[key] = tensor
        self.optimizer.load_state_dict({"state": state, "param_groups": said["groups"]})
        self.lr_scheduler.load_state_dict(said["schedule"])
        self._random = {name: each for name, each in tensors.items() if name.startswith("random/")}

    def _save_rng_state(self, output_dir: str) -> None:
        """It stands with the optimizer's."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        torch.random.set_rng_state(self._random["random/cpu"])
        of_gpus = [each for name, each in self._random.items() if name != "random/cpu"]
        if len(of_gpus) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(of_gpus)


class StopAtStep(TrainerCallback):
    """Ends the training behind the step at which a stop was asked for, with a checkpoint."""

    def __init__(self, stop: Sigterm) -> None:
        """Watch a handler of signals."""
        self._stop = stop

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> TrainerControl:
        """Ask for a checkpoint and an end."""
        del args
        if self._stop.asked and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True
        return control


def last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint of a training that is whole; null where there is none.

    The trainer writes its own state last.
    """
    whole = [
        path
        for path in folder.glob("checkpoint-*")
        if _NAME.fullmatch(path.name)
        and (path / _STATE).is_file()
        and (path / "trainer_state.json").is_file()
    ]
    return max(whole, key=lambda path: int(path.name.partition("-")[2]), default=None)


def keep_checkpoints_of(folder: Path, settings: dict[str, Any]) -> None:
    """Make room for checkpoints, and remove those of a training with other settings.

    Args:
        folder: of the checkpoints.
        settings: all that changes the weights.
    """
    note, said = folder / "settings.json", json.dumps(settings, sort_keys=True, indent=1)
    if not note.is_file() or note.read_text(encoding="utf-8") != said:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note.write_text(said, encoding="utf-8")
