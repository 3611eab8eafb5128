"""Everything that would keep a study from its end, found before anything is submitted."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from slurm_cluster import wait_until
from slurm_study import PATIENCE_S, SMALL_STUDY, Place

from refusal_parity.cluster.granting import Wanted
from refusal_parity.cluster.preflight import Submission, check_cluster
from refusal_parity.cluster.probe import Need, check_offline
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slurm_cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("preflight")]

SITE = Path("site.yaml")
ON_GPU = Wanted(
    who="m", partition="gpu", account="lab", gpus=2, gpu_model="a100", cpus=8, mem_mb=8000,
    runtime=480,
)  # fmt: skip
ON_CPU = replace(ON_GPU, who="expand_prompts", partition="cpu", gpus=0, gpu_model=None)


@pytest.fixture(autouse=True)
def _idle(cluster: Cluster) -> None:
    """A node just resumed, or one whose daemon a busy machine held up, is refused at first."""

    def idle() -> bool:
        found = cluster.run("sinfo", "--noheader", "--partition", "cpu", "--format", "%a %T")
        return found.split() == ["up", "idle"]

    wait_until(idle, "partition cpu is idle", patience_s=PATIENCE_S)


def _check(cluster: Cluster, *wanted: Wanted, **settings: Any) -> list[str]:
    """Run the checks against a cluster; returns what they could not check."""
    submission = Submission(
        wanted=wanted or (ON_GPU, ON_CPU),
        needs=settings.pop("needs", [Need(Path("/"), "read", "nowhere")]),
        results=Path("results"),
        site=SITE,
        status_command=settings.pop("status_command", None),
        first_look_s=settings.pop("first_look_s", 10),
    )
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", settings.pop("path", cluster.path))
        check_cluster(submission, say=said.append)
    return said


def _refused(cluster: Cluster, message: str, *wanted: Wanted, **settings: Any) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as refusal:
        _check(cluster, *wanted, **settings)
    # Where, what and what to do, on one line.
    assert "\n" not in str(refusal.value)
    assert refusal.value.where
    assert refusal.value.remedy


def test_a_cluster_that_grants_all_passes(cluster: Cluster) -> None:
    assert _check(cluster) == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            replace(ON_CPU, partition="fast"),
            "site.yaml, partition: there is no partition 'fast'. Name one of: cpu, gpu.",
        ),
        (
            replace(ON_GPU, partition="fast"),
            "site.yaml, gpu_partition: there is no partition 'fast'. Name one of: cpu, gpu.",
        ),
        (
            replace(ON_CPU, account="theirs"),
            "site.yaml, account: root may not charge account 'theirs'. Name one of: lab, root.",
        ),
        (
            replace(ON_GPU, runtime=1441),
            (
                "site.yaml, max_runtime: m: the last attempt asks for 1441 minutes and partition "
                "gpu grants 1440. Set it to 1440"
            ),
        ),
        (
            replace(ON_GPU, partition="cpu"),
            "site.yaml, gpu_partition: m: the nodes of partition cpu have no GPU. Name a",
        ),
        (
            replace(ON_GPU, gpu_model="h100"),
            "site.yaml, gpu_model: m: partition gpu has no GPU of type 'h100'. Name one of: a100.",
        ),
        (
            replace(ON_GPU, gpus=4),
            "models.m.gpus: m asks for 4 GPUs and no node of partition gpu has more than 2. Lower",
        ),
        (
            replace(ON_GPU, mem_mb=70000),
            (
                "site.yaml, gpu_partition: m asks for 70000 MB of memory and no node of partition "
                "gpu has as much. Lower the model's mem_mb"
            ),
        ),
        (replace(ON_CPU, cpus=9), "expand_prompts: SLURM would refuse the job (sbatch fails: "),
    ],
)
def test_what_is_never_granted(cluster: Cluster, wanted: Wanted, message: str) -> None:
    _refused(cluster, message, wanted)


@contextmanager
def _updated(cluster: Cluster, what: str, state: str) -> Iterator[None]:
    cluster.run("scontrol", "update", what, f"State={state}", *["Reason=test"] * ("Node" in what))
    try:
        yield
    finally:
        back = "RESUME" if "Node" in what else "UP"
        cluster.run("scontrol", "update", what, f"State={back}")


def test_partition_that_is_closed(cluster: Cluster) -> None:
    with _updated(cluster, "PartitionName=cpu", "DOWN"):
        _refused(cluster, "partition: partition cpu takes no jobs now. Name another one", ON_CPU)


def test_nodes_that_are_drained(cluster: Cluster) -> None:
    with _updated(cluster, "NodeName=n4", "DRAIN"):
        _refused(cluster, "every node of partition cpu that could run it is down or", ON_CPU)


def test_folder_that_nodes_do_not_see(cluster: Cluster, tmp_path: Path) -> None:
    needs = [
        Need(tmp_path, "write to", "results"),
        Need(tmp_path / "model/config.json", "read", "models.m.source"),
    ]
    _refused(
        cluster,
        f"models.m.source: jobs of partition cpu cannot read {tmp_path}/model/config.json. Put it",
        ON_CPU,
        needs=needs,
    )


def test_busy_nodes_are_not_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refusal_parity.cluster.probe.PATIENCE_S", 3)
    job = cluster.run(
        "sbatch", "--parsable", "-p", "cpu", "-c", "8", "-o", "/dev/null", "--wrap", "sleep 600"
    )
    try:
        assert "no node was free" in _check(cluster, ON_CPU)[0]
    finally:
        cluster.run("scancel", job.strip())


def test_machine_without_slurm(cluster: Cluster, tmp_path: Path) -> None:
    _refused(cluster, "SLURM: sbatch is not installed here. Start Snakemake on", path=str(tmp_path))


def test_accounting_that_does_not_answer(cluster: Cluster) -> None:
    cluster.stop_daemon("slurmdbd")
    try:
        _refused(cluster, "SLURM: accounting is on and does not answer (sacct fails: ")
    finally:
        cluster.start_daemon("slurmdbd")


def test_without_accounting_the_status_command_is_named(
    no_accounting: Cluster, clone: Callable[[str], Path]
) -> None:
    own = replace(ON_CPU, account=None)
    _refused(no_accounting, "Add the line `slurm-status-command: squeue` to profiles/", own)
    _refused(
        no_accounting,
        "squeue forgets ended jobs after 3600 s (MinJobAge)",
        own,
        status_command="squeue",
        first_look_s=1201,
    )
    assert _check(no_accounting, own, status_command="squeue") == []
    place = Place(clone("squeue"), no_accounting)
    place.set_up_site(account=None)
    place.write_study(SMALL_STUDY)
    target = "results/cluster/prompts.parquet"
    refused = place.run(target)
    assert refused.returncode != 0
    assert "accounting is off, so that `sacct` knows no job" in refused.stderr
    assert not place.results.exists()
    with (place.folder / "profiles/slurm/config.yaml").open("a", encoding="utf-8") as profile:
        profile.write("slurm-status-command: squeue\n")
    result = place.run(target)
    assert result.returncode == 0, result.stderr[-3000:]
    no_accounting.stop_daemon("slurmctld")
    _refused(no_accounting, "SLURM: the controller does not answer (squeue ", own)


def test_nothing_is_submitted_after_a_refusal(place: Place) -> None:
    place.set_up_site(partition="nowhere")
    before = len(place.cluster.submitted())
    result = place.run()
    assert result.returncode != 0
    assert "site.yaml, partition: there is no partition 'nowhere'" in result.stderr
    assert "Traceback" not in result.stderr
    assert place.cluster.submitted()[before:] == []
    assert not place.results.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tokenizer", "no tokenizer there"),
        ("auto_map", "takes code from the hub (owner/model--modeling.Model)"),
    ],
)
def test_model_that_would_need_the_hub(
    root: Path, tmp_path: Path, change: str, message: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(root / "data/models/demo-even", folder)
    check_offline(folder, trust_remote_code=True)
    if change == "tokenizer":
        (folder / "tokenizer.json").unlink()
    else:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config["auto_map"] = {"AutoModelForCausalLM": "owner/model--modeling.Model"}
        (folder / "config.json").write_text(json.dumps(config))
        check_offline(folder, trust_remote_code=False)
    with pytest.raises(InputError, match=re.escape(message)):
        check_offline(folder, trust_remote_code=True)
