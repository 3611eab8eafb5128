from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from refusal_parity.config.__main__ import main
from refusal_parity.config.reading import read_study
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

STUDY = """\
study: mine
prompts: {templates: t.csv, names: n.csv}
models:
  m: {engine: openai, base_url: "http://localhost:1/v1", model: x}
"""
STIMULI = {
    "t.csv": "template_id,family,template\nt,tea,[NAME] drinks [BLANK]\n",
    "n.csv": "name_id,name,group\nn1,Siân,welsh\nn2,Jean-Luc O'Hara,other\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a study without mistakes, where it is run."""
    for name, content in STIMULI.items():
        (tmp_path / name).write_text(content, "utf-8")
    rest = "analysis: {dimensions: {group: {reference: other}}}\nlabelling: {method: keyword}\n"
    (tmp_path / "mine.yaml").write_text(STUDY + rest, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_without_mistakes(folder: Path) -> None:
    assert main([str(folder / "mine.yaml")]) is None


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("mine.yaml", "n.csv", "nn.csv", "nn.csv: no such file. Correct the path"),
        ("mine.yaml", "reference: other", "reference: Welsh", "reference 'Welsh' is no group of"),
        ("n.csv", ",other", ",Welsh", "n.csv, line 3: group 'Welsh' is written 'welsh' in line 2"),
        ("t.csv", "[NAME]", "[Name]", "t.csv, line 2: template '[Name] drinks [BLANK]' has no"),
    ],
)
def test_mistakes_in_a_studys_files(folder: Path, name: str, old: str, new: str, said: str) -> None:
    path = folder / name
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    found = main(["mine.yaml"])
    assert found is not None
    assert said in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "mine.yaml: empty. Take config/config.yaml as a pattern."),
        ("only words", "mine.yaml: no study: keys with values are missing."),
        ("- study\n- models", "mine.yaml: no study: keys with values are missing."),
        (STUDY + "  n: {engine: vllm", "mine.yaml, line 5: cannot be read as YAML (expected ','"),
        (STUDY + "\tsamples: 3\n", "mine.yaml, line 5: cannot be read as YAML (found character"),
        (
            STUDY + "samples: 1\nresults: r\nsamples: 2\n",
            "mine.yaml, line 7: cannot be read as YAML (key 'samples' stands there twice). Look at",
        ),
        (
            STUDY + "? [samples]\n: 2\n",
            "mine.yaml, line 5: cannot be read as YAML (a key that is a",
        ),
        (
            STUDY + "samples: 010\n",
            "mine.yaml, line 5: cannot be read as YAML (010 is the number 8",
        ),
        (
            STUDY + "samples: 1:30\n",
            "mine.yaml, line 5: cannot be read as YAML (1:30 is the number",
        ),
        (STUDY + "samples: yes\n", "mine.yaml: samples: must be a whole number (given: 'true')"),
        (
            STUDY + "sampling: {temperature: on}\n",
            "mine.yaml: sampling.temperature: must be a number (given: 'true')",
        ),
        (
            STUDY + "sampling: {temperature: .inf}\n",
            "mine.yaml: sampling.temperature: must be a finite number",
        ),
        (STUDY + "sampels: 1\n", "mine.yaml: unknown key sampels. Did you mean 'samples'?"),
        (STUDY + "study\xff: 1\n", "mine.yaml, line 5: not UTF-8 text"),
    ],
)
def test_mistakes_are_one_sentence_with_the_place(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, "latin-1")
    found = main([str(path)])
    assert found is not None
    assert found.startswith(f"{tmp_path}/{said}")
    assert "\n" not in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"study":\t"mine"}', None),
        ('{"a": [{"b": {"alpha": 1, "alpha": 2}}]}', "key 'alpha' stands twice in one object"),
        ('["study"]', "no study: keys with values are missing"),
        ('{"study": 010}', "010 is the number 8"),
    ],
)
def test_json_is_read_as_snakemake_reads_it(tmp_path: Path, content: str, said: str | None) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content, "utf-8")
    if said is None:
        assert read_study(path) == {"study": "mine"}
        return
    with pytest.raises(InputError, match=said):
        read_study(path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No config is named: make study CONFIG=config/mine.yaml"),
        ([""], "No config is named: make study CONFIG=config/mine.yaml"),
        (["a.yaml", "b.yaml"], "One config at a time, not a.yaml and b.yaml"),
    ],
)
def test_no_config_or_two(arguments: list[str], said: str) -> None:
    assert main(arguments) == said


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(STUDY, "utf-8")
    close = main([str(tmp_path / "mime.yaml")])
    assert close is not None
    assert f"there is no such file. Did you mean {tmp_path}/mine.yaml? Name" in close
    assert "Did you mean" not in str(main([str(tmp_path / "other.yaml")]))
    assert "is a folder" in str(main([str(tmp_path)]))


def test_make_puts_the_target_before_the_config(root: Path) -> None:
    # Under another make, as in CI, the folder's name would follow the commands.
    command = ["make", "--dry-run", "--no-print-directory", "study"]
    command += ["CONFIG=a b.yaml", "TARGET=results/x", "ARGS=-n"]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    [check, run] = done.stdout.splitlines()[-2:]
    assert check.endswith('python -m refusal_parity.config "a b.yaml"')
    assert "snakemake results/x --cores all" in run
    assert run.endswith('-n --configfile "a b.yaml"')
