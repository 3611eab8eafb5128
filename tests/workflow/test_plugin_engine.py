"""An engine in a folder of its own: no list of the project names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.tables import Prompts, Responses, read_metadata, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow


def test_an_engine_of_somebody_elses_draws_a_study(
    workplace: Workplace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSAL_PARITY_PLUGINS", str(root / "tests/plugins"))
    models = {"once": {"engine": "echo"}, "twice": {"engine": "echo", "times": 2}}
    prompts = {"templates": "data/templates.csv", "names": "data/names.csv"}
    study = {"study": "s", "prompts": prompts, "samples": 2, "models": models}
    name = workplace.write_config("study.yaml", study)
    table = "results/s/models/{}/responses.parquet"
    tables = [table.format(key) for key in models]
    drawn = workplace.run(*tables, config=name)
    assert drawn.returncode == 0, drawn.stderr
    assert "[twice] hello" in drawn.stderr
    sent = read_table(Prompts, workplace.folder / "results/s/prompts.parquet")
    assert f"[twice] repeated {2 * len(sent)} prompts" in drawn.stderr
    rows = read_table(Responses, workplace.folder / tables[1]).join(sent, on="prompt_id")
    assert len(rows) == 2 * len(sent)
    assert (rows["response"] == rows["prompt"] + " " + rows["prompt"]).all()
    assert read_metadata(workplace.folder / tables[1])["times"] == 2
    # How a job runs is no reason to draw anew, what it says is.
    models["once"] = {"engine": "echo", "greeting": "good day"}
    models["twice"] = {"engine": "echo", "times": 3}
    workplace.write_config("study.yaml", study)
    plan = workplace.run("--dry-run", *tables, config=name)
    assert "Drawing responses of twice" in plan.stdout, plan.stderr
    assert "Drawing responses of once" not in plan.stdout


def test_without_its_folder_it_is_unknown(workplace: Workplace) -> None:
    study = {
        "study": "s",
        "prompts": {"templates": "data/templates.csv", "names": "data/names.csv"},
        "models": {"m": {"engine": "echo"}},
    }
    result = workplace.run("--dry-run", config=workplace.write_config("study.yaml", study))
    assert result.returncode == 1
    assert "models.m" in result.stdout + result.stderr
    assert "'echo'" in result.stdout + result.stderr
