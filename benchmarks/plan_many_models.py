"""How long planning takes as models are added: `make bench-plan`.

Prints wall-clock and CPU seconds of a dry-run under `--profile slurm` for one
model and for many, the better of some repeats, and the ratio of the two.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]

COMMAND = ("snakemake", "--dry-run", "--quiet", "all", "--profile", "slurm")


@dataclass(frozen=True, order=True)
class Took:
    """Seconds that a command took."""

    wall: float
    cpu: float


def plan(models: int, folder: Path) -> Took:
    """Dry-run a study of so many models."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    model = config["models"]["demo-even"]
    config["models"] = {f"model-{number}": model for number in range(models)}
    study = folder / f"{models}.yaml"
    study.write_text(yaml.safe_dump(config), encoding="utf-8")
    before, began = _cpu(), time.monotonic()
    subprocess.run(
        [*COMMAND, "--configfile", study],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return Took(wall=time.monotonic() - began, cpu=_cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Plan one model and many, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        one, many = (
            min(plan(models, Path(folder)) for _ in range(given.repeats))
            for models in (1, given.models)
        )
    for models, took in ((1, one), (given.models, many)):
        print(f"{models:>6} models: {took.wall:5.1f} s, of which CPU {took.cpu:4.1f} s")
    print(f"{many.cpu / one.cpu:.2f} times the CPU time of one model")


if __name__ == "__main__":
    main()
