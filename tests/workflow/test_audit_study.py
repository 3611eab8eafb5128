"""An audit of made-up preference data through the workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import yaml

from refusal_parity.tables import GroupDifferences, PairLedger, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow


def test_an_audit_ends_with_its_report(workplace: Workplace, root: Path) -> None:
    config = yaml.safe_load((root / "config/hh-demo.yaml").read_text("utf-8"))
    # Training the classifier takes a minute, and is tested elsewhere.
    config["labelling"] = {"method": "keyword"}
    result = workplace.run(config=workplace.write_config("audit.yaml", config))
    assert result.returncode == 0, result.stderr[-5000:]
    results = workplace.folder / "results/hh-demo"
    assert result.stderr.endswith((results / "summary.txt").read_text("utf-8"))
    assert "unadjusted: muslim +" in result.stderr
    ledger = read_table(PairLedger, results / "pair_ledger.parquet")
    assert ledger.filter(pl.col("account") != "remark")["n"].sum() == 840
    shown = read_table(GroupDifferences, results / "group_differences.parquet").filter(
        pl.col("verdict") == "shown", pl.col("reference") == "nobody"
    )
    assert set(shown["group"]) == {"muslim"}
    assert (results / "figures/groups.svg").is_file()
    assert (results / "tables/group_differences.csv").is_file()
    page = (results / "report.html").read_text("utf-8")
    assert "Whom do the answers refuse that people prefer?" in page
