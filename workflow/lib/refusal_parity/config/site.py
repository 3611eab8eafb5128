"""The cluster that a study runs on: what differs from one to the next."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, ValidationError

from refusal_parity.config.complaints import readable
from refusal_parity.config.reading import read_yaml
from refusal_parity.config.section import Section


class Site(Section):
    """A SLURM cluster, as far as jobs must know it (profiles/slurm/site.yaml)."""

    account: str | None = Field(default=None, description="Account that jobs are charged to.")
    partition: str | None = Field(
        default=None,
        description="Partition of the jobs without GPU; null is the cluster's default.",
    )
    gpu_partition: str | None = Field(
        default=None, description="Partition of the jobs with GPUs; null is `partition`."
    )
    gpu_model: str | None = Field(
        default=None,
        description="GPU type for models that name none, as `sinfo -o %G` shows it; null is any.",
    )
    max_runtime: int | None = Field(
        default=None,
        ge=1,
        description="Longest time limit that the partitions grant, in minutes; null is no limit.",
    )
    scratch: str | None = Field(
        default=None,
        description="Folder for the jobs' temporary files, there on every node; null is the "
        "node's own.",
    )

    def partition_of(self, gpus: int) -> str | None:
        """Where a job with this many GPUs goes; null is the cluster's default."""
        return (self.gpu_partition or self.partition) if gpus else self.partition

    def gpu_model_of(self, gpus: int, wanted: str | None) -> str | None:
        """The GPU type a job asks for: the model's own, or else the site's."""
        return (wanted or self.gpu_model) if gpus else None

    def limited(self, runtime: int) -> int:
        """Minutes to ask for: what a job wants, or what the site grants."""
        return runtime if self.max_runtime is None else min(runtime, self.max_runtime)


def find_site(repository: Path) -> Path:
    """Where the site file is, or would be.

    The environment variable REFUSAL_PARITY_SITE names it, or it lies beside the
    profile: in the folder that the run was started in, or in the repository.
    """
    named = os.environ.get("REFUSAL_PARITY_SITE")
    beside_profile = Path("profiles/slurm/site.yaml")
    if named:
        return Path(named)
    return beside_profile if beside_profile.exists() else repository / beside_profile


def load_site(path: Path) -> Site:
    """Read and check a site file; one with comments alone is a site of defaults.

    Raises:
        InputError: it is missing or no YAML, or a key is unknown or wrong.
    """
    raw = read_yaml(path, remedy="Take profiles/slurm/site.yaml as a pattern.")
    try:
        return Site.model_validate(raw or {})
    except ValidationError as error:
        raise readable(error, str(path)) from None
