from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

# Tests are imported one by one and no package: their helpers must be findable by name.
sys.path.append(str(Path(__file__).parent))

from slurm_cluster import Cluster, missing_programs
from slurm_study import SMALL_STUDY, STUDY, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_LEFT_BEHIND = (".*", "results", "resources", "__pycache__", "tests", "docs")


def _check_possible() -> None:
    missing = missing_programs()
    if missing:
        pytest.skip(
            f"SLURM is not installed ({', '.join(missing)} missing); "
            "`make test-slurm` installs it on Debian and Ubuntu"
        )
    if os.geteuid() != 0:
        pytest.skip("only root may start a cluster that runs jobs")


def _stop_in_order(_signal: int, _frame: FrameType | None) -> None:
    pytest.exit("stopped by SIGTERM", returncode=143)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster of all tests of this process."""
    _check_possible()
    # Nothing may be left running, however the tests end.
    signal.signal(signal.SIGTERM, _stop_in_order)
    running = Cluster.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def no_accounting() -> Iterator[Cluster]:
    """A second cluster beside the first, without accounting."""
    _check_possible()
    running = Cluster.start(accounting=False)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def clone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a folder that is what a fresh clone of the repository would be."""

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name) / "refusal-parity"
        ignored = shutil.ignore_patterns(*_LEFT_BEHIND)
        return Path(shutil.copytree(root, folder, symlinks=True, ignore=ignored))

    return make


@pytest.fixture(scope="session")
def place_of(
    cluster: Cluster, clone: Callable[[str], Path]
) -> Iterator[Callable[[str, dict[str, object]], Place]]:
    """Makes a clone whose site file names this cluster, with a study in it."""
    places = []

    def make(name: str, study: dict[str, object]) -> Place:
        place = Place(clone(name), cluster)
        places.append(place)
        place.set_up_site()
        place.write_study(study)
        return place

    yield make
    for place in places:
        place.end()


@pytest.fixture
def place(
    request: pytest.FixtureRequest,
    place_of: Callable[[str, dict[str, object]], Place],
    cluster: Cluster,
) -> Iterator[Place]:
    """A clone with one model, for a test that breaks something."""
    made = place_of(request.node.name.split("[")[0][:30], SMALL_STUDY)
    yield made
    made.end()
    cluster.cancel_all()


@pytest.fixture(scope="session")
def local(
    clone: Callable[[str], Path],
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Place:
    """The study's responses, drawn on this machine alone, to compare with.

    Whichever test process is first draws them for all.
    """
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    done = shared / "local-study"
    with FileLock(shared / "local-study.lock"):
        if done.exists():
            return Place(Path(done.read_text("utf-8")), cluster)
        place = Place(clone("local"), cluster)
        place.write_study(STUDY)
        result = place.run_locally(*map(place.responses, STUDY["models"]))
        assert result.returncode == 0, result.stderr[-5000:]
        done.write_text(str(place.folder), "utf-8")
    return place
