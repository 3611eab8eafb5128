from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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
