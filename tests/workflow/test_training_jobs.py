"""What the job that trains a variant asks a cluster for."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Workplace

pytestmark = pytest.mark.workflow

ASKING = """\
include: "{root}/Snakefile"

import atexit
import json


def asked(job):
    kept = ("gpu", "gpu_model", "slurm_partition", "nodes", "tasks_per_gpu", "mem_mb", "runtime")
    first, last = ({{key: given.get(key) for key in kept}}
                   for given in (job.resources, resources_of_last_attempt(job)))
    return {{"first": first, "last": last}}


def say():
    jobs = [job for job in all_jobs() if job.rule.name == "train_variant"]
    print("asked", json.dumps({{job.wildcards.variant: asked(job) for job in jobs}}))


if workflow.is_main_process:
    atexit.register(say)
"""
"""A workflow that is this one, and says behind its plan what jobs would ask for."""

SITE = {"partition": "cpu", "gpu_partition": "gpu", "gpu_model": "a100", "max_runtime": 100}


@pytest.fixture(scope="module")
def asked(workplace_in: Any, root: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What jobs of two variants ask for, by variant: one with GPUs and one without."""
    place: Workplace = workplace_in(tmp_path_factory.mktemp("training"))
    study = yaml.safe_load((root / "config/hh-trained.yaml").read_text("utf-8"))
    on_gpus = {"gpus": 2, "mem_mb": 32000, "runtime": 40}
    study["train"]["variants"]["learnt-planted"] |= on_gpus
    place.write_config("study.yaml", study)
    place.write_config("site.yaml", SITE)
    (place.folder / "Snakefile").write_text(ASKING.format(root=root), "utf-8")
    command = ["snakemake", "all", "--dry-run", "--profile", str(root / "profiles/slurm")]
    command += ["--configfile", "study.yaml"]
    done = subprocess.run(
        command,
        cwd=place.folder,
        env=os.environ | {"REFUSAL_PARITY_SITE": "site.yaml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, line = (line for line in done.stdout.splitlines() if line.startswith("asked "))
    found: dict[str, Any] = json.loads(line.removeprefix("asked "))
    assert found.keys() == {"learnt-planted", "learnt-even"}
    return found


def test_a_variant_on_gpus_is_one_task_on_one_node_of_their_partition(
    asked: dict[str, Any],
) -> None:
    job = asked["learnt-planted"]
    assert job["first"] == {
        "gpu": 2, "gpu_model": "a100", "slurm_partition": "gpu", "nodes": 1, "tasks_per_gpu": 0,
        "mem_mb": 32000, "runtime": 40,
    }  # fmt: skip


def test_a_variant_on_the_cpu_asks_for_no_gpu(asked: dict[str, Any]) -> None:
    job = asked["learnt-even"]
    assert (job["first"]["gpu"], job["first"]["slurm_partition"]) == (0, "cpu")


def test_a_job_that_ran_out_of_time_asks_for_more_and_for_no_more_than_there_is(
    asked: dict[str, Any],
) -> None:
    # It goes on from its last checkpoint. The profile tries four times.
    job = asked["learnt-planted"]
    assert (job["first"]["runtime"], job["last"]["runtime"]) == (40, 100)
    assert job["last"] | {"runtime": 40} == job["first"]
