"""Two jobs never draw the same response at a time, and a dead one keeps nothing from others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from refusal_parity.inference.store import claims
from refusal_parity.inference.store.claims import EXPIRY_S, Claims

if TYPE_CHECKING:
    from pathlib import Path


def test_what_one_has_another_does_not_get(tmp_path: Path) -> None:
    first, second = Claims(tmp_path, "1"), Claims(tmp_path, "2")
    assert first.take(["a", "b", "c"]) == {"a", "b", "c"}
    assert second.take(["b", "d"]) == {"d"}
    assert second.take(["b"]) == set()
    first.release()
    assert second.take(["b"]) == {"b"}
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_share_without_overlap(tmp_path: Path) -> None:
    keys = [f"{number}" for number in range(50)]
    taken: list[set[str]] = []

    def take(job: str) -> None:
        taken.append(Claims(tmp_path, job).take(keys))

    threads = [threading.Thread(target=take, args=(f"j{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, taken)) == [0] * 7 + [50]


def test_a_killed_job_of_this_machine_claims_nothing(tmp_path: Path, root: Path) -> None:
    code = (
        "import sys, time, pathlib; from refusal_parity.inference.store.claims import Claims; "
        "Claims(pathlib.Path(sys.argv[1]), 'dead').take(['a']); print('up', flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        mine = Claims(tmp_path, "mine")
        assert mine.take(["a"]) == set()
        process.kill()
        # Not yet buried by its parent, and dead nevertheless.
        until = time.monotonic() + 5
        while not (taken := mine.take(["a"])) and time.monotonic() < until:
            time.sleep(0.01)
        assert taken == {"a"}
    mine.release()


@pytest.mark.parametrize(("age_s", "free"), [(EXPIRY_S - 60, False), (EXPIRY_S + 60, True)])
def test_a_job_of_another_machine_counts_until_it_is_silent(
    tmp_path: Path, age_s: float, *, free: bool
) -> None:
    head = {"host": "another", "pid": os.getpid(), "boot": "b", "namespace": "n"}
    claim = tmp_path / "far.claim"
    claim.write_text(json.dumps(head) + "\na\nb", "utf-8")
    then = time.time() - age_s
    os.utime(claim, (then, then))
    mine = Claims(tmp_path, "mine")
    assert mine.take(["a"]) == ({"a"} if free else set())
    assert claim.exists() is not free
    mine.release()


def test_a_claim_is_renewed_while_its_job_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_BEAT_S", 0.02)
    with Claims(tmp_path, "mine") as mine:
        mine.take(["a"])
        claim = tmp_path / "mine.claim"
        os.utime(claim, (0, 0))
        until = time.monotonic() + 5
        while claim.stat().st_mtime == 0 and time.monotonic() < until:
            time.sleep(0.01)
        assert claim.stat().st_mtime > 0
    assert not claim.exists()


def test_a_lock_that_was_left_is_broken(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    lock.mkdir()
    then = time.time() - 300
    os.utime(lock, (then, then))
    with Claims(tmp_path, "mine") as mine:
        assert mine.take(["a"]) == {"a"}
