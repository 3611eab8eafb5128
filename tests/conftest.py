from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from refusal_parity.statistics.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.registry import Method

ROOT = Path(__file__).parents[1]
# Modules that tests share.
sys.path.append(str(Path(__file__).parent))
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16")


def pytest_report_header() -> str:
    """What of the processor the engine's choice of kernels hangs on."""
    try:
        found = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return f"instruction sets: unknown ({platform.machine()})"
    return f"instruction sets: {' '.join(f for f in CPU_FLAGS if f in found) or 'none known'}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference numbers and released data, which are no part of the repository."""
    folder = Path(os.environ.get("REFUSAL_PARITY_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no reference material at {folder}; REFUSAL_PARITY_SHARED may name it")
    return folder


@pytest.fixture(scope="session")
def released_csv(shared: Path) -> Path:
    """Human-labelled responses of Llama-2-Chat 7B."""
    return shared / "released-study" / "df_annotated_llama7.csv"


@pytest.fixture
def added_method(root: Path) -> Iterator[Method]:
    """A method that somebody adds: a file with its function and its declaration."""
    path = root / "tests/plugins/sign_of_names_method.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.SIGN_OF_NAMES
    del METHODS[module.SIGN_OF_NAMES]
