from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Tests are imported one by one and no package: their shared builder must be findable by name.
sys.path.append(str(Path(__file__).parent))

from report_study import make_inputs

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs


@pytest.fixture(scope="session")
def inputs() -> ReportInputs:
    return make_inputs(["demo-guarded", "demo-even"])
