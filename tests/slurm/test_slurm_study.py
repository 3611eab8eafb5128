"""A study of four models from end to end on the cluster, and one branch of it again."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest
from slurm_conf import GPU_NODES, GPUS_OF_A_NODE
from slurm_study import STUDY

from refusal_parity.tables import (
    Agreement,
    Comparison,
    Disparity,
    Influence,
    Labels,
    Lengths,
    Overview,
    Prompts,
    Rates,
    Responses,
    SelfCheck,
    StudyDesign,
    read_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import dataframely as dy
    from slurm_study import Place

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("study")]

MODELS = tuple(STUDY["models"])
TABLES: dict[str, type[dy.Schema]] = {
    "responses": Responses,
    "labels": Labels,
    "rates": Rates,
    "disparity": Disparity,
    "influence": Influence,
    "lengths": Lengths,
    "selfcheck": SelfCheck,
}

OF_THE_STUDY: dict[str, type[dy.Schema]] = {
    "prompts": Prompts,
    "overview": Overview,
    "comparison": Comparison,
    "design": StudyDesign,
    "audit/agreement": Agreement,
}


class Study(NamedTuple):
    place: Place
    held: list[tuple[str, str]]
    """Node and number of each GPU while all four engines were drawing."""


@pytest.fixture(scope="module")
def study(place_of: Callable[[str, dict[str, object]], Place]) -> Study:
    """The study, run as the documentation says; its engines meet half way."""
    place = place_of("study", STUDY)
    snakemake = place.start()
    place.freeze(*MODELS)
    held = [
        (node, number)
        for line in place.cluster.run(
            "scontrol", "--details", "--oneliner", "show", "jobs"
        ).splitlines()
        if "JobState=RUNNING" in line
        for node, number in re.findall(r"Nodes=(n\d) .*?GRES=gpu:a100:1\(IDX:(\d)\)", line)
    ]
    place.thaw(*MODELS)
    said = place.finish(snakemake)
    assert snakemake.returncode == 0, said[-5000:]
    return Study(place, held)


def test_models_run_at_once_each_on_a_gpu_of_its_own(study: Study) -> None:
    assert len(study.held) == len(set(study.held)) == len(MODELS)
    nodes = Counter(node for node, _ in study.held)
    assert set(nodes) <= set(GPU_NODES)
    assert max(nodes.values()) <= GPUS_OF_A_NODE


def test_tables_equal_those_of_the_local_run(study: Study, local: Place) -> None:
    rest = local.run_locally()
    assert rest.returncode == 0, rest.stderr[-5000:]
    for model in MODELS:
        for name, schema in TABLES.items():
            path = f"models/{model}/{name}.parquet"
            ours, theirs = (read_table(schema, one.results / path) for one in (study.place, local))
            assert ours.equals(theirs), path
    for name, schema in OF_THE_STUDY.items():
        ours, theirs = (
            read_table(schema, one.results / f"{name}.parquet") for one in (study.place, local)
        )
        assert ours.equals(theirs), name


def test_inference_goes_to_gpus_the_rest_to_the_cpu_partition(study: Study) -> None:
    jobs = study.place.jobs()
    assert jobs.filter(pl.col("rule") == "generate_responses")["partition"].unique().to_list() == [
        "gpu"
    ]
    rest = jobs.filter(pl.col("rule") != "generate_responses")
    assert rest["partition"].unique().to_list() == ["cpu"]
    # Prompts, classifier, agreement, and for each model labels, tests and design.
    assert len(rest) == 3 + 3 * len(MODELS)
    # What takes seconds, or goes to the network, stays on the login node.
    gathered = {"gather_design", "gather_selfcheck", "overview_models", "compare_models"}
    local = {*gathered, "record_jobs", "write_report"}
    assert not local & set(rest["rule"])


def test_jobs_are_recorded_from_accounting(study: Study) -> None:
    jobs = study.place.jobs()
    assert set(jobs["state"]) == {"COMPLETED"}
    assert set(jobs["attempt"]) == {1}
    drawn = jobs.filter(pl.col("rule") == "generate_responses")
    assert sorted(drawn["model"]) == sorted(MODELS)
    assert set(drawn["node"]) <= set(GPU_NODES)
    assert drawn["gpus"].to_list() == [1] * len(MODELS)
    assert (drawn["gpu_hours"] - drawn["wall_s"] / 3600).abs().max() < 1e-12
    assert (drawn["wall_s"] > 0).all()
    assert (drawn["wait_s"] >= 0).all()
    # An engine and its cache take about 2 GB.
    assert drawn["peak_memory_mb"].min() > 500
    page = (study.place.results / "report.html").read_text("utf-8")
    for job in jobs["job_id"]:
        assert re.search(rf">\s*{job}\s*<", page), job


def test_one_branch_again_submits_its_jobs_alone(study: Study) -> None:
    place = study.place
    before = len(place.cluster.submitted())
    target = "results/cluster/models/even-1/disparity.parquet"
    result = place.run(target, "--forcerun", place.responses("even-1"))
    assert result.returncode == 0, result.stderr[-3000:]
    received = place.cluster.submitted()[before:]
    comments = [call[call.index("--comment") + 1] for call in received]
    assert sorted(comments) == [
        "rule_generate_responses_wildcards_even-1",
        "rule_label_responses_wildcards_even-1",
        "rule_test_disparity_wildcards_even-1",
    ]
