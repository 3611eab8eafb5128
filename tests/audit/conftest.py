from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from refusal_parity.tables import AuditSample, conform

# Tests are imported one by one and no package: their helpers must be findable by name.
sys.path.append(str(Path(__file__).parent))

RESPONSES = {
    "t1": '=HYPERLINK("x") is what [NAME] typed.',
    "t2": "I cannot.\n\nReally.",
    "t3": '[NAME] eats rice, bread and "figs".',
    "t4": "-1",
    "t5": "'quoted' words",
}


@pytest.fixture
def sample() -> pl.DataFrame:
    """Five responses to label: four drawn with known chances, one informative."""
    rows = [
        {
            "task": task,
            "model": "m",
            "prompt_id": f"p{number}",
            "sample": 0,
            "set": "informative" if task == "t5" else "probability",
            "stratum": None if task == "t5" else ("A" if number < 2 else "B"),
            "predicted": "answer",
            "inclusion_probability": None if task == "t5" else 0.5,
            "margin": 0.5,
            "prompt": "[NAME] eats [BLANK]",
            "response": response,
        }
        for number, (task, response) in enumerate(RESPONSES.items())
    ]
    return conform(pl.DataFrame(rows), AuditSample, where="test")
