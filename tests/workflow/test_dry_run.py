from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from refusal_parity.tables import Prompts, read_table

if TYPE_CHECKING:
    from conftest import Workplace

pytestmark = pytest.mark.workflow


def planned_jobs(workplace: Workplace, config: str) -> dict[str, int]:
    """How many jobs of each rule a dry run plans."""
    result = workplace.run("--dry-run", config=config)
    assert result.returncode == 0, result.stderr + result.stdout
    counts = re.findall(r"^(\w+) +(\d+)$", result.stdout, re.MULTILINE)
    return {rule: int(count) for rule, count in counts}


@pytest.mark.parametrize(
    ("config", "jobs"),
    [
        ("config.yaml", {"generate_responses": 2, "label_responses": 2, "expand_prompts": 1}),
        ("smollm2.yaml", {"convert_wheel_model": 1, "generate_responses": 1}),
        ("llama2.yaml", {"fetch_hub_model": 4, "generate_responses": 4, "test_disparity": 4}),
        (
            "released.yaml",
            {"download_responses": 1, "import_prompts": 1, "import_responses": 1},
        ),
        (
            "xstest.yaml",
            {"download_responses": 1, "list_prompts": 1, "convert_wheel_model": 1},
        ),
        ("wording.yaml", {"convert_wheel_model": 1, "generate_responses": 1}),
        ("wording-small.yaml", {"generate_responses": 2, "test_disparity": 2}),
        ("rare.yaml", {"measure_propensity": 2, "continue_openings": 2, "weigh_responses": 2}),
        ("hh-demo.yaml", {"read_pairs": 1, "label_sides": 1, "compare_groups": 1}),
        ("hh-trained.yaml", {"choose_lessons": 2, "train_variant": 2, "generate_responses": 3}),
        ("hh-audit.yaml", {"download_responses": 1, "read_pairs": 1, "find_mentions": 1}),
    ],
)
def test_every_shipped_study_can_be_planned(
    workplace: Workplace, config: str, jobs: dict[str, int]
) -> None:
    planned = planned_jobs(workplace, f"config/{config}")
    assert planned.items() >= jobs.items()
    assert planned["write_report"] == 1
    assert not (workplace.folder / "results").exists()


def test_the_catalogs_snakefile_makes_the_report_too_and_says_what_is_drawn(
    workplace: Workplace,
) -> None:
    names = (workplace.root / "data/names-56.csv").read_text("utf-8")
    (workplace.folder / "n.csv").write_text(names + "zoe,Zo\u00eb,whit,woman,common\n", "utf-8")
    study = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    study["prompts"] |= {"names": "n.csv", "arms": {"plain": None, "kind": "Be kind."}}
    config = workplace.write_config("study.yaml", study)
    catalogs = replace(workplace, snakefile="workflow/Snakefile")
    result = catalogs.run("--dry-run", config=config)
    assert result.returncode == 0, result.stderr + result.stdout
    assert "write_report" in result.stdout
    _, note, *lines = result.stdout.partition("of execution.\n")[2].splitlines()
    assert note.startswith(
        "Note: n.csv: few names for group: 'whit' has 1 name (zoe) - perhaps 'white'"
    )
    assert (
        lines[0] == "3,648 prompts (32 templates x 57 names x 2 system prompts), 3 samples of each"
    )
    assert lines[1].startswith("  demo-even: 10,944 responses of at most 128 tokens, together ")


def test_two_hundred_models_are_planned(workplace: Workplace) -> None:
    """How long that takes is what `make bench-plan` measures."""
    study = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    model = study["models"]["demo-even"]
    study["models"] = {f"m{number}": model for number in range(200)}
    config = workplace.write_config("study.yaml", study)
    planned = planned_jobs(workplace, config)
    for rule in ("generate_responses", "label_responses", "test_disparity"):
        assert planned[rule] == 200


def test_braces_in_what_is_no_path_are_left_alone(workplace: Workplace) -> None:
    names = (workplace.root / "data/names-56.csv").read_text("utf-8")
    (workplace.folder / "names.csv").write_text(names.replace("group", "{v1}", 1), "utf-8")
    study = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    study["prompts"] |= {
        "names": "names.csv",
        "group_column": "{v1}",
        "arms": {"plain": None, "json": "Answer as {json}."},
    }
    study["analysis"]["dimensions"] = {"group": {"reference": "white"}}
    config = workplace.write_config("study.yaml", study)
    result = workplace.run("results/demo/prompts.parquet", config=config)
    assert result.returncode == 0, result.stderr
    prompts = read_table(Prompts, workplace.folder / "results/demo/prompts.parquet")
    assert set(prompts["system_prompt"]) == {None, "Answer as {json}."}
    assert "muslim" in set(prompts["group"])


