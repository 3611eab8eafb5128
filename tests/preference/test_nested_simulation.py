"""A reduced twin of benchmarks/preference_level.py."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def benchmark(root: Path) -> Any:
    spec = importlib.util.spec_from_file_location(
        "preference_level", root / "benchmarks/preference_level.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look themselves up there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", [0, 4, 7])
def test_level_and_coverage(benchmark: Any, case: int) -> None:
    """Of 120 studies: 3 standard errors around 5 % and 95 %."""
    found = benchmark.simulate(benchmark.CASES[case], studies=120, seed=case)
    assert found.rejected <= 0.05 + 3 * 0.02
    assert found.covered >= 0.95 - 3 * 0.02
