"""Studies in fresh clones, run on the tests' cluster and interfered with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import psutil
import pytest
import yaml
from slurm_cluster import wait_until

from refusal_parity.cluster.accounting import read_jobs
from refusal_parity.cluster.runs import runs_of
from refusal_parity.tables import ClusterJobs, Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from slurm_cluster import Cluster

PATIENCE_S = 3600.0
"""How long something that takes seconds on an idle machine may take on a busy one."""


def _model(name: str, **settings: object) -> dict[str, Any]:
    source = {"path": f"data/models/{name}"}
    return {"engine": "vllm", "source": source, "prompt_mode": "chat"} | settings


ANOTHER: Final = {"max_model_len": 250}
"""By which a model is another one: else it would take over the responses of its like."""

STUDY: dict[str, Any] = {
    "study": "cluster",
    "prompts": {"templates": "data/templates.csv", "names": "data/names-56.csv"},
    "samples": 2,
    # The time limit that a model gets is a test's own business.
    "models": {
        "guarded-1": _model("demo-guarded"),
        "guarded-2": _model("demo-guarded", **ANOTHER),
        "even-1": _model("demo-even"),
        "even-2": _model("demo-even", **ANOTHER),
    },
    "labelling": {"gold": ["gold.csv"], "starter": False},
    "analysis": {"permutations": 999, "bootstraps": 999, "selfcheck": 20},
}
"""Four models, each with some seconds of drawing."""

SMALL_STUDY: dict[str, Any] = STUDY | {"models": {"even-1": _model("demo-even")}}
"""One of them."""

ROWS = 1792 * 2
"""Responses of each model."""

INFERENCE = ("generate_responses", "generate_shard")


@dataclass
class Place:
    """A clone of the repository and the study in it.

    Attributes:
        folder: the clone.
        cluster: where its jobs run.
    """

    folder: Path
    cluster: Cluster
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.folder / "results" / "cluster"

    def set_up_site(self, **keys: object) -> None:
        """Edit the site file, as a user would."""
        site = {"account": "lab", "partition": "cpu", "gpu_partition": "gpu"} | keys
        (self.folder / "profiles/slurm/site.yaml").write_text(yaml.safe_dump(site))

    def write_study(self, study: dict[str, Any]) -> None:
        """With every fifth of the starter labels: a classifier in seconds."""
        gold = pl.read_csv(self.folder / "data/gold/starter/completion.csv")
        gold.gather_every(5).write_csv(self.folder / "gold.csv")
        (self.folder / "study.yaml").write_text(yaml.safe_dump(study))

    def responses(self, model: str) -> str:
        """The target of one model's responses."""
        return f"results/cluster/models/{model}/responses.parquet"

    def read_responses(self, model: str) -> pl.DataFrame:
        return read_table(Responses, self.folder / self.responses(model))

    def jobs(self) -> pl.DataFrame:
        return read_table(ClusterJobs, self.results / "jobs.parquet")

    def accounted(self) -> pl.DataFrame:
        """Jobs of all runs, as accounting knows them now."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", self.cluster.path)
            return read_jobs(runs_of(self.results))

    def log(self, model: str) -> str:
        path = self.results / "logs/generate_responses" / f"{model}.log"
        return path.read_text() if path.exists() else ""

    def command(self, *arguments: str, made_up_gpus: int = 1) -> list[str]:
        """`snakemake --profile slurm`; each inference job takes a GPU that is made up.

        The models' own `gpus` stays 0: the engine draws on the CPU, for there is no GPU.
        """
        command = ["snakemake", *arguments, "--profile", "slurm", "--nocolor"]
        # Jobs of tests are over in seconds.
        command += ["--slurm-init-seconds-before-status-checks", "3"]
        if made_up_gpus:
            command.append("--set-resources")
            for rule in INFERENCE:
                command += [f"{rule}:gpu={made_up_gpus}", f"{rule}:slurm_partition=gpu"]
                command += [f"{rule}:gpu_model=a100"]
        return [*command, "--configfile", "study.yaml"]

    def start(self, *arguments: str, made_up_gpus: int = 1) -> subprocess.Popen[str]:
        """Start Snakemake; `finish` waits for it."""
        return self._start(self.command(*arguments, made_up_gpus=made_up_gpus))

    def finish(self, process: subprocess.Popen[str]) -> str:
        """Wait for Snakemake's end; returns what it said."""
        process.wait(PATIENCE_S)
        return (self.folder / "snakemake.log").read_text("utf-8")

    def run(self, *arguments: str, made_up_gpus: int = 1) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end, whatever that is."""
        return self.run_command(self.command(*arguments, made_up_gpus=made_up_gpus))

    def run_command(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command of `command`'s making, changed by a test."""
        process = self._start(command)
        said = self.finish(process)
        return subprocess.CompletedProcess(command, process.returncode, "", said)

    def run_locally(self, *targets: str) -> subprocess.CompletedProcess[str]:
        """Run the study, or make its targets, without a cluster."""
        return subprocess.run(
            ["snakemake", *targets, "--cores", "2", "--nocolor", "--configfile", "study.yaml"],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def engines(self) -> dict[str, psutil.Process]:
        """Processes that draw responses here, by model."""
        found = {}
        for process in psutil.process_iter(["cmdline", "cwd"]):
            command = process.info["cmdline"] or []
            if len(command) > 1 and command[1].endswith("generate_responses.py"):
                if process.info["cwd"] != str(self.folder):
                    continue
                for model in (path.stem for path in self.results.glob("logs/generate_responses/*")):
                    if any(f"/{model}.log" in file.path for file in process.open_files()):
                        found[model] = process
        return found

    def freeze(self, *models: str) -> None:
        """Stop each model's process in the middle of drawing, some responses done."""
        waiting = set(models)

        def frozen() -> bool:
            for model in list(waiting):
                if re.search(rf"of {ROWS:,} responses, ", self.log(model)):
                    engines = self.engines()
                    assert model in engines, f"{model} was done before it could be stopped"
                    engines[model].suspend()
                    waiting.discard(model)
            return not waiting

        wait_until(frozen, f"{models} draw", patience_s=PATIENCE_S)

    def thaw(self, *models: str) -> None:
        engines = self.engines()
        for model in models:
            engines[model].resume()

    def there_already(self, model: str) -> int:
        """Responses that the model's latest job found saved."""
        log = self.log(model)
        found = re.search(rf"([\d,]+) of {ROWS:,} responses are there already", log)
        assert found, log
        return int(found[1].replace(",", ""))

    def job_of(self, model: str) -> str:
        """SLURM's number of the model's inference job, the latest one."""
        comment = f"rule_generate_responses_wildcards_{model}"
        return [job["id"] for job in self.cluster.jobs() if job["comment"] == comment][-1]

    def end(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        for engine in self.engines().values():
            engine.resume()

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        with (self.folder / "snakemake.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._running.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        mine = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return mine | {"PATH": self.cluster.path}
