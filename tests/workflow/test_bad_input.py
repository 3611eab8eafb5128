from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow


def _demo(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "config/config.yaml").read_text("utf-8"))
    return loaded


def _refused(workplace: Workplace, config: dict[str, Any], *complaint: str) -> None:
    """The run stops before any job, says so once, and leaves no table behind."""
    result = workplace.run(config=workplace.write_config("study.yaml", config))
    assert result.returncode != 0
    for part in complaint:
        assert part in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert workplace.tables() == []


def _spoiled(workplace: Workplace, name: str, old: str, new: str) -> str:
    text = (workplace.root / "data" / name).read_text("utf-8")
    assert old in text
    path = workplace.folder / "spoiled.csv"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return "spoiled.csv"


def test_unknown_key(workplace: Workplace) -> None:
    config = _demo(workplace.root) | {"sample": 3}
    _refused(workplace, config, "study.yaml: unknown key sample. Did you mean 'samples'?")


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("samples: 010\n", "line 1: cannot be read as YAML (010 is the number 8 in YAML"),
        ("seed: 1\nseed: 2\n", "line 2: cannot be read as YAML (key 'seed' stands there twice)"),
    ],
    ids=["octal", "key twice"],
)
def test_what_yaml_reads_otherwise_than_people(
    workplace: Workplace, written: str, complaint: str
) -> None:
    # Of files that are read one after the other, each is looked at.
    first = workplace.folder / workplace.write_config("study.yaml", _demo(workplace.root))
    second = workplace.folder / "more.yaml"
    second.write_text(written, "utf-8")
    given = workplace.run("--configfile", str(first), str(second))
    assert given.returncode != 0
    assert f"more.yaml, {complaint}" in given.stderr, given.stderr
    assert "Traceback" not in given.stderr
    assert workplace.tables() == []


def test_template_without_name(workplace: Workplace) -> None:
    config = _demo(workplace.root)
    config["prompts"]["templates"] = _spoiled(
        workplace, "templates.csv", "[NAME] is taking", "Somebody is taking"
    )
    _refused(
        workplace, config, "spoiled.csv, line 2: template", "has no [NAME]. Write [NAME] where"
    )


def test_duplicate_name(workplace: Workplace) -> None:
    config = _demo(workplace.root)
    config["prompts"]["names"] = _spoiled(
        workplace, "names-56.csv", "maryam,Maryam", "maryam,Aisha"
    )
    _refused(workplace, config, "spoiled.csv, line 3: name 'Aisha' stands in line 2 already")


def test_unknown_label(workplace: Workplace) -> None:
    config = _demo(workplace.root)
    spoiled = _spoiled(workplace, "gold/starter/completion.csv", ",harmful_refusal,", ",rude,")
    config["labelling"] = {"gold": [spoiled]}
    _refused(workplace, config, "spoiled.csv, line ", "rude")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("response,label\nI cannot.,refusal\n", "gold.csv: one labelled response is too little"),
        ("response,label\na,answer\nb,answer\n", "gold.csv: all 2 responses are labelled answer"),
        ("response,label\na,answer\n,refusal\n", "gold.csv, line 3: column 'response' is empty"),
        ("response,label\nJos\xe9,answer\n", "gold.csv, line 2: not UTF-8 text"),
    ],
)
def test_gold_that_cannot_be_learned_from(
    workplace: Workplace, content: str, complaint: str
) -> None:
    (workplace.folder / "gold.csv").write_text(content, encoding="latin-1")
    _refused(workplace, _demo(workplace.root) | {"labelling": {"gold": ["gold.csv"]}}, complaint)


def test_human_labels_that_are_not_there(workplace: Workplace) -> None:
    labelling = {"human": {"labels": ["anna.csv"]}}
    complaint = "labelling.human.labels: anna.csv is not there"
    _refused(workplace, _demo(workplace.root) | {"labelling": labelling}, complaint)


def test_missing_model_folder(workplace: Workplace) -> None:
    config = _demo(workplace.root)
    config["models"]["demo-even"]["source"]["path"] = "data/models/none"
    _refused(workplace, config, "models.demo-even.source.path: data/models/none/config.json is not")


def test_reference_that_is_no_group(workplace: Workplace) -> None:
    config = _demo(workplace.root)
    config["analysis"]["dimensions"]["group"]["reference"] = "martian"
    _refused(workplace, config, "reference 'martian' is no group", "Name one of: muslim, mexican")


def test_results_folder_that_cannot_be_written(workplace: Workplace) -> None:
    (workplace.folder / "occupied").write_text("")
    config = _demo(workplace.root) | {"results": "occupied"}
    _refused(workplace, config, "results cannot be written to occupied/demo")


def test_path_with_braces(workplace: Workplace) -> None:
    config = _demo(workplace.root)
    config["prompts"]["names"] = "{v1}/names.csv"
    _refused(workplace, config, "study.yaml: prompts.names: Snakemake takes what stands between")


def test_project_in_a_folder_with_braces(workplace: Workplace) -> None:
    project = workplace.folder / "{v1}"
    shutil.copytree(workplace.root / "workflow", project / "workflow")
    shutil.copy(workplace.root / "Snakefile", project)
    elsewhere = replace(workplace, root=project)
    config = _demo(workplace.root)
    _refused(elsewhere, config, "{v1}/workflow/rules: Snakemake", "Move the project to a folder")


def test_truncated_released_file(workplace: Workplace, released_csv: Path) -> None:
    whole = released_csv.read_bytes()
    cut = workplace.folder / "cut.csv"
    cut.write_bytes(whole[: len(whole) // 2])
    config = yaml.safe_load((workplace.root / "config/released.yaml").read_text("utf-8"))
    config["models"]["llama-2-7b-released"]["path"] = "cut.csv"
    result = workplace.run(config=workplace.write_config("study.yaml", config))
    assert result.returncode != 0
    assert "cut.csv, line " in result.stderr
    assert "Traceback" not in result.stderr
    assert workplace.tables() == []


def test_truncated_weights(workplace: Workplace) -> None:
    model = workplace.folder / "model"
    shutil.copytree(workplace.root / "data/models/demo-even", model)
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    config = _demo(workplace.root)
    config["models"] = {"broken": config["models"]["demo-even"] | {"source": {"path": "model"}}}
    target = "results/demo/models/broken/responses.parquet"
    result = workplace.run(target, config=workplace.write_config("study.yaml", config))
    assert result.returncode != 0
    assert "[broken] ERROR" in result.stderr
    assert not (workplace.folder / target).exists()
