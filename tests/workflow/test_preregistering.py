from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Workplace

pytestmark = pytest.mark.workflow


def test_a_study_is_registered_once_and_by_no_other_run(workplace: Workplace) -> None:
    folder = workplace.folder
    names = "name_id,name,group\na,Ana,x\nb,Imke,x\nc,Bo,y\nd,Cai,y\n"
    (folder / "names.csv").write_text(names, "utf-8")
    templates = "template_id,family,template\nt,f,[NAME] buys [BLANK]\nu,f,[NAME] eats [BLANK]\n"
    (folder / "templates.csv").write_text(templates, "utf-8")
    server = {"engine": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    name = workplace.write_config(
        "study.yaml",
        {
            "study": "planned",
            "prompts": {"templates": "templates.csv", "names": "names.csv"},
            "models": {"one": server},
            "analysis": {"dimensions": {"group": {"reference": "x"}}},
        },
    )
    first = workplace.run("preregister", config=name)
    assert first.returncode == 0, first.stderr
    (path,) = (folder / "results" / "planned").glob("preregistration-*.yaml")
    assert f"wrote results/planned/{path.name}" in first.stderr
    said = yaml.safe_load(path.read_text("utf-8"))
    assert said["question"]["compared"] == ["y"]
    assert said["responses"] == {"one": 24}
    assert said["plan"][0].startswith("group: 2 names against 2, 2 templates")
    again = workplace.run("preregister", config=name)
    assert f"nothing changed since results/planned/{path.name}" in again.stderr
    planned = workplace.run("--dry-run", "--quiet", "rules", config=name)
    assert planned.returncode == 0, planned.stderr
    assert "write_report" in planned.stdout + planned.stderr
    assert "preregister " not in planned.stdout + planned.stderr
