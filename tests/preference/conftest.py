from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from audits import MadeUp, audit_of


@pytest.fixture(scope="session")
def planted(root: Path) -> MadeUp:
    return audit_of(root, "planted")


@pytest.fixture(scope="session")
def even(root: Path) -> MadeUp:
    return audit_of(root, "even")
