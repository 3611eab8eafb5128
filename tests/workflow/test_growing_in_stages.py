"""A study that draws in stages until its intervals are narrow enough."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity.tables import Precision, Prompts, Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow


def _study(folder: Path) -> dict[str, Any]:
    names = [f"{group}{at},N{group}{at},{group}" for group in "xyz" for at in range(8)]
    (folder / "names.csv").write_text("\n".join(["name_id,name,group", *names]), "utf-8")
    templates = [f"t{at},f,[NAME] sees {at} and [BLANK]" for at in range(40)]
    text = "\n".join(["template_id,family,template", *templates])
    (folder / "templates.csv").write_text(text, "utf-8")
    return {
        "study": "grown",
        "prompts": {"templates": "templates.csv", "names": "names.csv"},
        "models": {"coin": {"engine": "coin"}},
        "samples": 1,
        "labelling": {"method": "keyword"},
        "analysis": {
            "dimensions": {"group": {"reference": "x"}},
            "outcomes": ["refusal"],
            "permutations": 99,
            "bootstraps": 99,
            "selfcheck": 0,
            "stop_when": {"half_width": 0.125, "grow": "templates", "stages": [20, 36, 40]},
        },
    }


def test_it_grows_until_it_is_precise_enough(
    workplace: Workplace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workplace.folder
    # Alone, as others there are of more than engines.
    plugins = folder / "plugins"
    plugins.mkdir()
    shutil.copy(root / "tests/plugins/coin_engine.py", plugins)
    monkeypatch.setenv("REFUSAL_PARITY_PLUGINS", str(plugins))
    study = _study(folder)
    name = workplace.write_config("study.yaml", study)
    results = folder / "results/grown"
    models = results / "models/coin"
    first = workplace.run("next_stage", config=name)
    assert first.returncode == 0, first.stderr
    assert "at stage 1 of 3 (20 templates) intervals are still wider than ±12.5" in first.stderr
    assert "opened stage 2, as results/grown/stages.yaml says" in first.stderr
    early = read_table(Responses, models / "responses.parquet")
    assert len(early) == 20 * 24
    assert not (results / "report.html").exists()
    # What is there is kept, and the plan says so.
    planned = workplace.run("--dry-run", config=name)
    assert "480 are there already, 384 will be drawn" in planned.stdout, planned.stderr
    whole = workplace.run(config=name)
    assert whole.returncode == 0, whole.stderr
    later = read_table(Responses, models / "responses.parquet")
    assert len(later) == 36 * 24
    both = early.join(later, on=["prompt_id", "sample"], suffix="_later")
    assert len(both) == len(early)
    assert both["response"].equals(both["response_later"].alias("response"))
    precision = read_table(Precision, models / "precision.parquet")
    assert precision["stage"].to_list() == [1, 1, 2, 2]
    assert precision.filter(pl.col("stage") == 2)["enough"].all()
    assert "stopped at stage 2 of 3" in (results / "report.html").read_text("utf-8")
    assert "interim" not in (results / "summary.txt").read_text("utf-8")
    before = (results / "stages.yaml").read_text("utf-8")
    asked = len(read_table(Prompts, results / "prompts.parquet"))
    last = workplace.run("next_stage", config=name)
    assert "stopped at stage 2 of 3 (36 templates)" in last.stderr
    assert "no further stage is opened" in last.stderr
    assert (results / "stages.yaml").read_text("utf-8") == before
    assert len(read_table(Prompts, results / "prompts.parquet")) == asked == 36 * 24
    # Other stages than those that were drawn are a mistake, said before anything runs.
    study["analysis"]["stop_when"]["stages"] = [20, 26, 40]
    (folder / name).write_text(yaml.safe_dump(study), "utf-8")
    changed = workplace.run("--dry-run", config=name)
    assert changed.returncode == 1
    assert "stages is [20, 26], and was [20, 36]" in changed.stdout + changed.stderr
