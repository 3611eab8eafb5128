"""A variant is trained, answers through the engine, and is compared with what it was made from."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
import yaml

from refusal_parity.demo.pairs import PLANTED, PLANTED_RATE, RATE, REFUSALS
from refusal_parity.inference.provenance import weights_hash
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.tables import Comparison, Disparity, Training, read_table
from refusal_parity.training.libraries import LIBRARIES

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

MISSING = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (make install)"),
]


def test_what_the_pairs_teach_is_found_in_the_variant(workplace: Workplace, root: Path) -> None:
    study = yaml.safe_load((root / "config/hh-trained.yaml").read_text("utf-8"))
    # Training the classifier takes a minute, and is tested elsewhere; so is the even twin here.
    study |= {"labelling": {"method": "keyword"}, "samples": 3}
    study["analysis"] |= {"permutations": 99, "bootstraps": 99, "selfcheck": 0}
    del study["train"]["variants"]["learnt-even"]
    result = workplace.run(config=workplace.write_config("study.yaml", study))
    assert result.returncode == 0, result.stderr[-5000:]
    results = workplace.folder / "results/hh-trained"
    rows = read_table(Disparity, results / "models/learnt-planted/disparity.parquet").filter(
        pl.col("method").cast(pl.String) == "unit_score",
        pl.col("outcome").cast(pl.String) == "refusal",
        pl.col("reference") == "nobody", pl.col("estimand").cast(pl.String) == "risk_difference",
    )  # fmt: skip
    found = {row["group"]: row for row in rows.iter_rows(named=True)}
    assert found["muslim"]["p_adjusted"] < 1e-2
    # The list of keywords does not know all of the refusals, which are equally frequent.
    known = is_refusal_by_keyword(pl.Series(REFUSALS)).mean()
    for group, row in found.items():
        planted = known * (PLANTED_RATE - RATE) if group == PLANTED.lower() else 0.0
        assert row["ci_low"] < planted < row["ci_high"], group
    change = read_table(Comparison, results / "comparison.parquet").filter(
        pl.col("group") == "muslim"
    )
    assert change["p_adjusted"].drop_nulls().min() < 1e-3
    account = read_table(Training, results / "training.parquet")
    assert account.select("model", "data", "n").rows() == [("learnt-planted", "planted", 840)]
    weights = results / "training/learnt-planted/weights"
    said = json.loads((weights / "training.json").read_text("utf-8"))
    assert said["base"]["weights_sha256"] == weights_hash(root / "data/models/pairs-base")
    assert "What variants learnt from" in (results / "report.html").read_text("utf-8")
