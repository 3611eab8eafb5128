"""Configuration of the cluster that the tests start: four nodes, made-up GPUs."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NODES = ("n1", "n2", "n3", "n4")
GPU_NODES = NODES[:3]
GPUS_OF_A_NODE = 2


@dataclass(frozen=True)
class Ports:
    """Free ports, one for each daemon that listens."""

    slurmctld: int
    slurmdbd: int
    slurmd: tuple[int, ...]

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody listens on now, all of them different."""
        sockets = [socket.socket() for _ in range(2 + len(NODES))]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ctld, dbd, *slurmd = (one.getsockname()[1] for one in sockets)
        for one in sockets:
            one.close()
        return cls(slurmctld=ctld, slurmdbd=dbd, slurmd=tuple(slurmd))


def write_configuration(folder: Path, ports: Ports, *, accounting: bool) -> None:
    """Write slurm.conf, gres.conf and slurmdbd.conf into the cluster's folder."""
    host = socket.gethostname()
    nodes = "\n".join(
        f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=8 Boards=1 "
        "SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1 RealMemory=64000 "
        f"{f'Gres=gpu:a100:{GPUS_OF_A_NODE} ' if node in GPU_NODES else ''}State=UNKNOWN"
        for node, port in zip(NODES, ports.slurmd, strict=True)
    )
    storage = f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports.slurmdbd}
AccountingStoragePass={folder}/munge.sock
AccountingStorageTRES=gres/gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
"""
    (folder / "slurm.conf").write_text(
        f"""\
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
SlurmctldPort={ports.slurmctld}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
GresTypes=gpu
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,sched_interval=5
MinJobAge=3600
SlurmctldTimeout=30
SlurmdTimeout=20
KillWait=30
{storage if accounting else "AccountingStorageType=accounting_storage/none"}
{nodes}
PartitionName=gpu Nodes={",".join(GPU_NODES)} Default=YES MaxTime=24:00:00 State=UP
PartitionName=cpu Nodes={NODES[-1]} MaxTime=INFINITE State=UP
""",
        encoding="utf-8",
    )
    (folder / "gres.conf").write_text(
        "AutoDetect=off\n"
        f"NodeName={','.join(GPU_NODES)} Name=gpu Type=a100 "
        f"File={folder}/dev/nvidia[0-{GPUS_OF_A_NODE - 1}]\n",
        encoding="utf-8",
    )
    database = folder / "slurmdbd.conf"
    database.touch(mode=0o600)
    database.write_text(
        f"""\
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports.slurmdbd}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
SlurmUser=root
PidFile={folder}/run/slurmdbd.pid
LogFile={folder}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
""",
        encoding="utf-8",
    )