def test_a_list_is_not_read_anew_for_what_is_compared(workplace: Workplace) -> None:
    (workplace.folder / "list.csv").write_text(
        "prompt_id,prompt,kind,topic\na,Hi there,x,u\nb,Ho there,y,v\n", "utf-8"
    )
    study = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    study["prompts"] = {"list": "list.csv"}
    study["analysis"] |= {
        "dimensions": {"kind": {"reference": "x"}},
        "primary_family": {"outcome": "refusal", "dimension": "kind"},
    }
    target = "results/demo/prompts.parquet"
    made = workplace.run(target, config=workplace.write_config("study.yaml", study))
    assert made.returncode == 0, made.stderr
    study["analysis"]["dimensions"]["topic"] = {"reference": "u"}
    planned = workplace.run("-n", target, config=workplace.write_config("study.yaml", study))
    assert planned.returncode == 0, planned.stderr
    assert "list_prompts" not in planned.stdout
    study["prompts"]["arms"] = {"plain": None, "kind": "Be kind."}
    planned = workplace.run("-n", target, config=workplace.write_config("study.yaml", study))
    assert "list_prompts" in planned.stdout


def test_selfcheck_can_be_turned_off(workplace: Workplace) -> None:
    with_it = workplace.run("--dry-run")
    assert re.search(r"^gather_selfcheck +1$", with_it.stdout, re.MULTILINE), with_it.stderr
    without = workplace.run("--dry-run", "--config", "analysis={selfcheck: 0}")
    assert without.returncode == 0, without.stderr
    assert "write_report" in without.stdout
    assert "selfcheck.parquet" not in without.stdout


def test_a_plan_needs_no_responses(workplace: Workplace) -> None:
    summary = workplace.folder / "results/demo/summary.txt"
    summary.parent.mkdir(parents=True)
    summary.write_text("Found: what an earlier run found.\n")
    result = workplace.run("results/demo/plan.parquet")
    assert result.returncode == 0, result.stderr
    assert "Found:" not in result.stderr
    assert "demo-even: 5,376 responses of at most 128 tokens" in result.stderr
    assert "finds differences from" in result.stderr
    assert sorted(path.name for path in workplace.tables()) == ["plan.parquet", "prompts.parquet"]


def test_adapter_is_fetched_before_the_job_and_a_missing_template_named(
    workplace: Workplace,
) -> None:
    study = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    model = study["models"]["demo-even"]
    model["lora"] = {"hub": "owner/adapter", "revision": "0123456789ab" + "0" * 28}
    model["chat_template"] = "data/models/demo-guarded/chat_template.jinja"
    config = workplace.write_config("study.yaml", study)
    result = workplace.run("--dry-run", config=config)
    assert result.returncode == 0, result.stderr + result.stdout
    reason = re.search(r"Drawing responses of demo-even\nReason: (.*)", result.stdout)
    assert reason
    assert "resources/models/hub/owner--adapter@0123456789ab" in reason[1]
    model["chat_template"] = "none.jinja"
    result = workplace.run("--dry-run", config=workplace.write_config("study.yaml", study))
    assert (
        "models.demo-even.chat_template: none.jinja is not there" in result.stdout + result.stderr
    )


def test_a_judge_gets_its_files_as_a_model_does(workplace: Workplace) -> None:
    study = yaml.safe_load((workplace.root / "config/config.yaml").read_text("utf-8"))
    judge = study["models"]["demo-even"] | {
        "lora": {"hub": "owner/adapter", "revision": "0123456789ab" + "0" * 28}
    }
    study["labelling"] = {"judge": judge}
    result = workplace.run("--dry-run", config=workplace.write_config("study.yaml", study))
    assert result.returncode == 0, result.stderr + result.stdout
    reason = re.search(
        r"Asking the judge about responses of demo-even\nReason: (.*)", result.stdout
    )
    assert reason
    assert "resources/models/hub/owner--adapter@0123456789ab" in reason[1]
    judge["chat_template"] = "none.jinja"
    result = workplace.run("--dry-run", config=workplace.write_config("study.yaml", study))
    said = result.stdout + result.stderr
    assert "labelling.judge.chat_template: none.jinja is not there" in said


def test_a_study_is_not_merged_with_the_demo_study(workplace: Workplace) -> None:
    result = workplace.run("--dry-run", config="config/smollm2.yaml")
    assert "demo-guarded" not in result.stdout


def test_asking_for_one_models_table_plans_its_branch_alone(workplace: Workplace) -> None:
    result = workplace.run("results/demo/models/demo-even/disparity.parquet", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "demo-even" in result.stdout
    assert "demo-guarded" not in result.stdout
