"""Real failures of a cluster, one at a time, in the middle of inference."""

from __future__ import annotations

import contextlib
import re
import subprocess
from typing import TYPE_CHECKING

import polars as pl
import pytest
from slurm_cluster import wait_until
from slurm_study import PATIENCE_S, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slurm_study import Place

pytestmark = pytest.mark.slurm

SMALL = "even-1"


def _explained(said: str) -> str:
    """The one sentence that says what became of the inference job."""
    sentences = [line for line in said.splitlines() if ", SLURM job " in line]
    assert len(sentences) == 1, said
    return sentences[0]


def test_out_of_memory_is_said_and_mended_by_more(place: Place, local: Place) -> None:
    target = place.responses(SMALL)
    command = place.command(target, "--retries", "0")
    at = command.index("--set-resources") + 1
    command.insert(at, "generate_responses:mem_mb=700")
    result = place.run_command(command)
    assert result.returncode != 0
    sentence = _explained(result.stderr)
    assert f"{SMALL}: generate_responses, SLURM job {place.job_of(SMALL)} on n" in sentence
    # Where SLURM counts memory by itself, without the kernel, it calls such a job FAILED.
    assert re.search(
        "(OUT_OF_MEMORY|FAILED): it was killed for using more than its 700 MB of memory", sentence
    )
    assert f"raise models.{SMALL}.mem_mb and run the same command again" in sentence
    assert f"Log: results/cluster/logs/generate_responses/{SMALL}.log" in sentence
    again = place.run(target)
    assert again.returncode == 0, again.stderr[-3000:]
    assert place.read_responses(SMALL).equals(local.read_responses(SMALL))


def test_cancelled_job_goes_on_from_its_saved_rows(place: Place, local: Place) -> None:
    snakemake = place.start(place.responses(SMALL))
    place.freeze(SMALL)
    place.cluster.run("scancel", place.job_of(SMALL))
    said = place.finish(snakemake)
    assert snakemake.returncode == 0, said[-5000:]
    accounted = place.accounted().filter(pl.col("model") == SMALL)
    assert accounted["state"].to_list() == ["CANCELLED", "COMPLETED"]
    assert 0 < place.there_already(SMALL) < ROWS
    assert place.read_responses(SMALL).equals(local.read_responses(SMALL))


@pytest.fixture
def small_disk(place: Place) -> Iterator[Path]:
    """The study's results lie on a file system of 2 MB."""
    folder = place.folder / "results"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    yield folder
    place.end()
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_is_said_and_mended_by_room(place: Place, small_disk: Path, local: Place) -> None:
    target = place.responses(SMALL)
    assert place.run("results/cluster/prompts.parquet").returncode == 0
    # Room for the log, not for the responses.
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with filler.open("r+b") as file:
        file.truncate(filler.stat().st_size - 32768)
    result = place.run(target, "--retries", "0")
    assert result.returncode != 0
    sentence = _explained(result.stderr)
    assert f"{SMALL}: generate_responses, SLURM job {place.job_of(SMALL)} on n" in sentence
    assert "No space left on device" in sentence
    assert "Give a results folder that you may write to and that has room" in sentence
    filler.unlink()
    again = place.run(target)
    assert again.returncode == 0, again.stderr[-3000:]
    assert place.read_responses(SMALL).equals(local.read_responses(SMALL))


def test_killed_snakemake_leaves_no_second_writer(place: Place, local: Place) -> None:
    target = place.responses(SMALL)
    snakemake = place.start(target)
    place.freeze(SMALL)
    snakemake.kill()
    snakemake.wait()
    job = place.job_of(SMALL)
    submitted = len(place.cluster.submitted())
    locked = place.run(target)
    assert "--unlock" in locked.stderr
    assert place.run("--unlock", made_up_gpus=0).returncode == 0
    # The job of before still draws: nothing is submitted beside it.
    refused = place.run(target)
    assert refused.returncode != 0
    assert f"jobs of an earlier run are still there ({job})" in refused.stderr
    remedy = re.search(r"Run `(scancel --name [\w-]+)`", refused.stderr)
    assert remedy, refused.stderr
    assert place.cluster.submitted()[submitted:] == []
    place.cluster.run(*remedy[1].split())
    wait_until(lambda: not place.cluster.jobs("R,CG"), "the job has ended", patience_s=PATIENCE_S)
    again = place.run(target)
    assert again.returncode == 0, again.stderr[-3000:]
    assert 0 < place.there_already(SMALL) < ROWS
    assert place.read_responses(SMALL).equals(local.read_responses(SMALL))


def test_job_that_outlives_snakemake_is_not_run_again(place: Place, local: Place) -> None:
    target = place.responses(SMALL)
    snakemake = place.start(target)
    place.freeze(SMALL)
    snakemake.kill()
    snakemake.wait()
    place.thaw(SMALL)
    wait_until(lambda: not place.cluster.jobs("R,CG"), "the job has ended", patience_s=PATIENCE_S)
    submitted = len(place.cluster.submitted())
    place.run("--unlock", made_up_gpus=0)
    again = place.run(target)
    assert again.returncode == 0, again.stderr[-3000:]
    assert place.cluster.submitted()[submitted:] == []
    assert place.read_responses(SMALL).equals(local.read_responses(SMALL))
