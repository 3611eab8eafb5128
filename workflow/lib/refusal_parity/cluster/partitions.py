"""Partitions and their nodes, as SLURM describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.cluster.commands import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOST: Final = ("down", "drain", "fail", "maint", "unk", "inval")


@dataclass(frozen=True)
class Node:
    """What one node has.

    Attributes:
        gpus: GPUs by type; those without a type under the empty string.
        cpus: CPU cores.
        mem_mb: memory.
        usable: whether it takes jobs, now or once others have ended.
    """

    gpus: Mapping[str, int]
    cpus: int
    mem_mb: int
    usable: bool

    def gpus_of(self, model: str | None) -> int:
        """GPUs of a type; of the most frequent one if the type does not matter."""
        if model is not None:
            return self.gpus.get(model, 0)
        return max(self.gpus.values(), default=0)


@dataclass(frozen=True)
class Partition:
    """A partition.

    Attributes:
        name: its name.
        default: whether jobs that name none go there.
        up: whether it takes jobs.
        max_runtime: its longest time limit in minutes; null is none.
        preempts: whether its jobs may be stopped for others.
        nodes: its nodes.
    """

    name: str
    default: bool
    up: bool
    max_runtime: int | None
    preempts: bool
    nodes: tuple[Node, ...]


def read_partitions() -> dict[str, Partition]:
    """All partitions of the cluster by name.

    Raises:
        CommandError: SLURM does not answer.
    """
    nodes = _nodes()
    partitions = {}
    for line in ask("scontrol", "--oneliner", "show", "partition").splitlines():
        facts = dict(part.partition("=")[::2] for part in line.split())
        name = facts.get("PartitionName", "")
        partitions[name] = Partition(
            name=name,
            default=facts.get("Default") == "YES",
            up=facts.get("State") == "UP",
            max_runtime=minutes(facts.get("MaxTime", "UNLIMITED")),
            preempts=facts.get("PreemptMode", "OFF") != "OFF",
            nodes=tuple(nodes.get(name, ())),
        )
    return partitions


def minutes(limit: str) -> int | None:
    """A time limit as SLURM prints it ([days-]hours:minutes:seconds) in minutes.

    Null for a limit that is none.
    """
    if limit.upper() in ("UNLIMITED", "INFINITE", "NONE"):
        return None
    days, _, clock = limit.rpartition("-")
    hours, mins, _ = (int(part) for part in clock.split(":"))
    return (int(days or 0) * 24 + hours) * 60 + mins


def read_gres(gres: str) -> dict[str, int]:
    """GPUs by type in a node's generic resources: `gpu:a100:2(S:0-1),gpu:4`."""
    gpus: dict[str, int] = {}
    for model, count in re.findall(r"\bgpu(?::([\w.]+?))?:(\d+)\b", gres):
        gpus[model] = gpus.get(model, 0) + int(count)
    return gpus


def _nodes() -> dict[str, list[Node]]:
    """Nodes by partition."""
    nodes: dict[str, list[Node]] = {}
    for line in ask("sinfo", "--noheader", "--Node", "--format=%R|%G|%c|%m|%T").splitlines():
        partition, gres, cpus, memory, state = line.strip().split("|")
        nodes.setdefault(partition, []).append(
            Node(
                gpus=read_gres(gres),
                cpus=int(cpus.rstrip("+")),
                mem_mb=int(memory.rstrip("+")),
                usable=not state.lower().startswith(_LOST),
            )
        )
    return nodes
