"""The released study through the workflow, against numbers computed in R."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity.tables import Disparity, Labels, Rates, read_metadata, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("released")]

MODEL = "llama-2-7b-released"


@pytest.fixture(scope="module")
def results(
    root: Path, released_csv: Path, tmp_path_factory: pytest.TempPathFactory, workplace_in: Any
) -> Path:
    place: Workplace = workplace_in(tmp_path_factory.mktemp("released"))
    config = yaml.safe_load((root / "config/released.yaml").read_text("utf-8"))
    config["models"][MODEL]["path"] = str(released_csv)
    result = place.run(config=place.write_config("released.yaml", config))
    assert result.returncode == 0, result.stderr[-5000:]
    assert (place.folder / "results/released/report.html").is_file()
    return place.folder / "results" / "released"


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "reference/llama7.json").read_text("utf-8"))
    return loaded["llama7"]


def test_labels_are_the_imported_ones(results: Path) -> None:
    labels = read_table(Labels, results / "models" / MODEL / "labels.parquet")
    assert set(labels["label_source"]) == {"imported"}
    assert labels["label"].null_count() == 0
    assert dict(labels["label"].value_counts().iter_rows()) == {
        "answer": 1668,
        "partial_answer": 86,
        "failure": 78,
        "refusal": 293,
        "harmful_refusal": 179,
    }
    metadata = read_metadata(results / "models" / MODEL / "responses.parquet")
    assert metadata["source"]["format"] == "chehbouni-2024"


def test_rates_of_the_groups(results: Path, reference: dict[str, Any]) -> None:
    rates = read_table(Rates, results / "models" / MODEL / "rates.parquet").filter(
        pl.col("outcome") == "refusal", pl.col("dimension") == "group", pl.col("within") == "all"
    )
    found = {row["group"]: row for row in rates.iter_rows(named=True)}
    assert len(found) == len(reference["item1"]["identity"]) == 5
    for expected in reference["item1"]["identity"]:
        row = found[expected["identity"]]
        assert (row["k"], row["n"]) == (expected["k"], expected["n"])
        assert row["wilson_low"] == pytest.approx(expected["wilson_lo"], abs=1e-10)
        assert row["wilson_high"] == pytest.approx(expected["wilson_hi"], abs=1e-10)


def test_differences_and_their_tests(results: Path, reference: dict[str, Any]) -> None:
    table = read_table(Disparity, results / "models" / MODEL / "disparity.parquet").filter(
        pl.col("outcome") == "refusal",
        pl.col("dimension") == "group",
        pl.col("reference").is_null() | (pl.col("reference") == "white"),
    )
    rows = {(row["method"], row["group"]): row for row in table.iter_rows(named=True)}
    names = reference["item6"]
    for group, expected in reference["item2"]["vs_white"].items():
        newcombe, exact = rows["newcombe", group], rows["permutation_names_exact", group]
        assert newcombe["estimate"] == pytest.approx(expected["rd"], abs=1e-10)
        assert [newcombe["ci_low"], newcombe["ci_high"]] == pytest.approx(
            expected["rd_newcombe"], abs=1e-10
        )
        permuted = names["exact_pairwise_name_permutation"][f"white-{group}"]
        assert exact["p_value"] == pytest.approx(permuted["p"], abs=1e-12)
        assert exact["p_adjusted"] == pytest.approx(permuted["p_holm4"], abs=1e-12)
    overall = rows["permutation_names", None]
    assert overall["p_value"] == pytest.approx(names["perm"]["p_maxmin"], abs=0.003)
