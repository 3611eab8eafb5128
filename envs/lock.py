"""Resolve the groups of pyproject.toml into the pinned environments of this folder.

For each environment NAME: `NAME.txt` for uv and pip, and `NAME.yaml` for conda
where Snakemake may make it (`--sdm conda`). Each pin carries the checksums of its
files on the Python package index, which uv and pip check. The CPU build of PyTorch
is not there, and has none; pip checks none where one is missing, so that the
`NAME.yaml` of such an environment carries no checksum at all.
Run it as `make lock`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVS = Path(__file__).parent
PYTHON = "3.11"


@dataclass(frozen=True)
class Environment:
    """One set of pins.

    Attributes:
        extras: groups of pyproject.toml beside the dependencies of the package.
        conda: whether Snakemake may make it with conda.
        cpu: whether torch is the CPU build.
        group: dependency group of pyproject.toml that stands alone, without the
            dependencies of the package.
    """

    extras: tuple[str, ...]
    conda: bool
    cpu: bool
    group: str | None = None


ENVIRONMENTS = {
    "analysis": Environment(extras=(), conda=True, cpu=False),
    "docs": Environment(extras=(), conda=False, cpu=False, group="docs"),
    "inference-cpu": Environment(extras=("cpu",), conda=True, cpu=True),
    "inference-gpu": Environment(extras=("gpu",), conda=True, cpu=False),
    "local-cpu": Environment(extras=("driver", "cpu", "train", "dev"), conda=False, cpu=True),
    "local-gpu": Environment(extras=("driver", "gpu", "train", "dev"), conda=False, cpu=False),
    "training-cpu": Environment(extras=("train",), conda=True, cpu=True),
    "training-gpu": Environment(extras=("train",), conda=True, cpu=False),
}


def resolve(name: str, uv: str) -> None:
    """Write one environment's `.txt`."""
    environment = ENVIRONMENTS[name]
    source = f"--group={environment.group}" if environment.group else "pyproject.toml"
    command = [uv, "pip", "compile", source, "--quiet"]
    command += ["--python-version", PYTHON, "--no-annotate", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    command += ["--custom-compile-command", "make lock"]
    command += [f"--extra={extra}" for extra in environment.extras]
    command += ["--output-file", f"envs/{name}.txt"]
    variables = dict(os.environ)
    if environment.cpu:
        command += ["--override", "envs/cpu-overrides.txt"]
    else:
        # A folder with the CPU build of torch would win over the GPU build.
        variables.pop("UV_FIND_LINKS", None)
    subprocess.run(command, cwd=ENVS.parent, env=variables, check=True)  # noqa: S603
    path = ENVS / f"{name}.txt"
    # Elsewhere the build of that version may be another file.
    text = path.read_text("utf-8")
    text = re.sub(r"^(torch==\S+[+]cpu)(?: \\\n +--hash=\S+)+", r"\1", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def export_conda(name: str) -> None:
    """Write one environment's `.yaml` from its `.txt`."""
    pinned = (ENVS / f"{name}.txt").read_text(encoding="utf-8").replace(" \\\n", "")
    pins = [
        re.sub(" +", " ", line) for line in pinned.splitlines() if line and not line.startswith("#")
    ]
    if ENVIRONMENTS[name].cpu:
        pins = [pin.split(" ")[0] for pin in pins]
    text = [
        "# Made from pyproject.toml by `make lock`; do not edit.",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        *(f"      - {pin}" for pin in pins),
    ]
    (ENVS / f"{name}.yaml").write_text("\n".join(text) + "\n", encoding="utf-8")


def main() -> None:
    """Resolve and export every environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", default="uv", help="the uv program")
    uv = parser.parse_args().uv
    for name, environment in ENVIRONMENTS.items():
        resolve(name, uv)
        if environment.conda:
            export_conda(name)


if __name__ == "__main__":
    main()
