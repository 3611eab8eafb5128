"""Break the package on purpose, one place at a time, and print what no test notices.

The changes are Cosmic Ray's; which of them, drawn by a seed, and what judges them is said
here. A mutant lives in a copy of the checkout, so nobody's checkout changes. Its room's
tests run there, those of its module first, until one fails: then it is killed. This program
runs in Cosmic Ray's environment, the tests in the project's.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mutating import PACKAGE, Mutant, drawn, folded

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
EQUIVALENTS = Path("benchmarks/equivalent_mutants.toml")
# The share of mutants that may survive in a room.
SURVIVORS = 0.05
SLOW = "engine or workflow or slurm or labelstudio or browser"


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can kill, since it changes no result.

    Attributes:
        module: The module's path within the package.
        was: The lines that change, blanks folded.
        reason: Why nothing hangs on it.
        becomes: What stands there instead; without it, whatever does.
    """

    module: str
    was: str
    reason: str
    becomes: str | None = None

    def covers(self, mutant: Mutant) -> bool:
        """Whether this is the mutant."""
        same_place = (self.module, self.was) == (mutant.module, mutant.was)
        return same_place and self.becomes in {None, mutant.becomes}


def equivalents(root: Path) -> list[Equivalent]:
    """The mutants that are known to change nothing.

    Raises:
        SystemExit: The line of one is no longer in its module.
    """
    known = [
        Equivalent(**entry)
        for entry in tomllib.loads((root / EQUIVALENTS).read_text(encoding="utf-8"))["mutant"]
    ]
    for entry in known:
        path = root / PACKAGE / entry.module
        if not path.exists() or entry.was not in folded(path.read_text("utf-8").splitlines()):
            raise SystemExit(
                f"{EQUIVALENTS}: {entry.module} has no longer a line `{entry.was}`: "
                "look at that mutant anew, or take the entry out"
            )
    return known


def test_files(root: Path, module: str) -> list[str]:
    """The files with the tests of a module's room, nearest first.

    First comes the file named after the module, then those that import from it, then the
    rest, which may come to it by other modules.
    """
    room, stem = module.split("/", maxsplit=1)[0], Path(module).stem
    within = re.escape(".".join(Path(module).parent.parts))
    imported = re.compile(rf"refusal_parity\.{within}(\.| import .*\b){re.escape(stem)}\b")
    ranked = []
    for path in sorted((root / "tests" / room).rglob("test_*.py")):
        if path.stem == f"test_{stem}":
            rank = 0
        else:
            rank = 1 if imported.search(path.read_text(encoding="utf-8")) else 2
        ranked.append((rank, path.relative_to(root).as_posix()))
    return [path for _, path in sorted(ranked)]


@dataclass(frozen=True)
class Outcome:
    """How a run of tests ended.

    Attributes:
        passed: Whether all passed, or none where they took too long.
        said: What pytest printed.
    """

    passed: bool | None
    said: str


