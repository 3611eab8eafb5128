"""A real SLURM cluster on this machine, started and stopped by the tests.

All of it lies in one folder and listens on free ports, so that several can run
side by side, next to a cluster that the machine itself belongs to as well. Its
commands are found through `Cluster.path`: scripts that name its configuration
and call the real program. They stay valid within jobs, where Snakemake removes
every SLURM_* variable.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from leftovers import PREFIX, clear_up, end_with_step, note_daemon, note_owner, processes_of
from slurm_conf import GPUS_OF_A_NODE, NODES, Ports, write_configuration

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "mariadb-install-db", "sbatch")
_COMMANDS = ("sbatch", "srun", "sacct", "squeue", "scontrol", "scancel", "sinfo", "sacctmgr")
_PATIENCE_S = 120.0


def missing_programs() -> list[str]:
    """What has to be installed before a cluster can be started."""
    return [program for program in PROGRAMS if shutil.which(program, path=_system_path()) is None]


def wait_until(condition: Callable[[], object], what: str, *, patience_s: float) -> None:
    """Wait for something; a failure says what did not happen."""
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience_s:.0f} s: {what}")
        time.sleep(0.2)


def _system_path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        folder: everything of it: configuration, logs, state, database.
        accounting: whether slurmdbd runs.
    """

    folder: Path
    accounting: bool = True
    _ports: Ports = field(default_factory=Ports.free)
    _daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def start(cls, *, accounting: bool = True) -> Cluster:
        """Start every daemon and wait until all nodes are idle.

        What an earlier run that was broken off has left is ended first.
        """
        # Short, because the path of a socket may have 107 characters at most.
        place = Path("/tmp")  # noqa: S108 - the folder in it is this process's alone
        clear_up(place)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        note_owner(folder)
        cluster = cls(folder, accounting)
        try:
            cluster._start()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    @property
    def path(self) -> str:
        """PATH under which SLURM's commands speak to this cluster."""
        return f"{self.folder}/bin:{os.environ['PATH']}"

    def run(self, *command: str) -> str:
        """Output of one of SLURM's commands."""
        result = subprocess.run(
            [f"{self.folder}/bin/{command[0]}", *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        assert result.returncode == 0, (command, result.stderr)
        return result.stdout

    def submitted(self) -> list[list[str]]:
        """Arguments of every job that sbatch got from Snakemake so far, in order."""
        files = sorted((self.folder / "submitted").iterdir())
        calls = [path.read_text("utf-8").split("\x1f")[:-1] for path in files]
        return [call for call in calls if "--comment" in call]

    def jobs(self, states: str = "all") -> list[dict[str, str]]:
        """Jobs that the controller knows, oldest first."""
        fields = {"id": "%A", "state": "%T", "node": "%N", "comment": "%k", "partition": "%P"}
        lines = self.run("squeue", "-h", "-t", states, "-S", "i", "-o", "|".join(fields.values()))
        return [dict(zip(fields, line.split("|"), strict=True)) for line in lines.splitlines()]

    def cancel_all(self) -> None:
        """Cancel every job and wait until none is left on a node."""
        self.run("scancel", "--user", "root")
        wait_until(
            lambda: not self.jobs("PD,R,CG,CF"), "all jobs are cancelled", patience_s=_PATIENCE_S
        )

    def kill_node(self, node: str) -> None:
        """The node fails: its daemon and every process of its jobs are gone at once."""
        jobs = self.run("squeue", "-h", "-t", "R,CG", "-w", node, "-o", "%A").split()
        self._kill(f"slurmd-{node}", signal.SIGKILL)
        for process in psutil.process_iter():
            if self._variables(process).get("SLURM_JOB_ID") in jobs:
                end_with_step(process)

    def start_node(self, node: str) -> None:
        """Start a node's daemon; returns once the node takes jobs."""
        self._spawn(f"slurmd-{node}", "slurmd", "-D", "-N", node)
        wait_until(
            lambda: self.run("sinfo", "-h", "-n", node, "-o", "%t").split()[0] in ("idle", "mix"),
            f"node {node} is idle",
            patience_s=_PATIENCE_S,
        )

    def stop_daemon(self, name: str) -> None:
        """An outage of slurmctld or slurmdbd begins."""
        self._kill(name, signal.SIGTERM)

    def start_daemon(self, name: str) -> None:
        """The outage ends."""
        self._spawn(name, name, "-D")

    def stop(self) -> None:
        """End jobs and daemons, and remove the folder."""
        for name in reversed(list(self._daemons)):
            self._kill(name, signal.SIGTERM)
        for process in processes_of(self.folder):
            end_with_step(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        for part in ("bin", "dev", "log", "run", "spool", "state", "submitted", "db", "scratch"):
            (self.folder / part).mkdir()
        for node in NODES:
            (self.folder / "spool" / node).mkdir()
        for gpu in range(GPUS_OF_A_NODE):
            os.mknod(self.folder / f"dev/nvidia{gpu}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        write_configuration(self.folder, self._ports, accounting=self.accounting)
        self._write_commands()
        self._spawn(
            "munged", "munged", "--foreground", "--force", f"--key-file={key}",
            f"--socket={self.folder}/munge.sock", f"--pid-file={self.folder}/run/munged.pid",
            f"--log-file={self.folder}/log/munged.log", f"--seed-file={self.folder}/munge.seed",
        )  # fmt: skip
        self._wait_for_file("munge.sock")
        if self.accounting:
            self._start_accounting()
        self._spawn("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self._spawn(f"slurmd-{node}", "slurmd", "-D", "-N", node)
        wait_until(self._ready, "all nodes are idle", patience_s=_PATIENCE_S)
        if self.accounting:
            self.run("sacctmgr", "-i", "add", "account", "lab")
            self.run("sacctmgr", "-i", "add", "user", "root", "account=lab")

    def _ready(self) -> bool:
        result = subprocess.run(
            [f"{self.folder}/bin/sinfo", "-h", "-N", "-o", "%N %t"],
            capture_output=True,
            text=True,
            check=False,
        )
        return sorted(result.stdout.splitlines()) == [f"{node} idle" for node in NODES]

    def _start_accounting(self) -> None:
        data = self.folder / "db"
        subprocess.run(
            # At its start a server removes the temporary tables of every other in its folder.
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root",
             f"--tmpdir={self.folder}/scratch", "--auth-root-authentication-method=normal",
             "--skip-test-db"],
            check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (self.folder / "grants.sql").write_text(
            "CREATE DATABASE slurm;\n"
            "CREATE USER slurm@localhost IDENTIFIED BY 'slurm';\n"
            "GRANT ALL ON slurm.* TO slurm@localhost;\n",
            encoding="utf-8",
        )
        self._spawn(
            "mariadbd", "mariadbd", "--no-defaults", f"--datadir={data}", "--user=root",
            f"--tmpdir={self.folder}/scratch", "--skip-networking",
            f"--socket={self.folder}/db.sock",
            f"--pid-file={self.folder}/run/mariadbd.pid",
            f"--init-file={self.folder}/grants.sql",
        )  # fmt: skip
        self._wait_for_file("db.sock")
        self._spawn("slurmdbd", "slurmdbd", "-D")
        wait_until(
            lambda: _listening(self._ports.slurmdbd), "slurmdbd listens", patience_s=_PATIENCE_S
        )

    def _write_commands(self) -> None:
        for command in _COMMANDS:
            program = shutil.which(command)
            lines = ["#!/bin/sh", f"export SLURM_CONF={self.folder}/slurm.conf"]
            if command == "sbatch":
                # One file for each call: what the real sbatch received.
                lines.append(f"printf '%s\\037' \"$@\" > {self.folder}/submitted/$(date +%s%N).$$")
            lines.append(f'exec {program} "$@"')
            script = self.folder / "bin" / command
            script.write_text("\n".join(lines) + "\n", encoding="utf-8")
            script.chmod(0o755)

    def _spawn(self, name: str, *command: str) -> None:
        """Start a daemon that ends with this process, however that ends."""
        program = shutil.which(command[0], path=_system_path())
        assert program is not None
        log = self.folder / "log" / f"{name}.out"
        with log.open("ab") as output:
            self._daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", program, *command[1:]],
                env=os.environ
                | {
                    "SLURM_CONF": f"{self.folder}/slurm.conf",
                    "MYSQL_UNIX_PORT": f"{self.folder}/db.sock",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        note_daemon(self.folder, self._daemons[name].pid)

    def _kill(self, name: str, signal_number: int) -> None:
        daemon = self._daemons.pop(name)
        daemon.send_signal(signal_number)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def _wait_for_file(self, name: str) -> None:
        wait_until((self.folder / name).exists, f"{name} is there", patience_s=_PATIENCE_S)

    def _variables(self, process: psutil.Process) -> dict[str, str]:
        """Environment of a process that belongs to this cluster; empty for any other."""
        try:
            variables = process.environ()
        except psutil.Error:
            return {}
        return variables if str(self.folder) in " ".join(variables.values()) else {}


def _listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
