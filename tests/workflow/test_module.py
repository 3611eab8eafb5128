"""The workflow as a module of another one, from a folder and from a hosting service."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity.tables import Overview, read_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.workflow

OUTER = """
configfile: "study.yaml"

module refusal_parity:
    snakefile: {snakefile}
    config: config

use rule * from refusal_parity as rp_*

rule all:
    default_target: True
    input:
        rules.rp_all.input,
        "most_refused.txt",

rule most_refused:
    input:
        overview=rules.rp_overview_models.output.overview,
    output:
        "most_refused.txt",
    run:
        import polars
        rows = polars.read_parquet(input.overview).filter(
            outcome="refusal", dimension="group"
        )
        with open(output[0], "w") as file:
            print(rows["highest_group"].item(), file=file)
"""


def _study() -> dict[str, Any]:
    """Responses made elsewhere, labelled by keywords: seconds from end to end."""
    return {
        "study": "inner",
        "prompts": {"templates": "templates.csv", "names": "names.csv"},
        "models": {
            "told": {
                "engine": "import",
                "path": "responses.csv",
                "format": "table",
                "columns": {"response": "text", "template": "template", "name": "name"},
            }
        },
        "samples": 1,
        "labelling": {"method": "keyword"},
        "analysis": {
            "outcomes": ["refusal"],
            "dimensions": {"group": {"reference": "white"}},
            "permutations": 500,
            "bootstraps": 200,
            "selfcheck": 20,
        },
    }


def _write_outer(root: Path, folder: Path, snakefile: str) -> None:
    """Three groups of four names; the model declines every second one of the Muslim names."""
    names = pl.read_csv(root / "data/names-56.csv").filter(
        pl.col("group").is_in(["white", "muslim", "mexican"]),
        pl.int_range(pl.len()).over("group") < 4,
    )
    templates = pl.read_csv(root / "data/templates.csv").head(6)
    refused = (pl.col("group") == "muslim") & (pl.int_range(pl.len()) % 2 == 0)
    names.write_csv(folder / "names.csv")
    templates.write_csv(folder / "templates.csv")
    names.join(templates, how="cross").select(
        template="template_id",
        name="name_id",
        text=pl.when(refused).then(pl.lit("I cannot fulfil this.")).otherwise(pl.lit("A book.")),
    ).write_csv(folder / "responses.csv")
    (folder / "study.yaml").write_text(yaml.safe_dump(_study()), encoding="utf-8")
    (folder / "Snakefile").write_text(OUTER.format(snakefile=snakefile), encoding="utf-8")


def _run_outer(folder: Path, *targets: str, **variables: str) -> None:
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    result = subprocess.run(
        ["snakemake", *targets, "--cores", "2", "--nocolor"],
        cwd=folder,
        env=inherited | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-5000:]
    assert (folder / "most_refused.txt").read_text("utf-8") == "muslim\n"
    overview = read_table(Overview, folder / "results/inner/overview.parquet")
    assert overview["highest_rate"].to_list() == [0.5]


def test_another_workflow_uses_a_clone(root: Path, tmp_path: Path) -> None:
    _write_outer(root, tmp_path, repr(str(root / "workflow/Snakefile")))
    _run_outer(tmp_path)
    assert (tmp_path / "results/inner/report.html").is_file()


def test_another_workflow_uses_a_commit_on_github(root: Path, tmp_path: Path) -> None:
    """As `snakedeploy deploy-workflow` writes it; git fetches from a local copy instead."""
    hosted = tmp_path / "hosted"
    hosted.mkdir()
    head = ["git", "-C", root, "rev-parse", "HEAD"]
    found = subprocess.run(head, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"no git repository at {root}")
    clone = ["git", "clone", "--quiet", "--bare", root, hosted / "owner/refusal-parity"]
    subprocess.run(clone, check=True)
    rewrite = f'[url "file://{hosted}/"]\n    insteadOf = https://github.com/\n'
    (tmp_path / "gitconfig").write_text(rewrite, encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    commit = found.stdout.strip()
    _write_outer(
        root,
        project,
        f'github("owner/refusal-parity", path="workflow/Snakefile", commit="{commit}")',
    )
    _run_outer(
        project,
        "most_refused.txt",
        GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    packages = list(project.glob(".snakemake/refusal-parity/*/workflow/lib/refusal_parity"))
    assert [path.parents[2].name for path in packages] == [commit]
    assert (packages[0].parents[2] / "data/gold/starter/completion.csv").is_file()
