"""The jobs of a study on a cluster."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.registry import table


@table("jobs", per_model=False)
class ClusterJobs(dy.Schema):
    """The jobs of a study on a SLURM cluster; without rows where it ran without one."""

    job_id = dy.String(primary_key=True, description="SLURM's number of the job")
    run = dy.String(description="run of Snakemake that submitted it")
    rule = dy.String(description="rule that it ran")
    model = dy.String(nullable=True, description="model that it worked for, null for none")
    shard = dy.Int64(nullable=True, min=0, description="shard of the model, null for all of it")
    attempt = dy.Int64(
        primary_key=True,
        min=1,
        description="1, and more for each time the work was submitted again",
    )
    state = dy.String(description="how it ended, in SLURM's words, such as COMPLETED or TIMEOUT")
    exit_code = dy.Int64(description="exit code of its script")
    signal = dy.Int64(description="signal that ended its script, 0 for none")
    node = dy.String(nullable=True, description="node that it ran on, null if it never started")
    partition = dy.String(nullable=True, description="partition that it ran in")
    submitted = dy.Datetime(
        nullable=True, time_zone="UTC", time_unit="us", description="when it was submitted"
    )
    wait_s = dy.Int64(nullable=True, description="seconds until it started")
    wall_s = dy.Int64(min=0, description="seconds that it ran")
    gpus = dy.Int64(min=0, description="GPUs that it held")
    gpu_hours = dy.Float64(min=0, description="GPUs times hours")
    asked_memory_mb = dy.Float64(nullable=True, description="memory that it asked for, in MiB")
    peak_memory_mb = dy.Float64(
        nullable=True, description="most memory that one of its steps was seen to use, in MiB"
    )
