"""How long planning takes as models are added: `make bench-plan`.

Prints wall-clock and CPU seconds of a dry-run under `--profile slurm` for one
model and for many, the best of some repeats; and of the least that Snakemake
can do on this machine: as many jobs that depend on each other in the same way
and have nothing but an output and a command.
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

COMMAND = ("snakemake", "--dry-run")

BARE = """\
rule report:
    input: expand("{{model}}/tests", model=range({models}))
rule test:
    input: "{{model}}/labels"
    output: "{{model}}/tests"
    shell: "touch {{output}}"
rule label:
    input: "{{model}}/responses"
    output: "{{model}}/labels"
    shell: "touch {{output}}"
rule generate:
    output: "{{model}}/responses"
    shell: "touch {{output}}"
"""


@dataclass(frozen=True, order=True)
class Took:
    """Seconds that a command took."""

    wall: float
    cpu: float


def plan(models: int, folder: Path) -> Took:
    """Dry-run a study of so many models."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    model = config["models"]["demo-even"]
    config["results"] = str(folder / "results")
    config["models"] = {f"model-{number}": model for number in range(models)}
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump(config), encoding="utf-8")
    return _time("--profile", "slurm", "--configfile", str(study), folder=ROOT)


def plan_bare(models: int, folder: Path) -> Took:
    """Dry-run a workflow that has a study's jobs of so many models and nothing else."""
    (folder / "Snakefile").write_text(BARE.format(models=models), encoding="utf-8")
    return _time("--cores", "1", folder=folder)


def _time(*arguments: str, folder: Path) -> Took:
    before, began = _cpu(), time.monotonic()
    subprocess.run([*COMMAND, *arguments], cwd=folder, check=True, capture_output=True)
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
    cases = {
        "1 model": (plan, 1),
        f"{given.models} models": (plan, given.models),
        "as many bare jobs": (plan_bare, given.models),
    }
    with tempfile.TemporaryDirectory() as folder:
        best = {
            name: min(planned(models, Path(folder)) for _ in range(given.repeats))
            for name, (planned, models) in cases.items()
        }
    for name, took in best.items():
        print(f"{name:>18}: {took.wall:5.1f} s, of which CPU {took.cpu:4.1f} s")
    one, many, bare = (took.cpu for took in best.values())
    print(f"CPU time: {many / one:.2f} times one model's, {many / bare:.2f} times the bare jobs'")


if __name__ == "__main__":
    main()
