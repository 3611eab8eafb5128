from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from refusal_parity.config import Site, find_site, load_site
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_shipped_site_is_one_of_defaults_and_names_every_key(root: Path) -> None:
    path = root / "profiles/slurm/site.yaml"
    assert load_site(path) == Site()
    for key in Site.model_fields:
        assert re.search(rf"^{key}: null$", path.read_text("utf-8"), re.MULTILINE), key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("partitoin: cpu", "unknown key partitoin. Did you mean 'partition'?"),
        ("max_runtime: 0", "max_runtime: must be at least 1 (given: 0)"),
        ("account: [", "cannot be read"),
        ("max_runtime: 0600", "0600 is the number 384 in YAML; write that, or quotes"),
        ("max_runtime: 24:00", "24:00 is the number 1440 in YAML"),
        ("partition: cpu\npartition: gpu", "key 'partition' stands there twice"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(message)) as error:
        load_site(path)
    assert str(path) in str(error.value)


_KEYS = {
    "account": ("mine", 7),
    "partition": ("cpu", [1]),
    "gpu_partition": ("gpu", 7),
    "gpu_model": ("a100", {"a": 1}),
    "max_runtime": (60, 0.5),
    "scratch": ("/scratch", 7),
}


def test_every_key_takes_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    assert _KEYS.keys() == Site.model_fields.keys()
    path = tmp_path / "site.yaml"
    for key, (right, wrong) in _KEYS.items():
        for taken in (right, None):
            path.write_text(yaml.safe_dump({key: taken}))
            assert getattr(load_site(path), key) == taken
        path.write_text(yaml.safe_dump({key: wrong}))
        with pytest.raises(InputError, match=f"^{path}: {key}: .* Correct it; config/README"):
            load_site(path)


@pytest.mark.parametrize(
    ("site", "gpus", "partition"),
    [
        (Site(), 2, None),
        (Site(partition="a"), 2, "a"),
        (Site(partition="a", gpu_partition="b"), 2, "b"),
        (Site(partition="a", gpu_partition="b"), 0, "a"),
        (Site(gpu_partition="b"), 0, None),
    ],
)
def test_partition(site: Site, gpus: int, partition: str | None) -> None:
    assert site.partition_of(gpus) == partition


def test_site_file_is_named_or_beside_the_profile(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REFUSAL_PARITY_SITE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert find_site(root) == root / "profiles/slurm/site.yaml"
    (tmp_path / "profiles/slurm").mkdir(parents=True)
    (tmp_path / "profiles/slurm/site.yaml").touch()
    assert find_site(root).absolute() == tmp_path / "profiles/slurm/site.yaml"
    monkeypatch.setenv("REFUSAL_PARITY_SITE", "mine.yaml")
    assert str(find_site(root)) == "mine.yaml"


def test_gpu_model_of_the_model_wins_and_a_cpu_job_has_none() -> None:
    site = Site(gpu_model="a100")
    assert site.gpu_model_of(1, None) == "a100"
    assert site.gpu_model_of(1, "h100") == "h100"
    assert site.gpu_model_of(0, "h100") is None


def test_runtime_ends_at_the_sites_limit() -> None:
    assert Site().limited(480) == 480
    assert Site(max_runtime=240).limited(480) == 240
    assert Site(max_runtime=240).limited(120) == 120
