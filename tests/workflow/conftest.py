from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Workplace:
    """A folder in which the workflow runs, apart from the repository's own results."""

    root: Path
    folder: Path
    snakefile: str = "Snakefile"

    def command(self, *arguments: str, config: str | None = None) -> list[str]:
        """Snakemake's command line here; `config` is a file of this folder."""
        command = ["snakemake", *arguments, "--cores", "2", "--nocolor"]
        snakefile = self.root / self.snakefile
        command += ["--snakefile", str(snakefile), "--directory", str(self.folder)]
        if config is not None:
            command += ["--configfile", str(self.folder / config)]
        return command

    def run(self, *arguments: str, config: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run snakemake here, called from elsewhere."""
        return subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.folder.parent,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
        )

    def write_config(self, name: str, content: object) -> str:
        (self.folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
        return name

    def tables(self) -> list[Path]:
        """Parquet files made so far, half-written ones too."""
        return sorted(self.folder.glob("results/**/*.parquet*")) + sorted(
            self.folder.glob("results/**/.*.parquet*")
        )


def make_workplace(root: Path, folder: Path) -> Workplace:
    (folder / "data").symlink_to(root / "data")
    (folder / "config").symlink_to(root / "config")
    return Workplace(root=root, folder=folder)


@pytest.fixture(scope="session")
def workplace_in(root: Path) -> Callable[[Path], Workplace]:
    """Makes an empty folder a workplace."""
    return partial(make_workplace, root)


@pytest.fixture
def workplace(root: Path, tmp_path: Path) -> Workplace:
    return make_workplace(root, tmp_path)


@pytest.fixture(scope="session")
def demo(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The demo study, run once in full."""
    place = make_workplace(root, tmp_path_factory.mktemp("demo"))
    result = place.run()
    assert result.returncode == 0, result.stderr[-5000:]
    summary = (place.folder / "results/demo/summary.txt").read_text("utf-8")
    assert result.stderr.endswith(summary), result.stderr[-2000:]
    return place
