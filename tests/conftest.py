from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
