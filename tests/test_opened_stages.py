"""A study is at the stage that its results folder says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import load_config
from refusal_parity.config.opened import Opening, opened_text, read_opened, stages_file
from refusal_parity.errors import InputError
from refusal_parity.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import StudyConfig

SERVER = {"engine": "openai", "base_url": "http://localhost:1/v1", "model": "m"}
TABLE = {
    "engine": "import", "path": "r.csv", "format": "table",
    "columns": {"response": "r", "prompt": "p"},
}  # fmt: skip
RULE: dict[str, Any] = {"half_width": 0.05, "grow": "templates", "stages": [20, 28, 40]}


def _study(folder: Path, rule: dict[str, Any] | None = None, **changes: Any) -> StudyConfig:
    analysis = {"stop_when": RULE | (rule or {})} | changes.pop("analysis", {})
    raw = {
        "study": "s",
        "results": str(folder),
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": SERVER},
        "analysis": analysis,
    }
    return load_config(raw | changes, where="x.yaml")


def _open(study: StudyConfig) -> None:
    rule, path = study.analysis.stop_when, stages_file(study)
    assert rule is not None
    opening = Opening(
        stage=rule.stage + 1,
        at="2031-02-03T04:05:06Z",
        aim=rule.half_width,
        half_widths={"m": 0.083, "o": None},
    )
    write_text(path, opened_text(rule, read_opened(path), opening))


@pytest.mark.parametrize("grow", ["templates", "names", "samples"])
def test_opening_stages_takes_a_study_on(tmp_path: Path, grow: str) -> None:
    seen = []
    for _ in range(3):
        study = _study(tmp_path, {"grow": grow})
        rule = study.analysis.stop_when
        assert rule is not None
        seen.append((rule.stage, rule.size, study.samples))
        if rule.stage < len(rule.stages):
            _open(study)
    samples = [20, 28, 40] if grow == "samples" else [3, 3, 3]
    assert seen == [(1, 20, samples[0]), (2, 28, samples[1]), (3, 40, samples[2])]
    opened = read_opened(stages_file(study))
    assert opened is not None
    assert [each.stage for each in opened.opened] == [2, 3]
    assert opened.opened[0].half_widths == {"m": 0.083, "o": None}
    # The rule itself is no other one at another stage: nothing else of the study is changed.
    assert (
        study.analysis.model_dump()
        == _study(tmp_path / "new", {"grow": grow}).analysis.model_dump()
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"stages": [20, 28, 60]}, None),
        ({"half_width": 0.1}, None),
        ({"stages": [20, 30, 40]}, "stages is [20, 30], and was [20, 28]"),
        ({"stages": [20, 40]}, "stages is [20, 40], and was [20, 28]"),
        ({"seed": 2}, "seed is 2, and was 1"),
        ({"grow": "names"}, "grow is names, and was templates"),
    ],
)
def test_stages_that_were_drawn_stay_what_they_were(
    tmp_path: Path, changes: dict[str, Any], what: str | None
) -> None:
    _open(_study(tmp_path))
    if what is None:
        rule = _study(tmp_path, changes).analysis.stop_when
        assert rule is not None
        assert rule.stage == 2
        return
    with pytest.raises(InputError) as raised:
        _study(tmp_path, changes)
    assert what in raised.value.what
    assert str(tmp_path / "s" / "stages.yaml") in raised.value.remedy


def test_a_rule_that_is_cut_short_is_said(tmp_path: Path) -> None:
    for _ in range(2):
        _open(_study(tmp_path))
    with pytest.raises(InputError, match=r"stages is \[20, 28\], and was \[20, 28, 40\]"):
        _study(tmp_path, {"stages": [20, 28]})


@pytest.mark.parametrize(
    "text",
    ["", "[", "grow: templates\n", "- 1\n", "grow: t\nseed: 1\nsizes: [20]\nopened: [{stage: 3}]\n",
     "grow: templates\nseed: 1\nsizes: [20, 28]\nopened: []\n"],
)  # fmt: skip
def test_a_damaged_file_is_said(tmp_path: Path, text: str) -> None:
    path = stages_file(_study(tmp_path))
    write_text(path, text)
    with pytest.raises(InputError) as raised:
        _study(tmp_path)
    assert raised.value.where == str(path)
    assert "first stage" in raised.value.remedy


@pytest.mark.parametrize(
    ("changes", "rule", "what"),
    [
        ({"models": {"m": SERVER, "i": TABLE}}, {}, "responses of 'i' are imported"),
        ({"prompts": {"list": "l.csv"}}, {}, "grows a study of names and templates"),
        ({"samples": 2}, {"grow": "samples"}, "grows samples, whose number samples says too"),
        (
            {
                "models": {"v": {"engine": "vllm", "source": {"path": "w"}, "prompt_mode": "chat"}},
                "sampling": {"openings": "weigh"},
                "analysis": {"primary_family": {"outcome": "propensity"}},
            },
            {},
            "looks at intervals of rates, and the primary outcome is 'propensity'",
        ),
    ],
    ids=["imported", "listed", "samples", "propensity"],
)
def test_what_has_no_stages(
    tmp_path: Path, changes: dict[str, Any], rule: dict[str, Any], what: str
) -> None:
    with pytest.raises(InputError) as raised:
        _study(tmp_path, rule, **changes)
    assert what in raised.value.what
    assert raised.value.what.startswith("analysis.stop_when")
