"""No number hangs on the order of rows, on what names are called, or on the processor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from all_tables import all_tables, differences
from random_studies import Study, random_study, study_by_name

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities

MANY: Final = int(os.environ.get("REFUSAL_PARITY_STUDIES", "0"))
"""How many random studies `make kernels` asks for; a few by default."""

PLAIN: Final = "Prescott"
"""The kernel that every processor of this family runs."""

KERNELS: Final = {
    # What OpenBLAS is asked for, and what it may call that.
    PLAIN: {"Prescott", "Katmai"},
    "Sandybridge": {"Sandybridge"},
    "Haswell": {"Haswell"},
    "SkylakeX": {"SkylakeX"},
}

_DRAWN_BY_KEY: Final = pl.col("method").cast(pl.String).str.contains("^bootstrap|^calibrated")


def few(start: int, step: int, number: int) -> list[str]:
    """Seeds of random studies: some, or with `make kernels` all up to the number asked for."""
    return [str(seed) for seed in (range(MANY) if MANY else range(start, step * number, step))]


@pytest.mark.parametrize("name", few(0, 3, 5))
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    study = study_by_name(name)
    assert differences(all_tables(study), all_tables(study.shuffled(1))) == []


def _primary(analysis: AnalysisConfig) -> pl.Expr:
    """Rows of the question whose smallest difference is that of simulated studies."""
    family = analysis.primary_family
    asked = pl.col("outcome").cast(pl.String) == str(family.outcome)
    return asked & (pl.col("dimension") == family.dimension)


@pytest.mark.parametrize("seed", few(1, 5, 5))
def test_what_names_and_templates_are_called_changes_nothing(seed: str) -> None:
    study = random_study(int(seed))
    keys = {column: sorted(study.prompts[column].unique()) for column in ("name_id", "template_id")}
    # Keys that sort the other way round.
    new = {key: f"{key[0]}{99 - at:02}" for each in keys.values() for at, key in enumerate(each)}
    renamed = study._replace(prompts=study.prompts.with_columns(pl.col(list(keys)).replace(new)))
    first, second = all_tables(study), all_tables(renamed)
    old = {value: key for key, value in new.items()}
    for tables in (first, second):
        # Simulated studies and bootstrap samples are drawn by key.
        del tables["selfcheck"]
        tables["disparity"] = tables["disparity"].filter(~_DRAWN_BY_KEY)
        tables["design"] = tables["design"].filter(~_primary(study.analysis))
    second = {
        name: table.with_columns(pl.col(pl.String).exclude("note").replace(old))
        for name, table in second.items()
    }
    assert differences(first, second) == []


def two_sided(study: Study, reference: str) -> pl.DataFrame:
    """What is the same of a pair whichever of the two comes first."""
    dimensions: dict[Any, Any] = {"group": DimensionConfig(reference=reference)}
    analysis = study.analysis.model_copy(update={"dimensions": dimensions})
    table = disparities(
        observe(study.prompts, study.labels, analysis, study.responses), analysis, study.human
    )
    # Its studies are simulated by key, and its family is that of the reference.
    table = table.filter(pl.col("method").cast(pl.String) != "calibrated")
    pair = pl.concat_list(pl.col("group", "reference")).list.sort().list.join(" ")
    return (
        table.filter(estimand="mean_difference")
        .vstack(table.filter(pl.col("estimand").is_in(["risk_difference", "global"])))
        .select(
            "model",
            "outcome",
            "method",
            "estimand",
            pair.alias("pair"),
            "std_error",
            "df",
            "df_denominator",
            "p_value",
            pl.col("estimate", "statistic").abs(),
            width=pl.col("ci_high") - pl.col("ci_low"),
        )
    )


@pytest.mark.parametrize("seed", few(2, 5, 5))
def test_pairs_are_the_same_whichever_group_is_the_reference(seed: str) -> None:
    study = random_study(int(seed))
    first, second = ({"pairs": two_sided(study, each)} for each in ("white", "blue"))
    assert differences(first, second) == []


def can_run(kernel: str) -> bool:
    """Whether this processor has the instructions: OpenBLAS starts what it is asked for."""
    program = "import numpy; a = numpy.ones((99, 99)); numpy.linalg.svd(a @ a)"
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"OPENBLAS_CORETYPE": kernel},
        capture_output=True,
        check=False,
    )
    assert told.returncode in {0, -signal.SIGILL}, told.stderr
    return told.returncode == 0


def tables_under(
    kernel: str, names: list[str], folder: Path, *, shuffled: bool
) -> subprocess.Popen[str]:
    """The program that makes the tables, as it runs."""
    folder.mkdir()
    program = Path(__file__).parent / "make_tables.py"
    paths = [str(Path(__file__).parents[2] / "workflow" / "lib"), *sys.path]
    return subprocess.Popen(
        [sys.executable, program, folder, *(["--shuffled"] if shuffled else []), *names],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel, "PYTHONPATH": os.pathsep.join(paths)},
    )


@pytest.mark.parametrize(
    ("kernel", "names"),
    [
        ("Sandybridge", [*few(0, 4, 5), "demo"]),
        ("Haswell", [*few(1, 4, 5), "released"]),
        ("SkylakeX", few(3, 4, 6)),
    ],
)
def test_neither_the_processor_nor_the_order_of_rows_changes_anything(
    kernel: str, names: list[str], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Both at once, since tables of the large studies take long to make."""
    shared = Path(os.environ.get("REFUSAL_PARITY_SHARED", pytestconfig.rootpath.parent / "shared"))
    if not shared.is_dir():
        names = [name for name in names if name != "released"]
    cannot = f"this processor cannot run OpenBLAS's kernel {kernel}"
    if not can_run(kernel):
        pytest.skip(cannot)
    running = {
        each: tables_under(each, names, tmp_path / each, shuffled=each != PLAIN)
        for each in (PLAIN, kernel)
    }
    for each, program in running.items():
        told, _ = program.communicate()
        assert program.returncode == 0
        if not set(json.loads(told)) <= KERNELS[each]:
            pytest.skip(f"{cannot}: it runs {told}")
    first, second = (
        {path.stem: pl.read_parquet(path) for path in (tmp_path / each).iterdir()}
        for each in running
    )
    assert differences(first, second) == []
