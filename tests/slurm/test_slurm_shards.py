"""One model's prompts, drawn by several jobs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slurm_cluster import wait_until
from slurm_study import PATIENCE_S, STUDY

if TYPE_CHECKING:
    from collections.abc import Callable

    from slurm_study import Place

pytestmark = pytest.mark.slurm


def test_shards_give_the_same_table(
    place_of: Callable[[str, dict[str, object]], Place], local: Place
) -> None:
    model = STUDY["models"]["even-1"] | {"shards": 3}
    place = place_of("shards", STUDY | {"models": {"even-1": model}})
    snakemake = place.start(place.responses("even-1"))

    def at_once() -> bool:
        running = [job["comment"] for job in place.cluster.jobs("R")]
        assert snakemake.poll() is None, place.finish(snakemake)[-3000:]
        return sum("generate_shard" in comment for comment in running) == 3

    wait_until(at_once, "three shards run at once", patience_s=PATIENCE_S)
    said = place.finish(snakemake)
    assert snakemake.returncode == 0, said[-3000:]
    assert place.read_responses("even-1").equals(local.read_responses("even-1"))