@dataclass(frozen=True)
class Copy:
    """A copy of a checkout, in which mutants live one after the other.

    Attributes:
        root: The copy's folder.
        python: The interpreter that has the project's packages.
    """

    root: Path
    python: Path

    @classmethod
    def made(cls, root: Path, folder: Path, python: Path) -> Copy:
        """Copy the files of a checkout, as they are now, into a folder; ignored ones stay."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)
        return cls(folder, python)

    def fate(self, mutant: Mutant, tests: Sequence[str], limit: float | None) -> str:
        """What the tests make of a mutant: `killed`, `survived` or `timed out`."""
        path = self.root / PACKAGE / mutant.module
        original = path.read_text(encoding="utf-8")
        path.write_text(mutant.source, encoding="utf-8")
        # Python takes compiled code for that of a source of the same size and second.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
        try:
            passed = self.run(tests, limit).passed
            return {True: "survived", False: "killed", None: "timed out"}[passed]
        finally:
            path.write_text(original, encoding="utf-8")

    def run(self, tests: Sequence[str], limit: float | None, *, compiling: bool = False) -> Outcome:
        """Run tests here.

        Args:
            tests: Files of tests, run in this order until one fails.
            limit: How long they may take, in seconds; without it, as long as they need.
            compiling: Whether compiled modules are kept for later runs.

        Raises:
            SystemExit: pytest itself could not run.
        """
        # Nothing of the caller's leads to another copy of the package.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
        kept["PATH"] = f"{self.python.parent}{os.pathsep}{kept['PATH']}"
        if not compiling:
            kept["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [str(self.python), "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["-n", "0", "-m", f"not ({SLOW})", *tests]
        # A group of its own, so that what a test started ends with it.
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=kept,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                return Outcome(None, "")
            finally:
                _end(process.pid)
        # 2 is a module that cannot be imported, 5 a file of slow tests alone.
        passed = {0: True, 1: False, 2: False, 5: True}.get(process.returncode)
        if passed is None:
            raise SystemExit(f"pytest could not run {' '.join(tests)}:\n{said}")
        return Outcome(passed, said)


def judge(copy: Copy, room: str, mutants: Sequence[Mutant], asked: argparse.Namespace) -> float:
    """Print what becomes of a room's mutants.

    Returns:
        The share of them that survived.

    Raises:
        SystemExit: The room's tests fail without any change.
    """
    known = equivalents(ROOT)
    fates: dict[str, Counter[str]] = {}
    tests = {m.module: test_files(copy.root, m.module) for m in mutants}
    needed = sorted({file for files in tests.values() for file in files})
    started = time.monotonic()
    unchanged = copy.run(needed, None, compiling=True)
    if not unchanged.passed:
        raise SystemExit(
            f"{unchanged.said}\nThe tests of {room}/ fail as they are: mend that first"
        )
    unbroken = time.monotonic() - started
    limit = asked.timeout or 30 + 3 * unbroken
    print(f"{room}: the tests pass in {unbroken:.0f} s; {limit:.0f} s for each mutant", flush=True)
    for mutant in mutants:
        counts = fates.setdefault(mutant.module, Counter())
        if any(entry.covers(mutant) for entry in known):
            counts["equivalent"] += 1
            continue
        fate = copy.fate(mutant, tests[mutant.module], limit)
        counts[fate] += 1
        if fate != "killed":
            print(f"  {fate}: {mutant}", flush=True)
    return summed(room, fates, time.monotonic() - started - unbroken)


def summed(room: str, fates: dict[str, Counter[str]], seconds: float) -> float:
    """Print how many mutants of each module met which fate; the share that survived."""
    titles = ("killed", "survived", "timed out", "equivalent")
    total: Counter[str] = Counter()
    print(f"  {'':40}" + "".join(f"{title:>12}" for title in titles))
    for module, counts in sorted(fates.items()):
        total += counts
        print(f"  {module:40}" + "".join(f"{counts[title]:12}" for title in titles))
    judged = total["killed"] + total["survived"] + total["timed out"]
    share = total["survived"] / judged if judged else 0.0
    print(f"  {room + ', all':40}" + "".join(f"{total[title]:12}" for title in titles))
    print(f"  {share:.1%} survived; {seconds / max(judged, 1):.0f} s for each mutant", flush=True)
    return share


def main() -> None:
    """Judge a sample of each room's mutants; fail where too many survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="+", help="rooms or modules, such as audit audit/votes.py")
    parser.add_argument("--sample", type=int, default=200, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=0, help="seconds for each mutant")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    asked = parser.parse_args()
    rooms: dict[str, list[str]] = {}
    for name in asked.modules:
        for module in modules_of(name):
            rooms.setdefault(module.split("/")[0], []).append(module)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy.made(ROOT, Path(folder), asked.python)
        shares = [
            judge(copy, room, drawn(copy.root, modules, asked.sample, asked.seed), asked)
            for room, modules in rooms.items()
        ]
    sys.exit(max(shares) > SURVIVORS)


def modules_of(name: str) -> list[str]:
    """The modules that a room's or a module's name stands for.

    Raises:
        SystemExit: There is none.
    """
    path = ROOT / PACKAGE / name
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    if not all(file.is_file() for file in files):
        raise SystemExit(
            f"There is no {name} in {PACKAGE}: name a room, or a module as audit/votes.py"
        )
    return [file.relative_to(ROOT / PACKAGE).as_posix() for file in files]


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
