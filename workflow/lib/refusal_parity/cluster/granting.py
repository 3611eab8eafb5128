"""Whether a cluster can ever grant what jobs ask for."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from refusal_parity.cluster.commands import CommandError, ask
from refusal_parity.cluster.partitions import read_partitions
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from refusal_parity.cluster.partitions import Partition


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The resources of one job; jobs that ask for the same are equal.

    Attributes:
        who: what to call the jobs: a model, or a stage.
        partition: where they go; null is the cluster's default.
        account: who is charged; null is the user's default.
        gpus: GPUs of one job.
        gpu_model: their type; null is any.
        cpus: CPU cores of one job.
        mem_mb: memory of one job.
        runtime: minutes of the longest attempt.
    """

    who: str
    partition: str | None
    account: str | None
    gpus: int
    gpu_model: str | None
    cpus: int
    mem_mb: int
    runtime: int

    @property
    def partition_key(self) -> str:
        """The site's key that names the partition."""
        return "gpu_partition" if self.gpus else "partition"


def check_granted(wanted: Collection[Wanted], *, site: Path, accounting: bool) -> None:
    """Check that the cluster can ever grant what jobs ask for.

    Args:
        wanted: what they ask for.
        site: the site file, for error texts.
        accounting: whether accounts are known.

    Raises:
        InputError: the first job that would be refused, or would wait for ever.
        CommandError: SLURM does not answer.
    """
    partitions = read_partitions()
    if accounting:
        for account in sorted({one.account for one in wanted if one.account is not None}):
            _check_account(account, site)
    # Many jobs ask for the same.
    for one in {replace(each, who=""): each for each in wanted}.values():
        partition = _partition(one, partitions, site)
        _check_runtime(one, partition, site)
        _check_nodes(one, partition, site)
        _check_submission(one, partition, site)


def _check_account(account: str, site: Path) -> None:
    user = getpass.getuser()
    found = ask(
        "sacctmgr", "--noheader", "--parsable2", "show", "associations",
        f"user={user}", "format=account",
    )  # fmt: skip
    accounts = sorted({line.strip() for line in found.splitlines()} - {""})
    # A cluster may charge without knowing its users by name.
    if accounts and account.lower() not in (known.lower() for known in accounts):
        raise InputError(
            f"{user} may not charge account {account!r}",
            where=f"{site}, account",
            remedy=f"Name one of: {', '.join(accounts)}.",
        )


def _partition(one: Wanted, partitions: Mapping[str, Partition], site: Path) -> Partition:
    if one.partition is None:
        partition = next((found for found in partitions.values() if found.default), None)
        if partition is None:
            raise InputError(
                "the cluster has no default partition",
                where=f"{site}, {one.partition_key}",
                remedy=f"Name one of: {', '.join(sorted(partitions))}.",
            )
    elif one.partition not in partitions:
        raise InputError(
            f"there is no partition {one.partition!r}",
            where=f"{site}, {one.partition_key}",
            remedy=f"Name one of: {', '.join(sorted(partitions))}.",
        )
    else:
        partition = partitions[one.partition]
    if not partition.up:
        raise InputError(
            f"partition {partition.name} takes no jobs now",
            where=f"{site}, {one.partition_key}",
            remedy="Name another one, or wait until `sinfo` shows it up.",
        )
    if partition.preempts:
        raise InputError(
            f"partition {partition.name} stops jobs for others, after which Snakemake would wait "
            "for ever for a job that SLURM does not start again",
            where=f"{site}, {one.partition_key}",
            remedy="Name a partition without preemption.",
        )
    return partition


def _check_runtime(one: Wanted, partition: Partition, site: Path) -> None:
    limit = partition.max_runtime
    if limit is not None and one.runtime > limit:
        raise InputError(
            f"{one.who}: the last attempt asks for {one.runtime} minutes and partition "
            f"{partition.name} grants {limit}",
            where=f"{site}, max_runtime",
            remedy=f"Set it to {limit}: a job whose time is up goes on in the next attempt.",
        )


def _check_nodes(one: Wanted, partition: Partition, site: Path) -> None:
    nodes = partition.nodes
    if one.gpus and not any(node.gpus for node in nodes):
        raise InputError(
            f"{one.who}: the nodes of partition {partition.name} have no GPU",
            where=f"{site}, gpu_partition",
            remedy="Name a partition with GPUs (`sinfo -o '%P %G'`).",
        )
    if one.gpu_model is not None and not any(one.gpu_model in node.gpus for node in nodes):
        models = sorted({model for node in nodes for model in node.gpus} - {""})
        raise InputError(
            f"{one.who}: partition {partition.name} has no GPU of type {one.gpu_model!r}",
            where=f"{site}, gpu_model",
            remedy=f"Name one of: {', '.join(models) or 'none, its GPUs have no type'}.",
        )
    if one.gpus > max((node.gpus_of(one.gpu_model) for node in nodes), default=0):
        most = max((node.gpus_of(one.gpu_model) for node in nodes), default=0)
        raise InputError(
            f"{one.who} asks for {one.gpus} GPUs and no node of partition {partition.name} has "
            f"more than {most}",
            where=f"models.{one.who}.gpus",
            remedy="Lower it or name another gpu_partition: all GPUs of a model lie in one node.",
        )
    if one.mem_mb > max((node.mem_mb for node in nodes), default=0):
        raise InputError(
            f"{one.who} asks for {one.mem_mb} MB of memory and no node of partition "
            f"{partition.name} has as much",
            where=f"{site}, {one.partition_key}",
            remedy="Lower the model's mem_mb or name another partition.",
        )
    if not any(node.usable and node.gpus_of(one.gpu_model) >= one.gpus for node in nodes):
        raise InputError(
            f"{one.who}: every node of partition {partition.name} that could run it is down or "
            "drained",
            where=f"{site}, {one.partition_key}",
            remedy="Name another partition, or wait until `sinfo` shows nodes up.",
        )


def _check_submission(one: Wanted, partition: Partition, site: Path) -> None:
    """Ask SLURM itself, which knows limits of users and accounts."""
    command = ["sbatch", "--test-only", f"--partition={partition.name}", "--nodes=1"]
    command += [f"--time={one.runtime}", f"--mem={one.mem_mb}", f"--cpus-per-task={one.cpus}"]
    if one.account is not None:
        command.append(f"--account={one.account}")
    if one.gpus:
        command.append(f"--gpus={f'{one.gpu_model}:' if one.gpu_model else ''}{one.gpus}")
    try:
        ask(*command, "--wrap=true")
    except CommandError as error:
        raise InputError(
            f"{one.who}: SLURM would refuse the job ({error})",
            where=str(site),
            remedy="Correct what it names there, or the model's gpus, mem_mb and runtime.",
        ) from None
