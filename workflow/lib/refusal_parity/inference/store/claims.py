"""Who is drawing what at this moment, so that two jobs do not draw the same response."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from refusal_parity.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXPIRY_S: Final = 180.0
"""Seconds after which a claim that its job did not renew counts no longer."""

_BEAT_S: Final = 15.0
_LOCK_S: Final = 60.0
_SUFFIX: Final = ".claim"


class Claims:
    """The claims on responses of one model under one setting: a file for each job.

    A job claims what it is about to draw, renews the claim while it lives and takes it
    back when it ends. The claim of a job that was killed ends at once where that can be
    seen, on the same machine, and elsewhere after `EXPIRY_S`. Times are those of the file
    system that all share, never a machine's own.
    """

    def __init__(self, folder: Path, job: str) -> None:
        """Stand before the claims in a folder.

        Args:
            folder: where they lie; it is made with the first.
            job: name of this job.
        """
        self._folder = folder
        self._own = folder / f"{job}{_SUFFIX}"
        self._ended = threading.Event()

    def take(self, wanted: Iterable[str]) -> set[str]:
        """Claim those of the wanted keys that no other living job has claimed.

        Returns:
            What is claimed now: empty where others draw all of it.
        """
        with self._locked():
            free = set(wanted) - self.others()
            if free:
                write_text(self._own, "\n".join([json.dumps(_this_process()), *sorted(free)]))
        if free:
            self._ended = threading.Event()
            threading.Thread(target=self._renew, args=(self._ended,), daemon=True).start()
        return free

    def release(self) -> None:
        """Take this job's claim back."""
        self._ended.set()
        self._own.unlink(missing_ok=True)

    def others(self) -> set[str]:
        """Keys that other living jobs have claimed; claims of dead ones are removed."""
        claimed: set[str] = set()
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if path == self._own:
                continue
            with suppress(FileNotFoundError):
                head, *keys = path.read_text("utf-8").split("\n")
                if self._lives(path, head):
                    claimed.update(keys)
                else:
                    path.unlink()
        return claimed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def _renew(self, ended: threading.Event) -> None:
        while not ended.wait(_BEAT_S):
            with suppress(OSError):
                os.utime(self._own)

    def _lives(self, path: Path, head: str) -> bool:
        owner, here = json.loads(head), _this_process()
        if all(owner[key] == here[key] for key in ("host", "boot", "namespace")):
            return _runs(owner["pid"])
        return self._age(path) < EXPIRY_S

    def _age(self, path: Path) -> float:
        """Seconds since a file was changed, by the clock of the file system."""
        probe = self._folder / f".now-{uuid4().hex}"
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
        return now - path.stat().st_mtime

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One job at a time claims. A folder is made by one alone, on network drives too."""
        lock = self._folder / ".lock"
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                lock.mkdir()
                break
            except FileExistsError:
                # Whoever made it was killed within the second that this takes.
                with suppress(FileNotFoundError):
                    if self._age(lock) > _LOCK_S:
                        stale = lock.with_name(f".stale-{uuid4().hex}")
                        lock.rename(stale)
                        stale.rmdir()
                time.sleep(0.05)
        try:
            yield
        finally:
            lock.rmdir()


def _this_process() -> dict[str, str | int]:
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "boot": boot.read_text("utf-8").strip() if boot.exists() else "",
        "namespace": str(namespace.readlink()) if namespace.exists() else "",
    }


def _runs(pid: int) -> bool:
    """Whether a process of this machine runs; one that waits to be buried does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:
        # Another user's, or no /proc: it is there.
        return True
