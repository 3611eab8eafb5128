"""What the workflow asks of Snakemake beyond its documented language still answers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import snakemake

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.workflow

KNOWN = ("9.27.1",)
"""Versions of Snakemake under which all of this was seen to hold."""

SNAKEFILE = """\
import atexit
import sys
from pathlib import Path


include: "{rules}/internals.smk"


localrules:
    all,


def doubled(given):
    given.setdefault("runtime", 7)
    return given


change_default_resources(doubled)


rule none:
    output:
        "none.txt",


rule all:
    input:
        "b.txt",


rule a:
    output:
        "a.txt",
    resources:
        mem_mb=lambda wildcards, attempt: 100 * attempt,
    shell:
        "touch {{output}}"


rule b:
    input:
        "a.txt",
    output:
        "b.txt",
    shell:
        "touch {{output}}"


make_by_default("all")
print("targets", *asked_for(Path(workflow.basedir).resolve()))
print("elsewhere", len(asked_for(Path("/"))))
[(path, regex)] = files_of_rules()["b"]
print("made", path, regex.match("b.txt") is not None, regex.match("a.txt"))
atexit.register(lambda: print("dry", is_dry_run(), *sorted(files_of_this_run())))


onstart:
    print("all", *sorted(job.rule.name for job in all_jobs()))
    print("submit", len(jobs_to_submit()))
    print("executor", executor_name(), executor_settings() is None)
    [job] = [job for job in all_jobs() if job.rule.name == "a"]
    asked = resources_of_last_attempt(job)
    print("asked", asked.mem_mb, asked.get("runtime"))
    print("scripts", jobs_of_script("made.py") == [] and len(all_jobs()) == 3)
    print("uuid", hasattr(workflow.scheduler, "get_executor"))
"""


def test_this_version_of_snakemake_is_known() -> None:
    assert snakemake.__version__ in KNOWN, (
        "run the tests of the workflow and of SLURM, then add the version to KNOWN"
    )


def test_every_private_interface_answers(root: Path, tmp_path: Path) -> None:
    rules = root / "workflow" / "rules"
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(rules=rules), "utf-8")
    command = ["snakemake", "--cores", "1", "--retries", "3", "--default-resources", "disk_mb=5"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert said["all"] == "a all b"
    # On this machine every job is local; tests/slurm has some that are not.
    assert said["submit"] == "0"
    assert said["executor"].startswith("local ")
    assert said["asked"] == "400 7"
    assert said["uuid"] == "True"
    assert "targets\n" in done.stdout
    assert said["made"] == "b.txt True None"
    assert said["dry"] == "False a.txt b.txt"
    for kind, ending in (("--touch", "dry False"), ("--dry-run", "dry True a.txt b.txt")):
        other = subprocess.run(
            [*command, kind, "--forceall", "all", "b.txt"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert other.stdout.rstrip().endswith(ending)
        assert "\ntargets all b.txt\nelsewhere 0\n" in f"\n{other.stdout}"


def test_no_other_file_asks_for_them(root: Path) -> None:
    private = ("workflow.dag", "workflow.scheduler", "workflow.executor", ".needrun_jobs(")
    for path in [root / "Snakefile", *(root / "workflow").rglob("*.smk")]:
        text = path.read_text("utf-8")
        if path.name != "internals.smk":
            assert not [word for word in private if word in text], path
