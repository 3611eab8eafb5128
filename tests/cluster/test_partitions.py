from __future__ import annotations

import pytest

from refusal_parity.cluster.partitions import Node, minutes, read_gres


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("1-00:00:00", 1440),
        ("2-12:30:00", 3630),
        ("08:15:30", 495),
        ("UNLIMITED", None),
        ("infinite", None),
    ],
)
def test_minutes(limit: str, expected: int | None) -> None:
    assert minutes(limit) == expected


@pytest.mark.parametrize(
    ("gres", "expected"),
    [
        ("gpu:a100:2", {"a100": 2}),
        ("gpu:a100:4(S:0-1)", {"a100": 4}),
        ("gpu:nvidia_a100_3g.20gb:2,gpu:v100:1(S:0)", {"nvidia_a100_3g.20gb": 2, "v100": 1}),
        ("gpu:8", {"": 8}),
        ("lustre:1,gpu:h100:4", {"h100": 4}),
        ("(null)", {}),
    ],
)
def test_read_gres(gres: str, expected: dict[str, int]) -> None:
    assert read_gres(gres) == expected


def test_gpus_of_one_job_are_of_one_type() -> None:
    node = Node(gpus={"a100": 2, "v100": 4}, cpus=8, mem_mb=1000, usable=True)
    assert node.gpus_of("a100") == 2
    assert node.gpus_of("h100") == 0
    assert node.gpus_of(None) == 4
