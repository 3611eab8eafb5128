"""Everything that goes wrong on a cluster at once, in the middle of inference.

Its small twin is `test_slurm_failures.test_cancelled_job_goes_on_from_its_saved_rows`.
"""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest
from slurm_cluster import wait_until
from slurm_study import PATIENCE_S, ROWS, STUDY

if TYPE_CHECKING:
    from collections.abc import Callable

    from slurm_study import Place

pytestmark = [pytest.mark.slurm, pytest.mark.long, pytest.mark.xdist_group("disturbed")]

OUTAGE_S = 20


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


def test_every_table_equals_that_of_an_undisturbed_run(disturbed: Disturbed, local: Place) -> None:
    for model in STUDY["models"]:
        assert disturbed.place.read_responses(model).equals(local.read_responses(model)), model


def test_walltime_kill_goes_on_from_saved_rows(disturbed: Disturbed) -> None:
    assert _states(disturbed.place, disturbed.out_of_time) == ["TIMEOUT", "COMPLETED"]
    assert 0 < disturbed.place.there_already(disturbed.out_of_time) < ROWS


def test_cancelled_job_goes_on_from_saved_rows(disturbed: Disturbed) -> None:
    assert _states(disturbed.place, disturbed.cancelled) == ["CANCELLED", "COMPLETED"]
    assert 0 < disturbed.place.there_already(disturbed.cancelled) < ROWS


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
