from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_planning_a_study_waits_for_no_slow_import(root: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, refusal_parity.study; print(*sys.modules)"],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "polars" in loaded
    assert not {"dataframely", "matplotlib", "pyarrow", "sklearn", "statsmodels"} & set(loaded)
