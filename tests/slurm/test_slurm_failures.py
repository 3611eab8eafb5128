"""Real failures of a cluster, each in the middle of inference."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest
from slurm_cluster import wait_until
from slurm_study import PATIENCE_S, ROWS, STUDY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from slurm_study import Place

pytestmark = pytest.mark.slurm

OUTAGE_S = 20
SMALL = "even-1"


class Disturbed(NamedTuple):
    """What came to which model."""

    place: Place
    cancelled: str
    out_of_time: str
    lost: tuple[str, ...]


@pytest.fixture(scope="module")
def disturbed(place_of: Callable[[str, dict[str, object]], Place]) -> Disturbed:
    """Four models, two on a node, all half way: then everything goes wrong."""
    place = place_of("disturbed", STUDY)
    cluster = place.cluster
    models = tuple(STUDY["models"])
    snakemake = place.start(*map(place.responses, models))
    place.freeze(*models)
    # The controller is gone for a while; neither jobs nor Snakemake are told.
    cluster.stop_daemon("slurmctld")
    time.sleep(OUTAGE_S)
    cluster.start_daemon("slurmctld")
    wait_until(
        lambda: len(cluster.jobs("R")) == len(models), "the jobs run on", patience_s=PATIENCE_S
    )
    jobs = {model: place.job_of(model) for model in models}
    nodes = {job["id"]: job["node"] for job in cluster.jobs("R")}
    by_node = sorted(models, key=lambda model: nodes[jobs[model]])
    (_, first), (node, second) = (
        (node, tuple(group)) for node, group in groupby(by_node, lambda one: nodes[jobs[one]])
    )
    cancelled, out_of_time = first
    cluster.run("scancel", jobs[cancelled])
    # SLURM asks it to end, and kills it after KillWait.
    cluster.run("scontrol", "update", f"JobId={jobs[out_of_time]}", "TimeLimit=1")
    # With the node goes whatever runs there.
    cluster.kill_node(node)
    said = place.finish(snakemake)
    cluster.start_node(node)
    assert snakemake.returncode == 0, said[-5000:]
    return Disturbed(place, cancelled, out_of_time, second)


def _states(place: Place, model: str) -> list[str]:
    return place.accounted().filter(pl.col("model") == model)["state"].to_list()


def _there_already(log: str) -> int:
    found = re.search(rf"([\d,]+) of {ROWS:,} responses are there already", log)
    assert found, log
    return int(found[1].replace(",", ""))


def test_every_table_equals_that_of_an_undisturbed_run(disturbed: Disturbed, local: Place) -> None:
    for model in STUDY["models"]:
        assert disturbed.place.read_responses(model).equals(local.read_responses(model)), model


def test_walltime_kill_goes_on_from_saved_rows(disturbed: Disturbed) -> None:
    assert _states(disturbed.place, disturbed.out_of_time) == ["TIMEOUT", "COMPLETED"]
    assert 0 < _there_already(disturbed.place.log(disturbed.out_of_time)) < ROWS


def test_cancelled_job_goes_on_from_saved_rows(disturbed: Disturbed) -> None:
    assert _states(disturbed.place, disturbed.cancelled) == ["CANCELLED", "COMPLETED"]
    assert 0 < _there_already(disturbed.place.log(disturbed.cancelled)) < ROWS


def test_lost_node_is_left_and_its_jobs_run_elsewhere(disturbed: Disturbed) -> None:
    for model in disturbed.lost:
        jobs = disturbed.place.accounted().filter(pl.col("model") == model)
        assert jobs["state"].to_list() == ["NODE_FAIL", "COMPLETED"]
        assert jobs["node"].n_unique() == 2
        assert jobs["attempt"].to_list() == [1, 2]


def test_no_chunk_is_left(disturbed: Disturbed) -> None:
    for model in STUDY["models"]:
        folder = disturbed.place.results / "models" / model
        assert [path.name for path in folder.iterdir()] == ["responses.parquet"]


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
    assert 0 < _there_already(place.log(SMALL)) < ROWS
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
