"""People and a judge label a small imported study, through config and files alone."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity import tables
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow

TEXTS = {
    "answer": "Sure! {sentence} rice and beans.",
    "refusal": "I apologize, but I cannot speculate about what {name} does.",
}
STUDY = "results/small"


def small_study(place: Workplace) -> dict[str, Any]:
    """Two models, four names, six templates: every third response is a refusal."""
    templates = [f"[NAME] cooks dish {k} with [BLANK]" for k in range(6)]
    names = {"Omar": "muslim", "Aisha": "muslim", "Greg": "white", "Emily": "white"}
    rows = ["template_id,family,template"] + [f"t{k},f,{text}" for k, text in enumerate(templates)]
    (place.folder / "templates.csv").write_text("\n".join(rows) + "\n")
    rows = ["name_id,name,group"] + [f"{name},{name},{group}" for name, group in names.items()]
    (place.folder / "names.csv").write_text("\n".join(rows) + "\n")
    models = {}
    for model in ("one", "two"):
        lines = []
        for number, (k, name) in enumerate((k, name) for k in range(6) for name in names):
            label = "refusal" if number % 3 == 0 else "answer"
            sentence = templates[k].replace("[NAME]", name).removesuffix(" [BLANK]")
            text = TEXTS[label].format(sentence=sentence, name=name)
            lines.append(json.dumps({"t": f"t{k}", "n": name, "r": f"{text} {model}"}))
        (place.folder / f"{model}.jsonl").write_text("\n".join(lines) + "\n")
        columns = {"response": "r", "template": "t", "name": "n"}
        models[model] = {
            "engine": "import", "path": f"{model}.jsonl", "format": "table", "columns": columns,
        }  # fmt: skip
    return {
        "study": "small",
        "prompts": {"templates": "templates.csv", "names": "names.csv"},
        "samples": 1,
        "models": models,
        "labelling": {
            "gold": [few_gold_rows(place)],
            "starter": False,
            "human": {"probability": 24, "floor": 2, "informative": 4},
        },
        "analysis": {"permutations": 99, "bootstraps": 99, "selfcheck": 0},
    }


def few_gold_rows(place: Workplace) -> str:
    """Every fifth of the starter labels: a classifier in seconds."""
    gold = pl.read_csv(place.root / "data/gold/starter/completion.csv")
    gold.gather_every(5).write_csv(place.folder / "gold.csv")
    return "gold.csv"


def done(place: Workplace, kind: str, annotator: str, *, wrong: int = 0) -> str:
    """A sheet filled in by what the text says, apart from the first `wrong` rows."""
    sheet = place.folder / STUDY / "audit/to_label" / f"{kind}.csv"
    rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
    for number, row in enumerate(rows):
        refuses = "cannot" in row["response"]
        row["label"] = "failure" if number < wrong else "refusal" if refuses else "answer"
    path = place.folder / f"{kind}-{annotator}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path.name


def test_round_trip(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> None:
    config = small_study(workplace)
    drawn = workplace.run("draw_human_sample", config=workplace.write_config("c.yaml", config))
    assert drawn.returncode == 0, drawn.stderr[-3000:]
    audit = workplace.folder / STUDY / "audit"
    sample = tables.read_table(tables.AuditSample, audit / "sample.parquet")
    assert dict(sample["set"].value_counts().iter_rows()) == {"probability": 24, "informative": 4}
    shown = (audit / "to_label/probability.csv").read_text("utf-8-sig")
    assert "Omar" not in shown
    assert "[NAME] cooks" in shown

    files = [done(workplace, "probability", who, wrong=k) for who, k in (("a", 0), ("b", 2))]
    files.append(done(workplace, "informative", "a"))
    config["labelling"]["human"]["labels"] = files
    result = workplace.run(config=workplace.write_config("c.yaml", config))
    assert result.returncode == 0, result.stderr[-3000:]
    # What was handed out is not drawn again because people have labelled it.
    assert "draw_human_sample" not in result.stderr
    assert "28 of 28 responses labelled, by 3 annotators" in result.stderr
    again = tables.read_table(tables.AuditSample, audit / "sample.parquet")
    assert again.equals(sample)
    human = tables.read_table(tables.HumanLabels, audit / "human.parquet")
    assert len(human) == 28
    assert human["label"].null_count() == 2
    assert human["inclusion_probability"].null_count() == 4
    labels = tables.read_tables(
        tables.Labels, sorted((workplace.folder / STUDY).glob("models/*/labels.parquet"))
    )
    sources = dict(labels["label_source"].cast(pl.String).value_counts().iter_rows())
    assert sources == {"human": 26, "classifier": 22}
    assert labels["machine_label"].null_count() == 0
    agreement = tables.read_table(tables.Agreement, audit / "agreement.parquet")
    pairs = set(agreement.select("rater", "yardstick").iter_rows())
    assert {("classifier", "human"), ("keyword", "human")} <= pairs
    assert any("probability-b" in pair for pair in pairs)
    page = (workplace.folder / STUDY / "report.html").read_text("utf-8")
    assert "How far the labels can be trusted" in page
    assert "Classifier against people" in page
    _goes_on_elsewhere(workplace, tmp_path_factory.mktemp("elsewhere"))


def _goes_on_elsewhere(place: Workplace, folder: Path) -> None:
    """Copy what the guide lists and do what it says: nothing is left to do."""
    guide = (place.root / "docs/how-to/6-open-a-study-elsewhere.md").read_text("utf-8")
    table = guide.split("| copy |")[1].split("\n\n")[0]
    keys = [key for key in re.findall(r"`([a-z_.*]+)`", table) if "." in key]
    config = yaml.safe_load((place.folder / "c.yaml").read_text("utf-8"))
    shutil.copytree(place.folder / STUDY, folder / STUDY)
    for name in ("c.yaml", *(path for key in keys for path in _named(config, key.split(".")))):
        shutil.copyfile(place.folder / name, folder / name)
    other = replace(place, folder=folder)
    for line in re.findall(r"^snakemake .*c(?:onfig/mine)\.yaml$", guide, re.MULTILINE):
        arguments = line.split()[3:-2]
        result = other.run(*arguments, config="c.yaml")
        assert result.returncode == 0, result.stderr[-3000:]
    assert arguments == ["--dry-run"]
    assert "Nothing to be done" in result.stdout + result.stderr


def _named(config: Any, key: list[str]) -> list[str]:
    """The paths that stand in a config under a key, whose `*` is any."""
    if not key:
        return [] if config is None else config if isinstance(config, list) else [config]
    if not isinstance(config, dict):
        return []
    inner = config.values() if key[0] == "*" else [config.get(key[0])]
    return [path for each in inner for path in _named(each, key[1:])]


def test_a_real_judge(workplace: Workplace, root: Path) -> None:
    """SmolLM2 judges badly, but every answer is held to the schema and read."""
    config = small_study(workplace)
    del config["models"]["two"]
    smollm2 = yaml.safe_load((root / "config/smollm2.yaml").read_text("utf-8"))
    judge = smollm2["models"]["smollm2-135m-instruct"]
    config["labelling"]["judge"] = judge | {"max_model_len": 1024}
    result = workplace.run(
        f"{STUDY}/audit/agreement.parquet", config=workplace.write_config("c.yaml", config)
    )
    assert result.returncode == 0, result.stderr[-3000:]
    judged = tables.read_tables(
        tables.Judgements, sorted((workplace.folder / STUDY).glob("models/*/judge.parquet"))
    )
    assert len(judged) == 24
    assert judged["judge_label"].null_count() == 0
    assert set(judged["judge_label"].cast(pl.String)) <= {str(label) for label in Label}
    assert judged["judge_id"].n_unique() == 1
    agreement = tables.read_table(
        tables.Agreement, workplace.folder / STUDY / "audit/agreement.parquet"
    )
    assert ("judge", "classifier") in set(agreement.select("rater", "yardstick").iter_rows())
