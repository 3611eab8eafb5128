"""What the documents name is there."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml

from refusal_parity.outcomes import OUTCOMES, Outcome
from refusal_parity.statistics.methods import METHODS

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def _text(root: Path, name: str) -> str:
    return (root / name).read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_of_the_repositorys_front_lead_somewhere(root: Path, document: str) -> None:
    """Those under docs/ are checked when the site is built."""
    links = re.findall(r"\]\(([^)#]+)", _text(root, document))
    for link in links:
        assert link.startswith("https://") or (root / link).exists(), link


def test_readme_has_what_the_workflow_catalog_asks_for(root: Path) -> None:
    readme = _text(root, "README.md").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (root / "workflow/Snakefile").is_file()
    assert list((root / "workflow/rules").glob("*.smk"))
    assert (root / "config/README.md").is_file()
    usage = yaml.safe_load(_text(root, ".snakemake-workflow-catalog.yml"))["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_exists(root: Path, document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", _text(root, "Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", _text(root, document), re.MULTILINE))
    assert named <= targets


def test_targets_stand_where_snakemake_takes_them_for_targets(root: Path) -> None:
    """What follows --configfile is a config file to it, unless it begins with a dash."""
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("config/*")]
    commands = [
        command
        for path in documents
        for command in re.findall(
            r"snakemake (?:\\\n|[^`#\n])*--configfiles? (?:\\\n|[^`#\n])*", path.read_text("utf-8")
        )
    ]
    assert len(commands) > 10
    for command in commands:
        _config, *after = re.split(r"--configfiles?\s", command)[-1].replace("\\\n", " ").split()
        assert not after or after[0].startswith("-"), command


def test_contributing_names_files_that_are_there(root: Path) -> None:
    named = re.findall(r"`([\w/.]+\.(?:py|smk|md|toml|j2))`", _text(root, "CONTRIBUTING.md"))
    known = {path.name for folder in ("workflow", "tests", "docs") for path in
             (root / folder).rglob("*.*")} | {"pyproject.toml"}  # fmt: skip
    assert len(named) > 15
    for name in named:
        places = (root / name, root / "workflow" / name)
        assert any(place.is_file() for place in places) or name in known, name


def test_contributing_names_what_the_code_has(root: Path) -> None:
    named = set(re.findall(r"`([A-Za-z_]\w+)(?:\(\.\.\.\))?`", _text(root, "CONTRIBUTING.md")))
    endings = ("*.py", "*.smk", "*.j2")
    sources = [path for ending in endings for path in (root / "workflow").rglob(ending)]
    code = "\n".join(path.read_text("utf-8") for path in [*sources, root / "pyproject.toml"])
    files = {path.name for path in root.glob("workflow/**/*")} | {
        path.name for path in root.iterdir()
    }
    assert {"Answers", "Drawing", "ask_server"} <= named
    for name in named - files:
        assert re.search(rf"\b{name}\b", code), name


def test_nine_files_lead_from_the_template_to_the_number(root: Path) -> None:
    page = _text(root, "docs/follow-one-prompt.md").partition("## From the number to the sentence")
    path = re.findall(r"\*\*\[`[^`]+`\]\(\.\./(workflow/[^)]+)\)\*\*", page[0])
    assert len(path) == len(set(path)) == 9
    assert all((root / file).is_file() for file in path)
    scripts = ("expand_prompts", "generate_responses", "label_responses", "test_disparity")
    called = "\n".join(_text(root, f"workflow/scripts/{script}.py") for script in scripts)
    modules = [file.removeprefix("workflow/lib/").removesuffix(".py") for file in path]
    assert sum(module.replace("/", ".") in called for module in modules) == 6
    # Those behind servers and imports are on other paths.
    links = set(re.findall(r"\]\(\.\./(workflow/[^)]+)\)", page[0])) - set(path)
    others = {file for file in links if not file.endswith(("/asking.py", "/imports.py"))}
    assert f"They ask {len(others)} others on the way" in page[0]
    assert f"it is {len(path) + len(others)} files in all" in page[0]


def test_six_files_lead_from_the_number_to_the_sentence(root: Path) -> None:
    page = _text(root, "docs/follow-one-prompt.md").partition("## From the number to the sentence")
    files = set(re.findall(r"\]\(\.\./(workflow/[^)]+)\)", page[2]))
    assert len(files) == 6
    assert all((root / file).is_file() for file in files)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_explained(root: Path, method: str) -> None:
    assert f"`{method}`" in _text(root, "docs/method.md") + _text(root, "docs/formulas.md")


MEASURED = [
    method for method in METHODS.values() if method.describes and method.describes.false_alarms
]


@pytest.mark.parametrize("method", MEASURED)
def test_one_type_i_error_rate_in_table_report_and_documentation(root: Path, method: str) -> None:
    rows = _text(root, "docs/method.md").splitlines()
    documented = [row for row in rows if row.startswith("| ") and f"(`{method}`" in row]
    assert len(documented) == 1
    describes = METHODS[method].describes
    low, high = describes.false_alarms
    assert re.search(rf"\b{low}(-| to ){high} %", documented[0])
    # One sentence for the note of the table and for the report.
    assert (
        METHODS[method].caveat("global") == f"{METHODS[method].describes.reason}; descriptive only"
    )
    assert f"{low} to {high} %" in METHODS[method].describes.reason


@pytest.mark.parametrize("outcome", OUTCOMES.values())
def test_every_outcome_is_explained(root: Path, outcome: Outcome) -> None:
    assert f"`{outcome}`" in _text(root, "docs/method.md")


def test_citation_is_of_this_version(root: Path) -> None:
    citation = yaml.safe_load(_text(root, "CITATION.cff"))
    project = tomllib.loads(_text(root, "pyproject.toml"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == project["version"]
    assert citation["license"] == "MIT"
    assert _text(root, "LICENSE").startswith("MIT License")
