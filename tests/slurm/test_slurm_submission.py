"""What is submitted: how many jobs, and what they ask for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from slurm_study import SMALL_STUDY, STUDY

if TYPE_CHECKING:
    from slurm_study import Place

pytestmark = pytest.mark.slurm

LOCAL = {
    "all",
    "account_for_training",
    "ask_how_refusals_open",
    "ask_propensity",
    "overview_models",
    "compare_models",
    "gather_design",
    "gather_selfcheck",
    "record_jobs",
    "balance_stimuli",
    "next_stage",
    "preregister",
    "state_findings",
    "weigh_responses",
    "write_report",
}


def test_two_hundred_models_are_so_many_jobs(place: Place) -> None:
    model = STUDY["models"]["even-1"]
    place.write_study(STUDY | {"models": {f"m{number}": model for number in range(200)}})
    result = place.run("--dry-run", "--quiet", "rules")
    assert result.returncode == 0, result.stderr[-3000:]
    planned = {
        rule: int(count)
        for rule, count in re.findall(r"^(\w+) +(\d+)$", result.stderr, re.MULTILINE)
    }
    submitted = sum(count for rule, count in planned.items() if rule not in {*LOCAL, "total"})
    # Prompts, classifier, agreement, and for each model responses, labels, tests and design.
    assert submitted == 3 + 200 * 4


def test_several_gpus_are_one_task_on_one_node(place: Place) -> None:
    big = SMALL_STUDY["models"]["even-1"] | {"gpus": 2, "runtime": 90, "mem_mb": 16000}
    place.write_study(SMALL_STUDY | {"models": {"big": big}})
    place.set_up_site(gpu_model="a100", max_runtime=8)
    before = len(place.cluster.submitted())
    result = place.run(place.responses("big"), "--retries", "0", made_up_gpus=0)
    prompts, received = place.cluster.submitted()[before:]
    assert prompts[prompts.index("-t") + 1] == "8"
    line = " ".join(part for part in received if not part.startswith("--wrap"))
    assert re.fullmatch(
        r"--parsable --job-name \S+ --output \S+ --export=ALL "
        r"--comment rule_generate_responses_wildcards_big -A lab -p gpu -t 8 --mem 16000 "
        r"--nodes=1 --cpus-per-task=8 --no-requeue -D \S+ --gpus=a100:2",
        line,
    ), line
    # What SLURM made of it.
    job = place.job_of("big")
    shown = place.cluster.run("scontrol", "show", "job", job)
    assert "NumNodes=1 NumCPUs=8 NumTasks=1 CPUs/Task=8" in shown
    assert "gres/gpu=2" in shown
    # Tensor parallelism is asked for too; here are no GPUs, which the engine says.
    assert result.returncode != 0
    assert (
        f"big: generate_responses, SLURM job {job} on n1, FAILED: model folder "
        "data/models/demo-even: the config asks for 2 GPUs and this machine shows none. Set gpus: "
        "0 to run on the CPU, or run where GPUs are; mend that and run the same command again. "
        "Log: results/cluster/logs/generate_responses/big.log"
    ) in result.stderr
